"""Weights and clusters by column role: they reach every rate and mean, and what has no interval says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from audit import wording
from audit.case import Case
from audit.results import Outcome, Reason
from tests.worlds.random_tables import binary_case, binary_cells, multiclass_case, multiclass_cells
from tests.worlds.tables import make_case, measurement, run_check

CHECKS = {
    "fairness.selection": ("selection_rate", "favourable_rate"),
    "fairness.group_rates": ("true_positive_rate", "false_discovery_rate", "error_rate"),
    "performance.classification": ("accuracy", "balanced_accuracy", "f1"),
    "performance.averages": ("macro_f1", "macro_precision"),
    "performance.discrimination": ("roc_auc",),
    "performance.probability_error": ("brier_score",),
    "calibration.calibration": ("calibration_in_the_large",),
}


def drawn(case: Case, **roles: str) -> Case:
    test = case.datasets["test"]
    return replace(case, datasets={**case.datasets, "test": replace(test, roles=replace(test.roles, **roles))})


def binary(seed: int = 1, **more: Any) -> tuple[dict[str, Any], Case]:
    cells = {**binary_cells(seed), **more}
    n = len(cells["y"])
    rng = np.random.default_rng(seed)
    cells |= {"w": rng.lognormal(size=n), "one": np.ones(n), "who": np.arange(n) // 4}
    return cells, binary_case(cells)


@pytest.mark.parametrize("check", CHECKS)
def test_weights_of_one_leave_every_value_as_it_is(check: str) -> None:
    _, case = binary()
    plain, weighted = run_check(case, check), run_check(drawn(case, weight="one"), check)
    for name in CHECKS[check]:
        before, after = measurement(plain, name, by={"sex": "f"}), measurement(weighted, name, by={"sex": "f"})
        assert after.value == pytest.approx(before.value, abs=1e-12)
        assert after.n == before.n
        width = before.interval.half_width
        assert after.interval.half_width == pytest.approx(width, rel=0.1)


@pytest.mark.parametrize("check", CHECKS)
def test_rows_of_one_person_make_intervals_wider_and_move_no_value(check: str) -> None:
    once, _ = binary()
    cells = {name: np.repeat(values, 4) for name, values in once.items()}
    cells["who"] = np.repeat(np.arange(len(once["y"])), 4)
    case = binary_case(cells)
    plain, clustered = run_check(case, check), run_check(drawn(case, cluster="who"), check)
    for name in CHECKS[check]:
        before, after = measurement(plain, name), measurement(clustered, name)
        assert after.value == pytest.approx(before.value, abs=1e-12)
        assert 1.4 < after.interval.half_width / before.interval.half_width < 2.8


def test_weighted_rates_are_scikit_learns() -> None:
    cells, case = binary()
    there = np.isfinite(cells["s"]) & np.array([v is not None for v in cells["y"]])
    y, d, w = cells["y"][there].astype(int), (cells["s"][there] >= 0.5).astype(int), cells["w"][there]
    found = run_check(drawn(case, weight="w"), "fairness.group_rates")
    tn, fp, fn, tp = metrics.confusion_matrix(y, d, sample_weight=w).ravel()
    assert measurement(found, "true_positive_rate").value == pytest.approx(tp / (tp + fn), abs=1e-12)
    assert measurement(found, "false_positive_rate").value == pytest.approx(fp / (fp + tn), abs=1e-12)
    assert measurement(found, "miss_share_of_errors").value == pytest.approx(fn / (fp + fn), abs=1e-12)


def _reasons(outcome: Outcome) -> dict[str, Reason]:
    return {o.name: o.reason for o in outcome.omissions if not o.slice}


def test_what_has_no_interval_for_such_rows_says_so() -> None:
    _, case = binary()
    found = run_check(drawn(case, weight="w"), "calibration.calibration")
    assert set(_reasons(found)) == {"expected_calibration_error", "ecce", "ecce_p_value"}
    assert set(_reasons(found).values()) == {Reason.UNSUPPORTED}
    assert all("no interval for rows drawn like these" in wording.omission(o) for o in found.omissions)
    assert not _reasons(run_check(drawn(case, cluster="who"), "performance.discrimination"))


def test_one_cluster_that_spans_everything_is_an_omission_and_no_certainty() -> None:
    cells, _ = binary()
    case = drawn(binary_case({**cells, "who": np.zeros(len(cells["y"]))}), cluster="who")
    outcome = run_check(case, "fairness.selection")
    assert not outcome.measurements
    assert {o.reason for o in outcome.omissions} == {Reason.INSUFFICIENT_DATA}


def test_regression_and_classes_are_weighted_too() -> None:
    rng = np.random.default_rng(2)
    y, w = rng.normal(size=300), rng.lognormal(size=300)
    p = y + rng.normal(size=300)
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(p[:, None], y)
    case = make_case({"p": p, "y": y, "w": w}, target="y", features=["p"], model=model)
    found = run_check(drawn(case, weight="w"), "performance.regression")
    predicted = model.predict(p[:, None])
    assert measurement(found, "r2").value == pytest.approx(metrics.r2_score(y, predicted, sample_weight=w), abs=1e-12)
    mae = metrics.mean_absolute_error(y, predicted, sample_weight=w)
    assert measurement(found, "mean_absolute_error").value == pytest.approx(mae, abs=1e-12)
    cells = multiclass_cells(3)
    cells["w"] = rng.lognormal(size=len(cells["y"]))
    there = np.array([v is not None for v in cells["y"]])
    decided = np.array(["ant", "bee", "cat"])[np.argmax([cells[f"p_{c}"] for c in ("ant", "bee", "cat")], axis=0)]
    per_class = run_check(drawn(multiclass_case(cells), weight="w"), "performance.per_class")
    args = (cells["y"][there].astype(str), decided[there])
    recall = metrics.recall_score(*args, average=None, sample_weight=cells["w"][there])
    assert measurement(per_class, "class_recall", **{"class": "bee"}).value == pytest.approx(recall[1], abs=1e-12)
