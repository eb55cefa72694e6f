"""Decisions against a baseline: counted by hand, judged by group, and honest where nothing differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from audit.policy import Verdict
from audit.results import Table
from audit.stats import interval, paired_difference
from tests.checks.baseline.worlds import GROUPS, X, found, models, of_group, run, table


@pytest.mark.parametrize("about", GROUPS)
def test_every_rate_of_a_group_changes_as_counted_by_hand(about: dict[str, str]) -> None:
    made, data = run(), of_group(about)
    y, (new, old) = data["y"].to_numpy(), [m.predict(data[X]) for m in models("y")]
    by_hand = {
        "accuracy": (new == y).mean() - (old == y).mean(),
        "selection_rate": new.mean() - old.mean(),
        "true_positive_rate": new[y == 1].mean() - old[y == 1].mean(),
        "false_positive_rate": new[y == 0].mean() - old[y == 0].mean(),
        "positive_predictive_value": y[new == 1].mean() - y[old == 1].mean(),
        "negative_predictive_value": y[old == 0].mean() - y[new == 0].mean(),
    }
    for name, expected in by_hand.items():
        m = found(made, f"{name}_change_from_baseline", about)
        assert m.value == pytest.approx(expected, abs=1e-12), name
        assert m.interval.lower < expected < m.interval.upper
    assert found(made, "churn_from_baseline", about).value == pytest.approx((new != old).mean())


def test_the_interval_is_tangos_on_the_rows_that_differ() -> None:
    data = table()
    y, (new, old) = data["y"].to_numpy(), [m.predict(data[X]) for m in models("y")]
    gained, lost = ((new == y) & (old != y)).sum(), ((new != y) & (old == y)).sum()
    expected = interval(paired_difference(len(y) - gained - lost, gained, lost, 0), 0.95)
    assert found(run(), "accuracy_change_from_baseline").interval == expected


def limit(**more: Any) -> dict[str, Any]:
    return {"measure": "accuracy_change_from_baseline", "by": ["group"], "min": -0.02, "why": "nobody loses", **more}


def test_a_model_that_is_better_on_the_whole_fails_for_the_group_that_loses() -> None:
    made = run(limits=[limit(), limit(by=[], min=-0.1)])
    by_group, whole = (next(f for f in made.findings if f.limit.by == by) for by in (("group",), ()))
    assert (by_group.verdict, whole.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert dict(by_group.subject.slice) == {"group": "b"}
    assert made.exit_code == 1


def test_the_message_says_how_many_rows_turned_and_mcnemars_exact_p() -> None:
    made, data = run(limits=[limit()]), of_group({"group": "b"})
    y, (new, old) = data["y"].to_numpy(), [m.predict(data[X]) for m in models("y")]
    gained, lost = int(((new == y) & (old != y)).sum()), int(((new != y) & (old == y)).sum())
    assert f"gained by {gained} row" in made.findings[0].message
    assert f"lost by {lost}, exact McNemar p " in made.findings[0].message
    (rows,) = [e.rows for _, e in made.evidence() if isinstance(e, Table) and e.name == "baseline by group"]
    losing = next(row for row in rows if row[0] == "group = b")
    assert losing[7:9] == (gained, lost)
    assert binomtest(gained, gained + lost).pvalue < 1e-4
    assert losing[-1] == "<0.001"


def test_too_few_rows_are_inconclusive_and_say_how_many_would_do() -> None:
    made = run(data=table(60), limits=[limit(by=[], min=-0.02)])
    assert made.findings[0].verdict is Verdict.INCONCLUSIVE
    assert (made.findings[0].needed_n or 0) > 60


@pytest.mark.parametrize("target", ["y", "k"])
def test_the_model_as_its_own_baseline_passes_only_where_there_are_rows_enough(target: str) -> None:
    new, _ = models(target)
    given: dict[str, Any] = {"baseline": new, "limits": [limit(by=[])]}
    assert run(target, **given).findings[0].verdict is Verdict.PASS
    small = run(target, data=table(100), **given)
    assert small.findings[0].verdict is Verdict.INCONCLUSIVE  # 100 rows do not show that 1 in 50 could not differ
    assert found(small, "accuracy_change_from_baseline").interval.upper == pytest.approx(3.84 / 103.84, abs=1e-3)
    words = [row for _, e in small.evidence() if isinstance(e, Table) and e.name == "baseline" for row in e.rows]
    assert ("answers", "the same for every row: is it the same model?") in words


def test_no_measure_of_two_equal_models_claims_certainty() -> None:
    for target in ("y", "k", "v"):
        made = run(target, baseline=models(target)[0])
        changes = [
            m for _, m in made.measurements() if "_change_from_baseline" in m.name and m.interval.kind == "sample"
        ]
        assert len(changes) > 8
        assert all(m.value == 0 for m in changes)
        assert [m.name for m in changes if m.interval.upper <= 0 or m.interval.lower >= 0] == []


def test_a_baseline_of_its_own_threshold_decides_by_it() -> None:
    made = run(threshold=0.3)
    data = table()
    new, old = (m.predict_proba(data[X])[:, 1] >= 0.3 for m in models("y"))
    assert found(made, "selection_rate_change_from_baseline").value == pytest.approx(np.mean(new) - np.mean(old))


def test_without_labels_selection_and_churn_are_compared_and_accuracy_is_not() -> None:
    made = run(target="y", data=table().assign(y=None), positive=1)
    assert found(made, "selection_rate_change_from_baseline").n == len(table())
    assert all("accuracy" not in m.name for _, m in made.measurements())
