"""Shares within a tolerance, the direction of residuals, and named classes by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from audit.case import Case
from audit.results import Reason
from tests.worlds.random_tables import CLASSES, multiclass_case, multiclass_cells, slices
from tests.worlds.tables import make_case, measurement, run_check

RNG = np.random.default_rng(8)
X = RNG.normal(size=300)
Y = 2 * X + RNG.exponential(size=300)
G = np.array(["a", "b"], dtype=object)[RNG.integers(0, 2, 300)]
MODEL = LinearRegression().fit(X[:, None], Y)
RESIDUAL = Y - MODEL.predict(X[:, None])


def case() -> Case:
    return make_case({"x": X, "y": Y, "g": G}, target="y", groups=["g"], features=["x"], model=MODEL)


@pytest.mark.parametrize("tolerance", [0.5, 1.0])
def test_the_share_within_a_tolerance_is_counted_by_group(tolerance: float) -> None:
    outcome = run_check(case(), "performance.within_tolerance", tolerance=tolerance)
    for group in ("a", "b"):
        found = measurement(outcome, "within_tolerance", by={"g": group}, tolerance=tolerance)
        assert found.value == pytest.approx(np.mean(np.abs(RESIDUAL[group == G]) <= tolerance))


def test_without_a_tolerance_it_says_how_to_ask() -> None:
    outcome = run_check(case(), "performance.within_tolerance")
    assert outcome.omissions[0].reason is Reason.NOT_APPLICABLE
    assert "params" in outcome.omissions[0].remedy


def test_the_direction_of_residuals_is_a_share_of_rows_and_not_of_their_size() -> None:
    outcome = run_check(case(), "performance.regression")
    found = measurement(outcome, "predicted_too_low_share", by={"g": "a"})
    assert found.value == pytest.approx(np.mean(RESIDUAL[G == "a"] > 0))
    assert found.value < 0.5
    assert measurement(outcome, "mean_residual").value == pytest.approx(0, abs=1e-12)


def test_a_named_class_has_its_selection_and_false_positive_rate_by_group() -> None:
    cells = multiclass_cells(9)
    outcome = run_check(multiclass_case(cells), "performance.per_class")
    there = np.array([v is not None for v in cells["y"]])
    decided = np.array(CLASSES, dtype=object)[np.argmax([cells[f"p_{name}"] for name in CLASSES], axis=0)]
    about: dict[str, Any] = {"class": "bee"}
    for group, mask in slices(cells):
        mine = there & mask
        chosen, other = decided[mine] == "bee", cells["y"][mine] != "bee"
        found = measurement(outcome, "class_selection_rate", by=group, **about)
        assert (found.value, found.n) == (pytest.approx(chosen.mean()), int(mine.sum()))
        wrongly = measurement(outcome, "class_false_positive_rate", by=group, **about)
        assert (wrongly.value, wrongly.n) == (pytest.approx(chosen[other].mean()), int(other.sum()))
