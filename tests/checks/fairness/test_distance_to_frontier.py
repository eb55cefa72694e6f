"""What a smaller gap would cost: measured on rows that chose nothing, said in words, and open to limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audit.case import Case
from audit.engine import run_audit
from audit.policy import Verdict
from audit.results import Reason, Table
from tests.worlds.tables import evidence, loaded, make_case, measurement, registry, run_check

CHECK = "fairness.distance_to_frontier"
N = 6000


def world(cut: float = 0.5, n: int = N, **given: Any) -> Case:
    """Two groups of different need, scores that are right, and decisions by one threshold."""
    rng = np.random.default_rng(1)
    group = rng.integers(0, 2, n)
    score = np.clip(rng.beta(2 + 2 * group, 3, n), 0.001, 0.999)
    cells = {
        "y": (rng.random(n) < score).astype(int),
        "s": score,
        "d": (score >= cut).astype(int),
        "sex": np.where(group == 1, "m", "f"),
    }
    return make_case(cells, target="y", positive=1, score="s", prediction="d", groups=["sex"], features=["s"], **given)


def test_a_model_that_decides_by_right_scores_lies_on_its_frontier_and_a_smaller_gap_costs() -> None:
    outcome = run_check(world(n=24_000), CHECK)
    below = measurement(outcome, "accuracy_below_frontier", column="sex", rate="selection_rate")
    assert below.interval.lower <= 0 < below.n < 24_000
    costs = [
        measurement(outcome, "accuracy_cost_of_gap", column="sex", rate="selection_rate", gap=gap)
        for gap in (0.0, 0.05, 0.1)
    ]
    assert costs[0].interval.lower > 0
    assert costs[0].value > costs[1].value > costs[2].value


def test_a_threshold_that_wastes_accuracy_is_seen_with_a_gap_that_could_go_for_nothing() -> None:
    outcome = run_check(world(cut=0.75), CHECK)
    assert measurement(outcome, "accuracy_below_frontier", column="sex", rate="selection_rate").interval.lower > 0.01
    assert measurement(outcome, "gap_removable_at_no_cost", column="sex", rate="selection_rate").interval.lower > 0.05


def test_the_table_says_it_as_a_person_would_and_warns_of_the_law() -> None:
    table = evidence(run_check(world(), CHECK), "cost_of_a_smaller_gap")
    assert isinstance(table, Table)
    assert "unlawful" in table.note
    lines = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert len(lines) == 9
    one = lines[0]
    assert one["lower"] <= one["accuracy given up"] <= one["upper"]  # type: ignore[operator]
    words = (
        f"gap {one['gap now']:.2f} -> {one['gap then']:.2f} costs {100 * float(one['accuracy given up']):.1f} points"  # type: ignore[arg-type]
    )
    assert str(one["in words"]).startswith(words)


@pytest.mark.parametrize(("most", "verdict"), [(0.5, Verdict.PASS), (0.001, Verdict.FAIL)])
def test_a_limit_on_what_is_given_away_is_judged(most: float, verdict: Verdict) -> None:
    limit = {
        "measure": "accuracy_below_frontier",
        "params": {"column": "sex", "rate": "selection_rate"},
        "max": most,
        "why": "accuracy that costs nobody anything",
    }
    case = world(cut=0.75, limits=[limit])
    run = run_audit(case, loaded(case), registry())
    assert next(f for f in run.findings if f.limit.measure == limit["measure"]).verdict is verdict


def test_too_few_rows_of_a_group_are_an_omission_that_says_so() -> None:
    outcome = run_check(world(n=40), CHECK)
    assert not outcome.measurements
    assert {o.reason for o in outcome.omissions} == {Reason.INSUFFICIENT_DATA}
