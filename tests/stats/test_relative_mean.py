"""The mean of some rows over the mean of all: never below 0, and its interval covers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import interval, relative_mean, value
from tests.stats.coverage import coverage

LEVELS = np.array([1.0, 2.0, 0.5])


def log_ratio(values: np.ndarray, own: np.ndarray) -> float:
    return float(np.log(values[own].mean() / values.mean()))


def test_the_standard_error_is_the_jackknifes_of_the_log_ratio() -> None:
    rng = np.random.default_rng(0)
    values, own = rng.gamma(0.5, size=60), np.arange(60) < 25
    without = [log_ratio(np.delete(values, i), np.delete(own, i)) for i in range(60)]
    se = np.sqrt(24 / 25 * np.sum((np.array(without) - log_ratio(values, own)) ** 2))
    found, width = interval(relative_mean(values, own), 0.9), t.ppf(0.95, 24) * se
    assert np.log([found.lower, found.upper]) == pytest.approx(log_ratio(values, own) + width * np.array([-1, 1]))


@given(values=st.lists(st.floats(0, 1e6), min_size=4, max_size=40), giant=st.floats(1, 1e12))
def test_no_bound_lies_below_0_whatever_one_row_holds(values: list[float], giant: float) -> None:
    every = np.array([giant, *values])
    own = np.arange(len(every)) % 2 == 0
    basis = relative_mean(every, own)
    found = interval(basis, 0.95)
    assert 0 <= found.lower <= value(basis) <= found.upper
    assert value(basis) == pytest.approx(every[own].mean() / every.mean())


@pytest.mark.parametrize(
    ("sigma", "n", "least"), [(0.5, 120, 0.94), (1.0, 120, 0.93), (1.5, 120, 0.925), (1.5, 600, 0.925)]
)
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_the_interval_covers_for_skewed_values_of_classes_drawn_at_random(
    sigma: float, n: int, least: float, kind: int
) -> None:
    def drawn(rng: np.random.Generator) -> Basis:
        label = rng.integers(0, 3, n)
        return relative_mean(rng.lognormal(sigma=sigma, size=n) * LEVELS[label], label == kind)

    assert least <= coverage(drawn, LEVELS[kind] / LEVELS.mean(), 2000) <= 0.97


def test_one_row_and_rows_of_nothing_have_no_interval() -> None:
    values = np.array([0.0, 0.0, 1.0])
    for own, reason in (([0, 0, 1], "no spread"), ([1, 1, 0], "0 in every")):
        with pytest.raises(Unavailable, match=reason):
            relative_mean(values, np.array(own, bool))
