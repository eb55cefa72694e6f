"""Variants of a multiclass model: every class, the mean of all, and the one that loses most."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

import audit
from audit.checks._pair_classes import add_classes
from audit.checks._pairs import Against
from audit.checks._support import Sheet
from audit.checks.efficiency.variant_classes import MEASURES
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Interval
from tests.checks.efficiency.forms import GROUPS, X, at, of_group, pair, run, table


@pytest.mark.parametrize("about", GROUPS)
def test_every_class_of_a_group_changes_as_counted_by_hand(about: dict[str, str]) -> None:
    made, data = run("k"), of_group(about)
    label, (model, form) = data["k"].to_numpy(), [m.predict(data[X].to_numpy()) for m in pair("k")]
    recalls = []
    for name in ("ant", "bee", "cat"):
        is_it = label == name
        recalls.append((form[is_it] == name).mean() - (model[is_it] == name).mean())
        assert at(made, "variant_class_recall_change", about, **{"class": name}).value == pytest.approx(recalls[-1])
        precision = is_it[form == name].mean() - is_it[model == name].mean()
        assert at(made, "variant_class_precision_change", about, **{"class": name}).value == pytest.approx(precision)
    mean = balanced_accuracy_score(label, form) - balanced_accuracy_score(label, model)
    assert at(made, "variant_balanced_accuracy_change", about).value == pytest.approx(mean)
    worst = at(made, "variant_worst_class_recall_change", about)
    assert worst.value == pytest.approx(min(recalls))
    assert worst.interval.lower <= at(made, "variant_class_recall_change", about, **{
        "class": ("ant", "bee", "cat")[int(np.argmin(recalls))]}).interval.lower  # fmt: skip
    assert at(made, "variant_accuracy_change", about).value == pytest.approx(
        (form == label).mean() - (model == label).mean()
    )


def test_a_class_that_a_group_does_not_have_is_an_omission_and_the_worst_is_found_among_the_others() -> None:
    data = table()
    data = data[(data["group"] == "a") | (data["k"] != "bee")]
    full, less = pair("k")
    made = audit.run(full, data, variants={"less": less}, target="k", features=X, groups=["group"], use=()).result
    missing = [o for _, o in made.omissions() if o.slice == {"group": "b"}]
    assert {o.name for o in missing} >= {"variant_class_recall_change", "variant_balanced_accuracy_change"}
    assert at(made, "variant_worst_class_recall_change", {"group": "b"}).n == (data["group"] == "b").sum()


def test_rows_that_come_four_times_in_a_cluster_make_no_mean_recall_surer() -> None:
    rng = np.random.default_rng(2)
    label, old = rng.integers(0, 3, (2, 200)).astype(np.int32)
    new = np.where(rng.random(200) < 0.2, label, old).astype(np.int32)

    def interval(times: int, cluster: bool) -> Interval:
        sheet = Sheet(measures=MEASURES, level=0.95)
        rows = np.tile(np.arange(200), times)
        both = [predictions(label[rows], decided[rows]) for decided in (new, old)]
        sampling = Sampling(weight=None, cluster=rows.astype(np.int32) if cluster else None)
        against = Against(before="variant_", about={"variant": "less"})
        add_classes(sheet, against, both[0], both[1], Groups(n=len(rows), sets=()), sampling)
        return next(m.interval for m in sheet.measurements if m.name == "variant_balanced_accuracy_change")

    once, clustered, ignored = interval(1, cluster=False), interval(4, cluster=True), interval(4, cluster=False)
    assert clustered.half_width == pytest.approx(once.half_width, rel=0.1)
    assert ignored.half_width < 0.6 * once.half_width


def predictions(label: Any, decision: Any) -> Predictions:
    return Predictions(task="multiclass", classes=("ant", "bee", "cat"), label=label, decision=decision,
                       probability=None, score=None, score_is_probability=False, positive=-1, favourable=-1,
                       not_finite=0)  # fmt: skip
