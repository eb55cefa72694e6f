"""Calibration: against its definitions, overall and by group, and a chart whose bins add up to the rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from audit.case import Case
from audit.results import Curve, Outcome, Reason
from audit.stats import interval, rate
from tests.worlds.random_tables import Cells, binary_case, binary_cells, shuffled, slices
from tests.worlds.tables import are_alike, evidence, make_case, measurement, omission, run_check

ID = "calibration.calibration"


def case_of(score: object, label: object, groups: object = None) -> Case:
    cells = {"s": score, "y": label} | ({} if groups is None else {"g": groups})
    return make_case(cells, target="y", positive=1, score="s", groups=[] if groups is None else ["g"])


def calibrated(n: int, seed: int, bend: float = 1.0) -> Outcome:
    """Labels drawn with probability expit(bend x logit(score)): a slope of ``bend``."""
    rng = np.random.default_rng(seed)
    s = rng.uniform(0.02, 0.98, n)
    y = (rng.random(n) < 1 / (1 + ((1 - s) / s) ** bend)).astype(int)
    return run_check(case_of(s, y), ID)


def usable(cells: Cells) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(np.isfinite(cells["s"]) & np.array([v is not None for v in cells["y"]]))


@pytest.mark.parametrize("seed", range(2))
def test_each_group_has_the_mean_of_outcome_minus_score(seed: int) -> None:
    cells = binary_cells(seed)
    outcome = run_check(binary_case(cells), ID)
    for group, mask in slices(cells):
        at = usable(cells) & mask
        found = measurement(outcome, "calibration_in_the_large", by=group)
        expected = (cells["y"][at].astype(float) - cells["s"][at]).mean()
        assert (found.value, found.n) == (pytest.approx(expected, abs=1e-12), at.sum())


def test_the_cumulative_error_is_the_range_of_the_summed_differences() -> None:
    cells = binary_cells(3)
    at = usable(cells)
    pairs = sorted(zip(cells["s"][at].tolist(), cells["y"][at].tolist(), strict=True))
    sums = {s: sum(y - t for t, y in pairs if t <= s) / len(pairs) for s, _ in pairs}
    expected = max(0.0, *sums.values()) - min(0.0, *sums.values())
    outcome = run_check(binary_case(cells), ID)
    assert measurement(outcome, "ecce").value == pytest.approx(expected, abs=1e-12)


def test_the_slope_is_that_of_an_unpenalised_logistic_regression_on_the_logit() -> None:
    rng = np.random.default_rng(4)
    s = rng.uniform(0.05, 0.95, 500)
    y = (rng.random(500) < s).astype(int)
    x = np.log(s / (1 - s))[:, None]
    slope = LogisticRegression(C=math.inf, tol=1e-12, max_iter=1000).fit(x, y).coef_[0, 0]
    assert measurement(run_check(case_of(s, y), ID), "calibration_slope").value == pytest.approx(slope, abs=1e-6)


def test_right_scores_are_not_contradicted_and_bent_ones_are() -> None:
    right, bent = calibrated(4000, 5), calibrated(4000, 5, bend=0.5)
    assert measurement(right, "ecce_p_value").value > 0.05
    assert measurement(bent, "ecce_p_value").value < 1e-6
    slope = measurement(right, "calibration_slope").interval
    assert slope.lower < 1 < slope.upper
    assert measurement(bent, "calibration_slope").interval.upper < 0.6
    errors = [measurement(o, "expected_calibration_error") for o in (right, bent)]
    assert errors[0].value < 0.02
    assert errors[1].interval.lower > 0.05


def test_small_groups_of_a_calibrated_model_do_not_look_worse_than_large_ones() -> None:
    found = [measurement(calibrated(100, seed), "expected_calibration_error").value for seed in range(40)]
    assert np.mean(found) < 0.03  # without debiasing it would be about 0.1


def test_the_bins_of_the_chart_hold_all_rows_and_their_wilson_intervals() -> None:
    cells = binary_cells(6)
    drawn = evidence(run_check(binary_case(cells), ID), "reliability")
    assert isinstance(drawn, Curve)
    (series,) = drawn.series
    at = usable(cells)
    assert (len(series.x), sum(series.n)) == (10, at.sum())
    assert np.dot(series.n, series.x) == pytest.approx(cells["s"][at].sum(), abs=1e-9)
    assert np.dot(series.n, series.y) == pytest.approx(cells["y"][at].sum(), abs=1e-9)
    for y, lower, upper, n in zip(series.y, series.lower, series.upper, series.n, strict=True):
        bounds = interval(rate(round(y * n), n), 0.95)
        assert (lower, upper) == pytest.approx((bounds.lower, bounds.upper))


def test_there_is_a_chart_for_each_sensitive_column_and_none_for_a_crossing() -> None:
    outcome = run_check(binary_case(binary_cells(7)), ID)
    assert [item.name for item in outcome.evidence] == ["reliability", "reliability by race", "reliability by sex"]


def test_a_group_with_few_rows_is_not_drawn_but_measured_or_omitted_with_its_n() -> None:
    score, label = [0.1, 0.9, 0.4, 0.6] * 10 + [0.2, 0.8, 0.5], [0, 1, 0, 1] * 10 + [0, 1, 1]
    outcome = run_check(case_of(score, label, ["a"] * 40 + ["b"] * 3), ID)
    by_group = evidence(outcome, "reliability by g")
    assert isinstance(by_group, Curve)
    assert [s.label for s in by_group.series] == ["a"]
    slope = omission(outcome, "calibration_slope", by={"g": "b"})
    assert (slope.reason, slope.n) == (Reason.INSUFFICIENT_DATA, 3)
    assert measurement(outcome, "calibration_in_the_large", by={"g": "b"}).n == 3


def test_constant_scores_have_no_slope_but_are_compared_with_the_outcome() -> None:
    outcome = run_check(case_of([0.5] * 40, [0, 0, 0, 1] * 10), ID)
    assert omission(outcome, "calibration_slope").reason is Reason.UNDEFINED
    assert measurement(outcome, "calibration_in_the_large").value == pytest.approx(-0.25, abs=1e-12)


def test_scores_outside_0_to_1_are_not_applicable() -> None:
    (missing,) = run_check(case_of([1.0, 7.0, 3.0], [0, 1, 0]), ID).omissions
    assert missing.reason is Reason.NOT_APPLICABLE


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    cells = binary_cells(seed, n=80)
    assert are_alike(run_check(binary_case(cells), ID), run_check(binary_case(shuffled(cells, seed)), ID))
