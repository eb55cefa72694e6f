"""Recall, precision, F1 and ROC AUC of single classes: equal to scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from audit.engine import run_audit
from audit.results import Measurement, Reason
from audit.stats import interval, rate
from tests.worlds.random_tables import CLASSES, multiclass_case, multiclass_cells, slices
from tests.worlds.tables import loaded, make_case, measurement, omission, registry, run_check


def test_each_class_of_each_group_has_scikit_learns_recall_precision_and_f1() -> None:
    cells = multiclass_cells(1)
    outcome = run_check(multiclass_case(cells), "performance.per_class")
    there = np.array([v is not None for v in cells["y"]])
    best = np.array(CLASSES)[np.column_stack([cells[f"p_{c}"] for c in CLASSES]).argmax(axis=1)]
    for group, mask in slices(cells):
        y, d = cells["y"][there & mask].astype(str), best[there & mask]
        precision, recall, f1, support = precision_recall_fscore_support(y, d, labels=CLASSES)
        for k, name in enumerate(CLASSES):
            found = measurement(outcome, "class_recall", by=group, **{"class": name})
            assert found.value == pytest.approx(recall[k], abs=1e-12)
            assert found.n == support[k]
            assert found.interval == interval(rate(round(found.value * found.n), found.n), 0.95)
            other = measurement(outcome, "class_precision", by=group, **{"class": name})
            assert (other.value, other.n) == (pytest.approx(precision[k], abs=1e-12), (d == name).sum())
            harmonic = measurement(outcome, "class_f1", by=group, **{"class": name})
            assert harmonic.value == pytest.approx(f1[k], abs=1e-12)


def test_a_class_that_is_absent_and_never_decided_has_none_of_the_three_in_that_group() -> None:
    cells = {"y": list("abcabb"), "d": list("abcbab"), "g": list("xxxyyy")}
    outcome = run_check(make_case(cells, target="y", prediction="d", groups=["g"]), "performance.per_class")
    for name in ("class_recall", "class_precision", "class_f1"):
        missing = omission(outcome, name, by={"g": "y"}, **{"class": "c"})
        assert (missing.reason, missing.n) == (Reason.UNDEFINED, 0)
        assert missing.detail.startswith("g = y, class = c (3 rows): no row is ")


def test_areas_one_against_the_rest_equal_scikit_learns() -> None:
    cells = multiclass_cells(2)
    outcome = run_check(multiclass_case(cells), "performance.class_discrimination")
    there = np.array([v is not None for v in cells["y"]])
    p = np.column_stack([cells[f"p_{c}"] for c in CLASSES])
    for group, mask in slices(cells):
        y, q = cells["y"][there & mask].astype(str), p[there & mask]
        for k, name in enumerate(CLASSES):
            found = measurement(outcome, "class_roc_auc", by=group, **{"class": name})
            assert found.value == pytest.approx(roc_auc_score(y == name, q[:, k]), abs=1e-12)


def test_without_probabilities_the_areas_are_a_missing_input() -> None:
    case = make_case({"y": list("abcabc"), "d": list("abccba")}, target="y", prediction="d")
    (missing,) = run_check(case, "performance.class_discrimination").omissions
    assert missing.reason is Reason.MISSING_INPUT


def test_a_group_without_a_class_has_the_areas_of_the_others() -> None:
    cells = multiclass_cells(3, n=200)
    cells["y"][(cells["sex"] == "f") & (cells["y"] == "cat")] = "ant"
    outcome = run_check(multiclass_case(cells), "performance.class_discrimination")
    missing = omission(outcome, "class_roc_auc", by={"sex": "f"}, **{"class": "cat"})
    assert missing.reason is Reason.UNDEFINED
    assert "no row is labelled cat" in missing.detail
    assert measurement(outcome, "class_roc_auc", by={"sex": "f"}, **{"class": "bee"}).n == missing.n


@pytest.mark.parametrize("check", ["performance.per_class", "performance.class_discrimination"])
def test_a_binary_task_has_no_such_classes(check: str) -> None:
    case = make_case({"y": [0, 1, 1], "s": [0.1, 0.8, 0.4]}, target="y", positive=1, score="s")
    assert [o.reason for o in run_check(case, check).omissions] == [Reason.NOT_APPLICABLE]


def test_a_limit_on_one_class_is_judged_on_that_class_alone_and_runs_the_check_once() -> None:
    limit = {"measure": "class_recall", "params": {"class": "bee"}, "min": 0.1}
    case = multiclass_case(multiclass_cells(4), limits=[limit])
    run = run_audit(case, loaded(case), registry())
    (finding,) = [f for f in run.findings if f.limit.measure == "class_recall"]
    assert isinstance(finding.subject, Measurement)
    found = run_check(case, "performance.per_class")
    assert finding.subject.value == measurement(found, "class_recall", by={}, **{"class": "bee"}).value
    assert (finding.comparisons, [r.check for r in run.records].count("performance.per_class")) == (1, 1)
