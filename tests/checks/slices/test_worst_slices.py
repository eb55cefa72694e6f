"""Worst slices: what was planted is named with its columns and counts, and nothing is named without a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from audit.case import Case
from audit.results import Outcome, Reason, Table
from tests.worlds.tables import make_case, run_check

RNG = np.random.default_rng(1)
N = 4000
AGE, JOB = RNG.integers(18, 80, N), RNG.choice(["clerk", "nurse", "pilot"], N)
OLD = int(np.quantile(AGE, 0.8, method="inverted_cdf"))
BAD = (AGE > OLD) & (JOB == "pilot")
TRUTH = RNG.random(N) < 0.5
WRONG = RNG.random(N) < np.where(BAD, 0.5, 0.08)
SCORE = np.where(TRUTH ^ WRONG, 0.9, 0.1)


def world(**changes: Any) -> Case:
    columns = {"age": AGE, "job": JOB, "y": TRUTH.astype(int), "s": SCORE, **changes}
    return make_case(columns, target="y", positive=1, score="s", features=["age", "job"])


def run(case: Case, **params: Any) -> Outcome:
    return run_check(case, "slices.worst_slices", **params)


def found(outcome: Outcome) -> list[dict[str, str | None]]:
    return [dict(m.slice) for m in outcome.measurements if m.name == "slice_error_rate"]


def count(outcome: Outcome) -> float:
    return next(m.value for m in outcome.measurements if m.name == "significant_slices")


def test_the_planted_slice_is_named_by_its_columns_with_the_rows_it_has() -> None:
    outcome = run(world())
    assert count(outcome) == len(found(outcome)) == 1
    one = next(m for m in outcome.measurements if m.name == "slice_error_rate")
    assert dict(one.slice) == {"age": f"above {OLD}", "job": "pilot"}
    assert set(one.columns) == {"age", "job"}
    assert (one.n, one.value) == (BAD.sum(), WRONG[BAD].mean())
    assert one.interval.lower > 0.1
    assert "picked" in one.method


def test_the_table_says_what_was_searched_and_holds_the_same_numbers() -> None:
    outcome = run(world(note=["free text " * 40 + str(i) for i in range(N)]))
    table = next(e for e in outcome.evidence if isinstance(e, Table))
    one = next(m for m in outcome.measurements if m.name == "slice_error_rate")
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert (row["rows"], row["error rate"]) == (one.n, one.value)
    assert (row["lower"], row["upper"]) == (one.interval.lower, one.interval.upper)
    assert "slices tested" in table.note
    assert isinstance(row["adjusted p"], float)
    assert row["adjusted p"] < 0.05


def test_without_a_slice_the_count_is_an_exact_zero_and_no_slice_is_named() -> None:
    outcome = run(world(s=np.where(TRUTH ^ (np.arange(N) % 10 == 0), 0.9, 0.1)))
    assert count(outcome) == 0
    assert found(outcome) == []
    assert next(m for m in outcome.measurements if m.name == "significant_slices").interval.kind == "exact"


def test_a_single_column_is_all_that_depth_1_names() -> None:
    assert all(len(rule) == 1 for rule in found(run(world(), depth=1)))
    assert dict(run(world(), depth=1).measurements[0].params) == {"depth": 1}


def test_errors_that_the_scores_own_up_to_are_no_slice_against_the_scores() -> None:
    honest = np.where(BAD, np.where(TRUTH ^ WRONG, 0.5001, 0.4999), np.where(TRUTH ^ WRONG, 0.92, 0.08))
    assert count(run(world(s=honest))) >= 1
    assert count(run(world(s=honest), against="scores")) == 0
    assert count(run(world(), against="scores")) >= 1


def test_missing_values_are_a_level_of_their_own() -> None:
    gone = np.where(BAD, None, JOB)
    assert any(rule.get("job", "") is None for rule in found(run(world(job=gone.tolist()))))


def test_what_cannot_be_searched_is_an_omission_with_what_to_do() -> None:
    decided = {"job": JOB, "y": TRUTH.astype(int), "d": (TRUTH ^ WRONG).astype(int), "same": np.ones(N)}
    roles: dict[str, Any] = {"target": "y", "positive": 1, "prediction": "d"}
    for outcome, reason in (
        (run(make_case(decided, **roles, features=["job"]), against="scores"), Reason.MISSING_INPUT),
        (run(make_case(decided, **roles, features=["same"])), Reason.NOT_APPLICABLE),
    ):
        assert [o.reason for o in outcome.omissions] == [reason]
        assert outcome.omissions[0].remedy


def drawn(case: Case, **roles: Any) -> Case:
    data = case.datasets["test"]
    return replace(case, datasets={"test": replace(data, roles=replace(data.roles, **roles))})


def test_rows_of_one_cluster_that_err_alike_are_no_slice_and_a_slice_in_every_cluster_is_one() -> None:
    site = np.arange(N) // 100
    worse = RNG.random(40)[site] < 0.2
    alike = np.where(TRUTH ^ (RNG.random(N) < np.where(worse, 0.4, 0.05)), 0.9, 0.1)
    region = site // 4
    assert count(run(world(s=alike, job=region.astype(str)))) >= 1
    assert count(run(drawn(world(s=alike, job=region.astype(str), site=site), cluster="site"))) == 0
    outcome = run(drawn(world(site=site), cluster="site"))
    assert found(outcome) == [{"age": f"above {OLD}", "job": "pilot"}]
    assert "clusters" in next(m for m in outcome.measurements if m.name == "slice_error_rate").method


def test_a_slice_of_weighted_rows_has_the_weighted_rate() -> None:
    weight = RNG.lognormal(size=N)
    outcome = run(drawn(world(w=weight), weight="w"))
    one = next(m for m in outcome.measurements if m.name == "slice_error_rate")
    assert dict(one.slice) == {"age": f"above {OLD}", "job": "pilot"}
    assert one.value == pytest.approx(weight[BAD] @ WRONG[BAD] / weight[BAD].sum(), abs=1e-12)
    assert one.interval.lower > 0.1
    assert "picked" in one.method


@pytest.mark.parametrize("params", [{"depth": 4}, {"against": "luck"}])
def test_unknown_parameters_are_an_omission_that_names_the_known_ones(params: dict[str, Any]) -> None:
    outcome = run(world(), **params)
    assert not outcome.measurements
    assert "use depth 1, 2 or 3" in outcome.omissions[0].remedy
