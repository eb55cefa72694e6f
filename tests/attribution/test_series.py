"""Series and sound: maps of worlds where the time and the channel of the evidence are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from audit.attribution.series import explain_series, window_numbers
from audit.attribution.trust_grades import read_rules
from audit.checks.attribution.series_maps import series_maps
from audit.data import Dataset
from audit.data.dataset import Column, Roles
from audit.errors import DataError, ModelError, Unavailable
from audit.inputs.explained_maps import ExplainedMaps
from audit.models.audio import LogMel, mel_filters
from audit.results import ImageMap

from .worlds import Value, mlp, network

TIME, CHANNELS, RATE = 24, 3, 8000


def sensors(n=6, kind="series", width=TIME * CHANNELS, shape=(TIME, CHANNELS), seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    column = Column(name="signal", kind=kind, shape=shape)
    table = pa.table({"signal": pa.array(list(rows))})
    return Dataset(name="test", table=table, columns={"signal": column}, roles=Roles(features=("signal",)))


class Spot(nn.Module):
    """Reads channel 1 at times 6 to 11, with a curve, so that the map is known to lie there."""

    def forward(self, x):
        score = torch.tanh(x[:, 6:12, 1]).sum(dim=1)
        return torch.stack([score, -score], dim=1)


class Beep(nn.Module):
    """The mean of one mel band."""

    def forward(self, x):
        return x[:, 7].mean(dim=1, keepdim=True)


def test_every_map_lies_where_the_network_reads_and_nowhere_else():
    data = sensors()
    found = explain_series(network(Spot()), data, seed=0)
    values = data.features["signal"]
    for maps in found.maps:
        assert maps.values.shape == (6, TIME, CHANNELS)
        outside = maps.values.copy()
        outside[:, 6:12, 1] = 0
        assert np.abs(outside).max() < 1e-6, maps.short
    zero = next(m for m in found.maps if m.short == "integrated gradients from zero")
    sign = np.where(np.array(found.targets) == "yes", -1, 1)[:, None]
    np.testing.assert_allclose(zero.values[:, 6:12, 1], 2 * sign * np.tanh(values[:, 6:12, 1]), rtol=0.01, atol=1e-3)


def test_a_window_left_out_falls_by_what_it_gave():
    data = sensors(4)
    found = explain_series(network(Spot()), data, background=sensors(50, seed=1), seed=0)
    left_out = found.maps[-1].values
    usual = sensors(50, seed=1).features["signal"].mean(axis=0)
    for row in range(4):
        x = data.features["signal"][row]
        sign = -1 if found.targets[row] == "yes" else 1
        for start in (6, 8, 10):
            window = slice(start, start + 2)
            change = 2 * sign * (np.tanh(x[window, 1]) - np.tanh(usual[window, 1])).sum()
            np.testing.assert_allclose(left_out[row, window, 1].sum(), change, rtol=1e-3, atol=1e-4)


def test_trust_checks_run_on_series_too():
    found = explain_series(network(nn.Sequential(nn.Flatten(), mlp(72))), sensors(), rules=read_rules(), seed=0)
    assert len(found.trust) == len(found.maps) == 4
    assert {"trust_faithfulness", "trust_randomisation", "trust_stability"} <= set(found.trust[0].numbers)


def test_sound_is_mapped_by_band_and_time():
    front = LogMel(RATE, bands=20, window=256, hop=128)
    data = sensors(3, kind="audio", width=1600, shape=())
    encode = lambda columns: front(torch.from_numpy(columns["signal"]))  # noqa: E731
    found = explain_series(network(Beep(), encode=encode), data, seed=0)
    assert found.axes == ("band", "time")
    for maps in found.maps:
        assert not maps.values[:, np.arange(20) != 7].any() or maps.family == "ablation"
        assert np.abs(maps.values[:, 7]).max() > 0


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 2500.0])
def test_a_tone_is_loudest_in_the_band_that_holds_its_frequency(hertz):
    wave = torch.sin(2 * np.pi * hertz * torch.arange(4000) / RATE)[None].requires_grad_()
    front = LogMel(RATE, bands=20, window=512, hop=128)
    spectrum = front(wave)
    band = int(spectrum[0, :, 15].argmax())
    filters = mel_filters(RATE, 20, 512)
    assert filters[:, round(hertz / RATE * 512)].argmax() == band
    spectrum.sum().backward()
    assert bool(torch.isfinite(wave.grad).all())
    assert wave.grad.abs().max() > 0


def test_front_ends_and_tables_that_make_no_sense_are_refused():
    with pytest.raises(ModelError, match="bands"):
        LogMel(RATE, bands=400, window=400)
    with pytest.raises(Unavailable, match="no gradients"):
        explain_series(Value(lambda c: c["signal"].mean(axis=(1, 2))), sensors(), seed=0)
    encode = lambda c: torch.from_numpy(c["signal"])[:, :, :, None]  # noqa: E731
    deep = network(nn.Sequential(nn.Flatten(), nn.Linear(72, 2)), encode=encode)
    with pytest.raises(Unavailable, match="one tensor"):
        explain_series(deep, sensors(), seed=0)


def test_series_of_different_lengths_are_refused_and_equal_ones_are_stacked():
    column = Column(name="s", kind="series")
    uneven = pa.table({"s": pa.array([[1.0, 2.0], [1.0]])})
    with pytest.raises(DataError, match="1 to 2 numbers"):
        Dataset(name="t", table=uneven, columns={"s": column}, roles=Roles(features=("s",))).values("s")
    wide = pa.table({"s_0": [1.0, 2.0], "s_1": [3.0, 4.0]})
    made = Column(name="s", kind="series", sources=("s_0", "s_1"), shape=(2, 1))
    values = Dataset(name="t", table=wide, columns={"s": made}, roles=Roles()).values("s")
    assert values.tolist() == [[[1.0], [3.0]], [[2.0], [4.0]]]


@pytest.mark.parametrize(("first", "second"), [(1, 1), (5, 3), (200, 2), (40, 90), (16, 1)])
def test_windows_are_all_used_and_none_is_empty(first, second):
    places = window_numbers(first, second)
    assert places.shape == (first, second)
    assert len(np.unique(places)) == places.max() + 1 <= 144


def test_the_check_draws_channels_downwards_and_time_across():
    found = explain_series(network(Spot()), sensors(), seed=0)
    given = ExplainedMaps(rows=tuple(range(6)), labels=("",) * 6, explanation=found)
    outcome = series_maps(given, 0.95)
    pictures = [item for item in outcome.evidence if isinstance(item, ImageMap)]
    assert len(pictures) == 24
    assert all(p.attributions.shape == (CHANNELS, TIME) for p in pictures)
    shares = [m for m in outcome.measurements if m.name == "series_largest_channel_share"]
    assert all(m.value == pytest.approx(1) for m in shares)
