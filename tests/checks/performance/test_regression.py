"""Errors of a regression: equal to scikit-learn's, for every group, and mirrored when the sign turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from audit.case import Case
from audit.results import Reason
from tests.worlds.random_tables import Cells, groups_of, shuffled, slices
from tests.worlds.tables import are_alike, make_case, measurement, omission, run_check

ID = "performance.regression"


def cells_of(seed: int, n: int = 300) -> Cells:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 3 + 2 * x + rng.exponential(size=n)
    y[rng.random(n) < 0.05] = np.nan
    return {**groups_of(rng, n), "x": x, "y": y}


def case_of(cells: Cells, slope: float = 2.0) -> Case:
    model = LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([4.0, 4.0 + slope]))
    return make_case(cells, target="y", features=["x"], groups=("race", "sex"), model=model)


def test_errors_equal_scikit_learns_for_every_group() -> None:
    cells = cells_of(1)
    outcome = run_check(case_of(cells), ID)
    there = np.isfinite(cells["y"])
    for group, mask in slices(cells):
        y, p = cells["y"][there & mask], 4 + 2 * cells["x"][there & mask]
        expected = {
            "mean_absolute_error": mean_absolute_error(y, p),
            "root_mean_squared_error": root_mean_squared_error(y, p),
            "r2": r2_score(y, p),
            "mean_residual": (y - p).mean(),
        }
        for name, value in expected.items():
            found = measurement(outcome, name, by=group)
            assert found.value == pytest.approx(value, abs=1e-12)
            assert found.n == len(y)
            assert found.interval.lower < found.value < found.interval.upper


def test_predictions_that_are_too_low_have_a_positive_mean_residual() -> None:
    cells = {"x": [0.0, 1.0, 2.0, 3.0], "y": [10.0, 11.0, 14.0, 15.0]}
    outcome = run_check(make_case(cells, target="y", features=["x"], model=case_of(cells_of(1)).model), ID)
    assert measurement(outcome, "mean_residual").value == pytest.approx(5.5, abs=1e-12)


def test_a_group_whose_target_is_constant_has_no_r_squared_but_has_the_errors() -> None:
    cells = {"x": np.arange(8.0), "y": [5.0, 7.5, 8.0, 1.5, 4.0, 4.0, 4.0, 4.0], "g": list("aaaabbbb")}
    case = make_case(cells, target="y", features=["x"], groups=["g"], model=case_of(cells_of(1)).model)
    outcome = run_check(case, ID)
    missing = omission(outcome, "r2", by={"g": "b"})
    assert (missing.reason, missing.n) == (Reason.UNDEFINED, 4)
    assert measurement(outcome, "mean_absolute_error", by={"g": "b"}).n == 4


def test_a_group_of_one_row_has_five_omissions() -> None:
    cells = {"x": np.arange(5.0), "y": [5.0, 7.5, 8.0, 1.5, 3.2], "g": list("aaaab")}
    case = make_case(cells, target="y", features=["x"], groups=["g"], model=case_of(cells_of(1)).model)
    missing = [o for o in run_check(case, ID).omissions if o.slice == {"g": "b"}]
    assert [o.reason for o in missing] == [Reason.INSUFFICIENT_DATA] * 5


def test_targets_too_large_to_be_squared_are_an_omission_and_not_infinity() -> None:
    cells = {"x": np.arange(4.0), "y": [1e200, 2e200, 1.5e200, 0.5]}
    case = make_case(cells, target="y", features=["x"], model=case_of(cells_of(1)).model)
    (missing,) = run_check(case, ID).omissions
    assert (missing.reason, "2e+200" in missing.detail) == (Reason.UNDEFINED, True)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    cells = cells_of(seed, n=60)
    assert are_alike(run_check(case_of(cells), ID), run_check(case_of(shuffled(cells, seed)), ID))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_mirrored_target_and_prediction_turn_the_residual_and_keep_the_errors(seed: int) -> None:
    cells = cells_of(seed, n=60)
    mirrored = {**cells, "x": -cells["x"], "y": 8 - cells["y"]}
    one, other = run_check(case_of(cells), ID), run_check(case_of(mirrored), ID)
    for name, sign in (("mean_absolute_error", 1), ("r2", 1), ("mean_residual", -1)):
        assert measurement(other, name).value == pytest.approx(sign * measurement(one, name).value, abs=1e-9)
