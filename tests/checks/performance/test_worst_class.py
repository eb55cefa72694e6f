"""The worst class of several: the smallest of their values, with bounds that hold for every class, and its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from audit.engine import run_audit
from audit.policy import Verdict
from audit.results import Reason, Table
from audit.stats import interval, rate
from tests.worlds.random_tables import (
    CLASSES,
    LABELS,
    multiclass_case,
    multiclass_cells,
    multilabel_case,
    multilabel_cells,
    shuffled,
    slices,
)
from tests.worlds.tables import are_alike, evidence, loaded, make_case, measurement, omission, registry, run_check

ID = "performance.worst_class"


def test_of_classes_it_is_the_smallest_of_scikit_learns_in_every_group() -> None:
    cells = multiclass_cells(1, n=900)
    outcome = run_check(multiclass_case(cells), ID)
    there = np.array([v is not None for v in cells["y"]])
    p = np.column_stack([cells[f"p_{c}"] for c in CLASSES])
    best = np.array(CLASSES)[p.argmax(axis=1)]
    table = evidence(outcome, "worst_class")
    assert isinstance(table, Table)
    named = {(row[0], row[1]): row[2] for row in table.rows}
    for group, mask in slices(cells):
        y, d = cells["y"][there & mask].astype(str), best[there & mask]
        precision, recall, f1, support = metrics.precision_recall_fscore_support(y, d, labels=CLASSES)
        areas = [metrics.roc_auc_score(y == c, p[there & mask, k]) for k, c in enumerate(CLASSES)]
        for name, values in (("recall", recall), ("precision", precision), ("f1", f1), ("roc_auc", areas)):
            found = measurement(outcome, f"worst_class_{name}", by=group)
            assert found.value == pytest.approx(min(values), abs=1e-12)
        found = measurement(outcome, "worst_class_recall", by=group)
        assert found.n == support[recall.argmin()]
        bounds = [interval(rate(round(r * n), n), 0.95).lower for r, n in zip(recall, support, strict=True)]
        assert found.interval.lower == pytest.approx(min(bounds), abs=1e-12)
        if not group:
            assert named["all rows", "lowest recall of a class"] == CLASSES[recall.argmin()]


def test_of_labels_it_is_the_smallest_over_the_rows_that_each_knows() -> None:
    cells = multilabel_cells(2)
    outcome = run_check(multilabel_case(cells), ID)
    recalls = []
    for name in LABELS:
        there = np.array([v is not None for v in cells[name]]) & np.isfinite(cells[f"p_{name}"])
        recalls.append(metrics.recall_score(cells[name][there].astype(int), cells[f"p_{name}"][there] >= 0.5))
    assert measurement(outcome, "worst_class_recall").value == pytest.approx(min(recalls), abs=1e-12)


def test_a_group_without_a_class_has_no_worst_and_says_which_class_is_not_known() -> None:
    cells = {"y": list("abcabb"), "d": list("abcbab"), "g": list("xxxyyy")}
    outcome = run_check(make_case(cells, target="y", prediction="d", groups=["g"]), ID)
    missing = omission(outcome, "worst_class_recall", by={"g": "y"})
    assert missing.reason is Reason.UNDEFINED
    assert missing.detail == "g = y (3 rows): no row is labelled c"
    assert omission(outcome, "worst_class_roc_auc").reason is Reason.MISSING_INPUT


def verdict(wrong: int, least: float, by: str = "") -> Verdict:
    """Three classes of 300 rows; of the last, so many are decided wrongly."""
    y = np.repeat(np.array(["a", "b", "c"], dtype=object), 300)
    d = y.copy()
    d[600 : 600 + wrong] = "a"
    cells: dict[str, Any] = {"y": y, "d": d, "g": np.tile(np.array(["f", "m"], dtype=object), 450)}
    limit: dict[str, Any] = {"measure": "worst_class_recall", "min": least, **({"by": [by]} if by else {})}
    case = make_case(cells, target="y", prediction="d", groups=["g"], limits=[limit])
    run = run_audit(case, loaded(case), registry())
    return next(finding.verdict for finding in run.findings if finding.limit.measure == "worst_class_recall")


@pytest.mark.parametrize("by", ["", "g"])
def test_a_limit_passes_when_every_class_is_above_it_and_fails_when_one_is_below(by: str) -> None:
    assert verdict(9, 0.9, by) is Verdict.PASS
    assert verdict(90, 0.9, by) is Verdict.FAIL
    assert verdict(30, 0.9, by) is Verdict.INCONCLUSIVE


def test_two_classes_have_rates_of_their_own() -> None:
    case = make_case({"y": [0, 1, 1], "s": [0.1, 0.8, 0.4]}, target="y", positive=1, score="s")
    assert [o.reason for o in run_check(case, ID).omissions] == [Reason.NOT_APPLICABLE]


def test_the_order_of_rows_changes_nothing() -> None:
    cells = multiclass_cells(5, n=90)
    assert are_alike(*(run_check(multiclass_case(c), ID) for c in (cells, shuffled(cells, 5))))
