"""Means over classes and labels: equal to scikit-learn's, and their intervals cover."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from audit.case import Case
from audit.checks.performance.averages import macro
from audit.inputs.each_class import EachClass, OneClass
from audit.inputs.sampling import Sampling
from audit.results import Reason
from audit.stats import interval
from tests.worlds.random_tables import (
    CLASSES,
    LABELS,
    binary_case,
    binary_cells,
    multiclass_case,
    multiclass_cells,
    multilabel_case,
    multilabel_cells,
    shuffled,
    slices,
)
from tests.worlds.tables import are_alike, make_case, measurement, omission, run_check

ID = "performance.averages"


def weighted(case: Case, **roles: Any) -> Case:
    test = case.datasets["test"]
    return replace(case, datasets={"test": replace(test, roles=replace(test.roles, **roles))})


@pytest.mark.parametrize("column", ["", "w"])
def test_of_classes_they_are_scikit_learns_for_every_group_with_and_without_weights(column: str) -> None:
    cells = multiclass_cells(1)
    cells["w"] = np.random.default_rng(1).lognormal(size=len(cells["y"]))
    outcome = run_check(weighted(multiclass_case(cells), weight=column), ID)
    there = np.array([v is not None for v in cells["y"]])
    p = np.column_stack([cells[f"p_{c}"] for c in CLASSES])
    best = np.array(CLASSES)[p.argmax(axis=1)]
    for group, mask in slices(cells):
        at = there & mask
        y, d, w = cells["y"][at].astype(str), best[at], cells["w"][at] if column else None
        one_hot = y[:, None] == np.array(CLASSES)
        given_ = {"average": "macro", "sample_weight": w}
        expected = {
            "macro_f1": metrics.f1_score(y, d, **given_),
            "macro_precision": metrics.precision_score(y, d, **given_),
            "macro_recall": metrics.recall_score(y, d, **given_),
            "macro_roc_auc": metrics.roc_auc_score(one_hot, p[at], **given_),
        }
        if not column:
            expected["macro_average_precision"] = metrics.average_precision_score(one_hot, p[at], average="macro")
        for name, value in expected.items():
            found = measurement(outcome, name, by=group)
            assert found.value == pytest.approx(value, abs=1e-12)
            assert found.interval.lower <= found.value <= found.interval.upper
            assert column or found.interval.half_width > 0.01


def test_of_labels_they_are_scikit_learns_over_the_rows_that_each_label_knows() -> None:
    cells = multilabel_cells(1)
    outcome = run_check(multilabel_case(cells), ID)
    for group, mask in slices(cells):
        parts: dict[str, list[float]] = {}
        for name in LABELS:
            s = cells[f"p_{name}"]
            at = mask & np.array([v is not None for v in cells[name]]) & np.isfinite(s)
            y, d = cells[name][at].astype(int), (s[at] >= 0.5).astype(int)
            for key, value in (
                ("macro_f1", metrics.f1_score(y, d)),
                ("macro_precision", metrics.precision_score(y, d)),
                ("macro_recall", metrics.recall_score(y, d)),
                ("macro_roc_auc", metrics.roc_auc_score(y, s[at])),
                ("macro_average_precision", metrics.average_precision_score(y, s[at])),
            ):
                parts.setdefault(key, []).append(value)
        for key, values in parts.items():
            assert measurement(outcome, key, by=group).value == pytest.approx(np.mean(values), abs=1e-12)


def test_two_classes_have_a_mean_f1_and_one_area() -> None:
    cells = binary_cells(1)
    outcome = run_check(binary_case(cells), ID)
    there = np.array([v is not None for v in cells["y"]]) & np.isfinite(cells["s"])
    y, d = cells["y"][there].astype(int), (cells["s"][there] >= 0.5).astype(int)
    expected = metrics.f1_score(y, d, average="macro")
    assert measurement(outcome, "macro_f1").value == pytest.approx(expected, abs=1e-12)
    assert omission(outcome, "macro_roc_auc").reason is Reason.NOT_APPLICABLE


def test_a_mean_of_one_has_an_interval_that_does_not_end_at_its_value() -> None:
    y = ["a", "b", "c"] * 15
    outcome = run_check(make_case({"y": y, "d": y}, target="y", prediction="d"), ID)
    for name in ("macro_f1", "macro_precision", "macro_recall"):
        found = measurement(outcome, name)
        assert (found.value, found.interval.upper) == (1.0, 1.0)
        assert found.interval.lower < 0.97
    assert omission(outcome, "macro_roc_auc").reason is Reason.MISSING_INPUT


def test_a_group_without_a_class_has_no_mean_and_names_the_class() -> None:
    cells = {"y": list("abcabb"), "d": list("abcbab"), "g": list("xxxyyy")}
    missing = omission(run_check(make_case(cells, target="y", prediction="d", groups=["g"]), ID), "macro_recall",
                       by={"g": "y"})  # fmt: skip
    assert (missing.reason, missing.n) == (Reason.UNDEFINED, 3)
    assert "no row is labelled c" in missing.detail


@pytest.mark.parametrize("name", ["macro_f1", "macro_recall"])
def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says(name: str) -> None:
    rng = np.random.default_rng(3)
    joint = np.array([[0.30, 0.05, 0.02], [0.06, 0.25, 0.04], [0.03, 0.05, 0.20]])
    labelled, decided, both = joint.sum(axis=1), joint.sum(axis=0), np.diag(joint)
    truth = np.mean({"macro_f1": 2 * both / (labelled + decided), "macro_recall": both / labelled}[name])
    covered = 0
    for _ in range(400):
        label, decision = (codes.astype(np.int32) for codes in np.divmod(rng.choice(9, 200, p=joint.ravel()), 3))
        every = tuple(
            OneClass(name=name, label=label, decision=decision, code=k, score=None) for k, name in enumerate(CLASSES)
        )
        found = EachClass(task="multiclass", every=every, rows=np.arange(200))
        bounds = interval(macro(name, found, np.arange(200), Sampling(weight=None, cluster=None)), 0.95)
        covered += bounds.lower <= truth <= bounds.upper
    assert 0.92 <= covered / 400 <= 0.98


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    cells = multilabel_cells(seed, n=60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before, after = (run_check(multilabel_case(c), ID) for c in (cells, shuffled(cells, seed)))
    assert are_alike(before, after)
