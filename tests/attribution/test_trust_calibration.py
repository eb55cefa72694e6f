"""Planted bad maps are withheld, good ones are shown: what the bounds of trust@1.toml rest on."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution.maps import Maps
from audit.attribution.trust import assess
from audit.attribution.trust_grades import read_rules

from .maps_worlds import as_method, good_methods, planted, subject

RULES = read_rules()
SETS, ROWS = 10, 8


def graded(about, make):
    maps = Maps(method="m", short="m", family="f", values=np.asarray(make(about), dtype=np.float32), signed=True)
    (trust,) = assess(about, [as_method(make)], [maps], RULES, seed=0)
    return trust


@pytest.mark.slow
@pytest.mark.parametrize("short", ["gradients from black", "gradients from a blurred copy", "occlusion"])
def test_every_set_of_planted_maps_is_withheld_without_looking_at_their_sums(short):
    for k in range(SETS):
        about = subject(slice(ROWS * k, ROWS * k + ROWS))
        for what, make in planted(good_methods(about)[short]).items():
            assert not graded(about, make).grade.shown, f"{what} of set {k}"


@pytest.mark.slow
def test_at_most_one_good_map_of_twenty_is_withheld():
    grades = []
    for k in range(SETS):
        about = subject(slice(ROWS * k, ROWS * k + ROWS))
        for make in good_methods(about).values():
            grades += graded(about, make).maps
    assert np.mean([not grade.shown for grade in grades]) <= 0.05
