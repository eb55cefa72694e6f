"""Accuracy, balanced accuracy and F1: equal to scikit-learn's where defined, an omission where a class is absent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score

from audit.results import Outcome, Reason, Table
from tests.worlds.random_tables import (
    CLASSES,
    Cells,
    binary_case,
    binary_cells,
    multiclass_case,
    multiclass_cells,
    shuffled,
    slices,
)
from tests.worlds.tables import are_alike, evidence, make_case, measurement, omission, run_check

ID = "performance.classification"


def binary(cells: Cells) -> Outcome:
    return run_check(binary_case(cells), ID)


def decided(cells: Cells) -> tuple[Any, Any, Any]:
    labelled = np.array([v is not None for v in cells["y"]])
    if "s" in cells:
        there = labelled & np.isfinite(cells["s"])
        return there, cells["y"][there].astype(int), (cells["s"][there] >= 0.5).astype(int)
    best = np.array(CLASSES)[np.column_stack([cells[f"p_{c}"] for c in CLASSES]).argmax(axis=1)]
    return labelled, cells["y"][labelled].astype(str), best[labelled]


@pytest.mark.parametrize("seed", range(2))
def test_binary_measures_equal_scikit_learns_for_every_group(seed: int) -> None:
    cells = binary_cells(seed)
    outcome = binary(cells)
    there, y, d = decided(cells)
    for group, mask in slices(cells):
        at = mask[there]
        expected = {
            "accuracy": accuracy_score(y[at], d[at]),
            "balanced_accuracy": balanced_accuracy_score(y[at], d[at]),
            "f1": f1_score(y[at], d[at]),
        }
        for name, value in expected.items():
            found = measurement(outcome, name, by=group)
            assert found.value == pytest.approx(value, abs=1e-12)
            assert found.n == at.sum()
            assert found.interval.lower <= found.value <= found.interval.upper


def test_multiclass_measures_equal_scikit_learns_for_every_group() -> None:
    cells = multiclass_cells(1)
    outcome = run_check(multiclass_case(cells), ID)
    there, y, d = decided(cells)
    for group, mask in slices(cells):
        at = mask[there]
        assert measurement(outcome, "accuracy", by=group).value == pytest.approx((y[at] == d[at]).mean(), abs=1e-12)
        balanced = balanced_accuracy_score(y[at], d[at])
        assert measurement(outcome, "balanced_accuracy", by=group).value == pytest.approx(balanced, abs=1e-12)
    assert omission(outcome, "f1").reason is Reason.NOT_APPLICABLE


def test_the_confusion_table_is_scikit_learns() -> None:
    cells = multiclass_cells(2)
    table = evidence(run_check(multiclass_case(cells), ID), "confusion")
    _, y, d = decided(cells)
    assert isinstance(table, Table)
    assert [list(row[1:]) for row in table.rows] == confusion_matrix(y, d, labels=CLASSES).tolist()
    assert table.columns == ("label", "decided ant", "decided bee", "decided cat")


def test_a_group_without_a_class_has_accuracy_and_no_balanced_accuracy() -> None:
    cells = {"y": [1, 0, 1, 0, 0, 0], "d": [1, 0, 0, 0, 0, 1], "g": list("aaabbb")}
    outcome = run_check(make_case(cells, target="y", positive=1, prediction="d", groups=["g"]), ID)
    missing = omission(outcome, "balanced_accuracy", by={"g": "b"})
    assert (missing.reason, missing.n) == (Reason.UNDEFINED, 3)
    assert missing.detail == "g = b (3 rows): no row is labelled 1"
    assert measurement(outcome, "accuracy", by={"g": "b"}).value == pytest.approx(2 / 3, abs=1e-12)
    assert measurement(outcome, "f1", by={"g": "b"}).value == 0.0


def test_a_model_that_is_always_right_has_an_interval_that_does_not_end_at_its_value() -> None:
    y = [0, 1] * 20
    outcome = run_check(make_case({"y": y, "d": y}, target="y", positive=1, prediction="d"), ID)
    for name in ("accuracy", "balanced_accuracy", "f1"):
        found = measurement(outcome, name)
        assert found.value == 1.0
        assert found.interval.lower < 0.95
        assert found.interval.upper == 1.0


@pytest.mark.parametrize("column", ["", "w"])
def test_the_mean_recall_of_classes_is_the_balanced_accuracy_with_its_interval(column: str) -> None:
    for cells, case_of in ((multiclass_cells(2), multiclass_case), (binary_cells(2), binary_case)):
        case = case_of({**cells, "w": np.random.default_rng(1).lognormal(size=len(cells["y"]))})
        test = case.datasets["test"]
        case = replace(case, datasets={"test": replace(test, roles=replace(test.roles, weight=column))})
        balanced = measurement(run_check(case, ID), "balanced_accuracy")
        mean = measurement(run_check(case, "performance.averages"), "macro_recall")
        ends = balanced.value, balanced.interval.lower, balanced.interval.upper
        assert (mean.value, mean.interval.lower, mean.interval.upper) == pytest.approx(ends, abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    cells = multiclass_cells(seed, n=60)
    before, after = (run_check(multiclass_case(c), ID) for c in (cells, shuffled(cells, seed)))
    assert are_alike(before, after)
