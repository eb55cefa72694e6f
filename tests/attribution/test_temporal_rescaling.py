"""Time first, then the channel within it: against the slow definition, and where one step cannot see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from audit.attribution.network import Network
from audit.attribution.series import explain_series, series_subject
from audit.attribution.temporal_rescaling import rescaled

from .one_call_worlds import signals
from .worlds import network

TIME, CHANNELS = 12, 3


class Reads(nn.Module):
    """One number from a function of the series (n, time, channels)."""

    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, x):
        return self.score(x)[:, None]


def subject_of(score, shape=(TIME, CHANNELS), n=4, seed=0):
    own, usual = (torch.from_numpy(signals(k, shape=shape, seed=s).values("signal")) for k, s in ((n, seed), (30, 99)))
    net = Network.of(network(Reads(score), classes=(), output="value"))
    return series_subject(net, own, usual, torch.zeros(n, dtype=torch.long))


def slow(subject, score, time_axis):
    """Loops over rows, times and channels; every place is a window of its own."""
    values = np.zeros(subject.inputs.shape)
    for i, x in enumerate(subject.inputs):
        mean = subject.fills[0][i]

        def fall(hidden, x=x, mean=mean):
            mixed = torch.where(hidden, mean, x)
            return float(score(x[None])[0] - score(mixed[None])[0])

        falls = []
        for t in range(x.shape[time_axis]):
            hidden = torch.zeros(x.shape, dtype=torch.bool)
            hidden.select(time_axis, t)[:] = True
            falls.append(fall(hidden))
        for t, whole in enumerate(falls):
            if abs(whole) < 0.01 * np.abs(falls).max():
                continue
            alone = []
            for c in range(x.shape[1 - time_axis]):
                hidden = torch.zeros(x.shape, dtype=torch.bool)
                hidden.select(time_axis, t)[c] = True
                alone.append(fall(hidden))
            size = np.abs(alone).sum()
            shares = (
                np.array(alone) / size
                if size > 0.01 * abs(whole)
                else np.sign(whole) * np.ones(len(alone)) / len(alone)
            )
            np.moveaxis(values[i], time_axis, 0)[t] = abs(whole) * shares
    return values


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_it_is_the_slow_definition_along_either_axis(seed):
    weights = torch.randn(TIME, CHANNELS, generator=torch.Generator().manual_seed(seed))

    def score(x):
        w = weights if x.shape[1] == TIME else weights.T
        return torch.tanh((x * w).sum(dim=2)).sum(dim=1) + x.amax(dim=(1, 2))

    for axis, shape in ((0, (TIME, CHANNELS)), (1, (CHANNELS, TIME))):
        about = subject_of(score, shape, seed=seed)
        np.testing.assert_allclose(rescaled(about, axis).values, slow(about, score, axis), atol=1e-4)


def test_channels_that_stand_in_for_each_other_share_a_time_that_single_covers_do_not_see():
    def score(x):  # any channel that is up at time 4 is enough
        return (x[:, 4] > -10).any(dim=1).float() * 5 + 0 * x.sum(dim=(1, 2))

    about = subject_of(score)
    low = about.fills[0].clone()
    low[:, 4] = -20
    about = replace(about, fills=(low,))
    two_steps = rescaled(about, 0).values
    np.testing.assert_allclose(two_steps[:, 4], 5 / CHANNELS, atol=1e-5)
    two_steps[:, 4] = 0
    assert not two_steps.any()
    single = np.array([about.covered(np.arange(4), np.tile(np.arange(about.count) != u, (4, 1)), 0) for u in range(36)])
    np.testing.assert_allclose(single, 5)


def test_the_sizes_of_a_times_channels_add_up_to_the_fall_of_the_time():
    about = subject_of(lambda x: torch.tanh(x.sum(dim=2)).prod(dim=1) * 50 + x[:, :, 0].sum(dim=1))
    found = np.abs(rescaled(about, 0).values).sum(axis=2)
    for t in range(TIME):
        kept = np.tile(np.arange(about.count) // CHANNELS != t, (4, 1))
        fall = np.abs(about.outputs().numpy() - about.covered(np.arange(4), kept, 0))
        seen = found[:, t] > 0
        np.testing.assert_allclose(found[seen, t], fall[seen], rtol=1e-3)


def test_what_is_flat_is_all_zero():
    assert not rescaled(subject_of(lambda x: 0 * x.sum(dim=(1, 2)) + 3), 0).values.any()


@pytest.mark.parametrize(("shape", "there"), [((TIME, CHANNELS), True), ((TIME, 1), False), ((TIME,), False)])
def test_it_stands_beside_the_other_maps_where_there_are_several_channels(shape, there):
    module = Reads(lambda x: torch.tanh(x).reshape(len(x), -1).sum(dim=1))
    found = explain_series(network(module, classes=(), output="value"), signals(shape=shape), seed=0)
    assert ("temporal rescaling" in [m.short for m in found.maps]) is there
