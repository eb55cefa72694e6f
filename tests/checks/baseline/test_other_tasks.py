"""Scores, classes and quantities against a baseline."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, roc_auc_score

from tests.checks.baseline.worlds import GROUPS, X, found, models, of_group, omitted, run, table


@pytest.mark.parametrize("about", GROUPS)
def test_area_and_brier_score_change_as_another_library_says(about: dict[str, str]) -> None:
    made, data = run(), of_group(about)
    new, old = (m.predict_proba(data[X])[:, 1] for m in models("y"))
    for name, measure in (("roc_auc", roc_auc_score), ("brier_score", brier_score_loss)):
        m = found(made, f"{name}_change_from_baseline", about)
        assert m.value == pytest.approx(measure(data["y"], new) - measure(data["y"], old), abs=1e-12)
        assert m.interval.lower < m.value < m.interval.upper


def test_scores_of_another_scale_are_ranked_and_have_no_brier_score() -> None:
    data = table()
    data["old"] = 300 + 100 * models("y")[1].predict_proba(data[X])[:, 1]
    stored = run(data=data, baseline={"score": "old"})
    assert found(stored, "roc_auc_change_from_baseline").value == pytest.approx(
        found(run(), "roc_auc_change_from_baseline").value
    )
    assert all("brier" not in m.name for _, m in stored.measurements())


@pytest.mark.parametrize("about", GROUPS)
def test_classes_change_as_counted_by_hand(about: dict[str, str]) -> None:
    made, data = run("k"), of_group(about)
    label, (new, old) = data["k"].to_numpy(), [m.predict(data[X]) for m in models("k")]
    recalls = [(new[label == c] == c).mean() - (old[label == c] == c).mean() for c in ("ant", "bee", "cat")]
    for name, expected in zip(("ant", "bee", "cat"), recalls, strict=True):
        m = found(made, "class_recall_change_from_baseline", about, **{"class": name})
        assert m.value == pytest.approx(expected)
    assert found(made, "worst_class_recall_change_from_baseline", about).value == pytest.approx(min(recalls))
    balanced = balanced_accuracy_score(label, new) - balanced_accuracy_score(label, old)
    assert found(made, "balanced_accuracy_change_from_baseline", about).value == pytest.approx(balanced)


@pytest.mark.parametrize("about", GROUPS)
def test_errors_change_as_counted_by_hand(about: dict[str, str]) -> None:
    made, data = run("v"), of_group(about)
    new, old = (m.predict(data[X]) for m in models("v"))
    wrong, was = np.abs(new - data["v"]), np.abs(old - data["v"])
    by_hand = {
        "error_change": (wrong - was).mean(),
        "root_mean_squared_error_change": np.sqrt((wrong**2).mean()) - np.sqrt((was**2).mean()),
        "mean_prediction_change": (new - old).mean(),
        "shift": np.abs(new - old).mean(),
    }
    for name, expected in by_hand.items():
        m = found(made, f"{name}_from_baseline", about)
        assert m.value == pytest.approx(expected), name
        assert m.interval.lower < m.value < m.interval.upper


def test_the_errors_of_the_group_that_the_new_model_forgot_are_shown_to_grow() -> None:
    made = run("v")
    assert found(made, "error_change_from_baseline", {"group": "b"}).interval.lower > 0
    assert found(made, "error_change_from_baseline", {"group": "a"}).interval.upper < 0


def test_a_baseline_of_decisions_has_no_area_to_compare() -> None:
    data = table()
    data["old"] = models("y")[1].predict(data[X])
    made = run(data=data, baseline={"prediction": "old"})
    assert found(made, "accuracy_change_from_baseline").value == pytest.approx(
        found(run(), "accuracy_change_from_baseline").value
    )
    (why,) = [o for o in omitted(made, "") if "scores" in o.detail]
    assert why.remedy == "give scores of both"
