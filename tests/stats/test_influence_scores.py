"""Average precision and calibration slope of weighted and clustered rows: their values, and what intervals cover."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from audit.errors import Unavailable
from audit.stats import (
    calibration_slope,
    interval,
    value,
    weighted_average_precision,
    weighted_calibration_slope,
)


def drawn(rng: np.random.Generator, clusters: int, size: int = 6) -> tuple[Any, ...]:
    """Scores that are a little too sure, labels, lognormal weights; rows of a cluster have a part of both in common."""
    code = np.repeat(np.arange(clusters), size).astype(np.int32)
    eta = rng.normal(size=clusters)[code] + rng.normal(size=code.size)
    label = rng.random(code.size) < 1 / (1 + np.exp(-eta - 0.5 * rng.normal(size=clusters)[code]))
    return 1 / (1 + np.exp(-1.3 * eta)), label, rng.lognormal(0, 0.5, code.size), code


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 20))
def test_average_precision_is_scikit_learns_in_weight_with_ties_and_rows_without_weight(seed: int, levels: int) -> None:
    score, label, weight, code = drawn(np.random.default_rng(seed), 20)
    score, weight = np.round(score * levels) / levels, np.where(code % 5 == 0, 0.0, weight)
    expected = average_precision_score(label, score, sample_weight=weight)
    assert value(weighted_average_precision(score, label, weight, None)) == pytest.approx(expected, abs=1e-12)


def test_the_slope_is_scikit_learns_in_weight_and_the_plain_one_for_equal_weights() -> None:
    score, label, weight, _ = drawn(np.random.default_rng(1), 60)
    x = np.log(score / (1 - score))[:, None]
    fit = LogisticRegression(C=1e12, tol=1e-10, max_iter=500).fit(x, label, sample_weight=weight)
    found = value(weighted_calibration_slope(score, label, weight, None))
    assert found == pytest.approx(float(fit.coef_[0, 0]), rel=1e-4)
    same, plain = (
        weighted_calibration_slope(score, label, np.full(label.size, 3.0), None),
        calibration_slope(score, label),
    )
    assert value(same) == pytest.approx(value(plain))
    assert interval(same, 0.95).half_width == pytest.approx(interval(plain, 0.95).half_width, rel=0.02)


@pytest.mark.parametrize("build", [weighted_average_precision, weighted_calibration_slope])
@pytest.mark.parametrize("how", ["weights", "clusters"])
def test_intervals_cover_the_value_of_everybody_nineteen_times_in_twenty(build: Any, how: str) -> None:
    rng = np.random.default_rng(2)
    score, label, _, _ = drawn(rng, 60_000)
    true = value(build(score, label, np.ones(label.size), None))
    covered = []
    for _ in range(250):
        score, label, weight, code = drawn(rng, 60)
        kept = np.arange(0, label.size, 1 if how == "clusters" else 6)  # one row of a cluster stands alone
        rows = (np.ones(label.size), code) if how == "clusters" else (weight[kept], None)
        bounds = interval(build(score[kept], label[kept], *rows), 0.95)
        covered.append(bounds.lower <= true <= bounds.upper)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_rows_without_a_positive_or_without_spread_have_no_value() -> None:
    none, one = np.zeros(20), np.ones(20)
    with pytest.raises(Unavailable, match="no row is positive"):
        weighted_average_precision(np.linspace(0, 1, 20), none, one, None)
    with pytest.raises(Unavailable, match="scores that differ"):
        weighted_calibration_slope(np.full(20, 0.5), np.arange(20) % 2, one, None)
