"""Models that read several things at once: one sum over all inputs, each place in its own column."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from audit.attribution.several import explain_several
from audit.attribution.trust_grades import read_rules
from audit.attribution.untouched import state_hash
from audit.data import Dataset
from audit.data.dataset import Roles
from audit.errors import Unavailable

from .one_call_worlds import CLASSES, WORLDS, Reads, as_table, wards
from .worlds import Classes, network


def without_notes(n=5, seed=0):
    data = wards(n, seed)
    return Dataset(name="test", table=data.table, columns=data.columns, roles=Roles(features=("scan", "age", "town")))


def encode(columns):
    return torch.from_numpy(columns["scan"]), as_table(columns)


class Adds(nn.Module):
    """A weighted sum of every pixel and of the three numbers of the table."""

    def __init__(self, seed=0):
        super().__init__()
        stream = torch.Generator().manual_seed(seed)
        self.register_buffer("pixels", torch.randn(1, 8, 8, generator=stream))
        self.register_buffer("numbers", torch.randn(3, generator=stream))

    def forward(self, scan, rows):
        return ((scan * self.pixels).sum(dim=(1, 2, 3)) + rows @ self.numbers)[:, None]


def value(module, **more):
    return network(module, classes=(), output="value", encode=encode, **more)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_a_sum_gives_every_place_its_weight_times_its_change(seed):
    module, data, usual = Adds(seed), without_notes(seed=seed), without_notes(30, seed + 1)
    found = explain_several(value(module), data, background=usual, seed=0)
    scan, rows = encode(data.features)
    mean_scan, mean_rows = (t.mean(dim=0) for t in encode(usual.features))
    np.testing.assert_allclose(found.parts["scan"], ((scan - mean_scan) * module.pixels)[:, 0], atol=1e-5)
    change = ((rows - mean_rows) * module.numbers).numpy()
    np.testing.assert_allclose(found.parts["age"], change[:, 0], atol=1e-5)
    np.testing.assert_allclose(found.parts["town"], change[:, 1:].sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.totals()[:, 0], found.parts["scan"].sum(axis=(1, 2)), atol=1e-4)
    np.testing.assert_allclose(found.maps[2].values, found.maps[0].values, atol=1e-4)  # left out, a sum loses as much


def test_an_interaction_is_integrated_along_the_path_of_both():
    """Of x * y from (a, b) each gets its change times the mean of the other."""

    class Product(nn.Module):
        def forward(self, scan, rows):
            return (scan.mean(dim=(1, 2, 3)) * rows[:, 0])[:, None]

    data, usual = without_notes(), without_notes(30, 1)
    found = explain_several(value(Product()), data, background=usual, seed=0)
    x, y = (t.numpy() for t in (encode(data.features)[0].mean(dim=(1, 2, 3)), encode(data.features)[1][:, 0]))
    a, b = encode(usual.features)[0].mean(), float(encode(usual.features)[1][:, 0].mean())
    np.testing.assert_allclose(found.parts["scan"].sum(axis=(1, 2)), (x - float(a)) * (y + b) / 2, atol=1e-5)
    np.testing.assert_allclose(found.parts["age"], (y - b) * (x + float(a)) / 2, atol=1e-5)
    assert not found.parts["town"].any()


def test_notes_pictures_and_tables_add_up_together_and_padding_holds_nothing():
    model, data = WORLDS["several/picture, note and table"]()
    found = explain_several(model, data, background=wards(30, 2), rules=read_rules(), seed=0)
    total = sum(np.asarray(p).reshape(data.n, -1).sum(axis=1) for p in found.parts.values())
    np.testing.assert_allclose(total, found.output - found.base, atol=0.01)
    assert found.completeness.max() < 0.01
    for row, tokens in enumerate(found.tokens):
        assert not found.parts["note"][row, len(tokens) :].any()
        assert found.parts["note"][row, : len(tokens)].any()
    assert {"trust_faithfulness", "trust_randomisation", "trust_stability"} <= set(found.trust[0].numbers)
    np.testing.assert_allclose(found.totals().sum(axis=1), total, atol=1e-3)


def test_rows_stand_alone_and_the_network_is_given_back_as_it_was():
    module = Reads(note=False).train()
    before = state_hash(module)
    model = network(module, classes=CLASSES, encode=encode)
    usual = without_notes(20, 3)
    whole = explain_several(model, without_notes(), background=usual, rules=read_rules(), seed=0)
    alone = explain_several(model, without_notes().take([3, 1]), background=usual, seed=0)
    assert state_hash(module) == before
    for name in whole.parts:
        np.testing.assert_allclose(alone.parts[name], np.asarray(whole.parts[name])[[3, 1]], atol=1e-5)


def test_a_mask_in_floating_point_goes_with_its_text_and_stays_as_it_is():
    model, data = WORLDS["several/picture, note and table"]()
    assert "" not in explain_several(model, data, seed=0).columns
    equal = data.take(np.flatnonzero(data.values("note") == data.values("note")[0]))
    found = explain_several(model, equal, seed=0)  # a mask that never moves belongs to nobody
    assert "" in found.columns
    total = sum(np.asarray(p).reshape(equal.n, -1).sum(axis=1) for p in found.parts.values())
    np.testing.assert_allclose(total, found.output - found.base, atol=0.01)


@pytest.mark.parametrize(
    ("mixed", "why"),
    [
        (lambda c: torch.from_numpy(c["scan"] + c["age"][:, None, None, None].astype(np.float32)), "mixes several"),
        (lambda c: torch.from_numpy(np.where(c["scan"] > 0.99, np.nan, c["scan"])), "NaN"),
        (lambda c: torch.from_numpy((c["scan"] * 9).astype(np.int64)), "whole numbers"),
    ],
)
def test_inputs_that_gradients_cannot_tell_apart_are_refused_in_words(mixed, why):
    class Sums(nn.Module):
        def forward(self, x):
            return x.float().sum(dim=(1, 2, 3))[:, None]

    with pytest.raises(Unavailable, match=why):
        explain_several(network(Sums(), classes=(), output="value", encode=mixed), without_notes(), seed=0)


def test_models_without_gradients_and_notes_without_an_embedding_are_refused_in_words():
    with pytest.raises(Unavailable, match="has no gradients"):
        explain_several(Classes(lambda c: np.ones((2, 2))), wards(), seed=0)
    with pytest.raises(Unavailable, match="no embedding layer for note"):
        explain_several(network(Reads(note=False), classes=CLASSES, encode=encode), wards(), seed=0)
