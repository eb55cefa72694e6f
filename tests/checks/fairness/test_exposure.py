"""Exposure by group: the definitions of Singh and Joachims, counted slowly, and what cannot be said."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from audit.results import Outcome, Reason
from tests.worlds.tables import make_case, measurement, omission, run_check

RNG = np.random.default_rng(8)
N = 300
CELLS: dict[str, Any] = {
    "s": RNG.random(N).round(1), "rel": RNG.integers(0, 4, N), "q": np.repeat(np.arange(20), 15),
    "g": np.array(["a", "b", "c"], dtype=object)[RNG.integers(0, 3, N)],
}  # fmt: skip


def seen(cells: dict[str, Any] | None = None, **roles: Any) -> Outcome:
    given = {"score": "s", "target": "rel", "groups": ["g"], "task": "ranking", "query": "q", **roles}
    return run_check(make_case(cells or CELLS, **given), "fairness.exposure")


def exposure(score: Any) -> Any:
    """Of each row: the mean over its ties of 1 / log2(1 + place)."""
    found = np.empty(len(score))
    for i, s in enumerate(score):
        above, same = int((score > s).sum()), int((score == s).sum())
        found[i] = np.mean([1 / np.log2(1 + above + j) for j in range(1, same + 1)])
    return found


def by_row() -> Any:
    found = np.empty(N)
    for q in range(20):
        found[CELLS["q"] == q] = exposure(CELLS["s"][CELLS["q"] == q])
    return found


def test_a_tie_is_worth_its_mean_over_all_orders() -> None:
    score = np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    orders = [o for o in permutations(range(5)) if o[0] == 0 and o[4] == 4]
    mean = np.mean([[1 / np.log2(2 + order.index(i)) for i in range(5)] for order in orders], axis=0)
    assert exposure(score) == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize("group", ["a", "b", "c"])
def test_exposure_and_its_shares_are_what_they_are_defined_to_be(group: str) -> None:
    outcome, e, mine, rel = seen(), by_row(), CELLS["g"] == group, CELLS["rel"]
    found = {name: measurement(outcome, name, by={"g": group}).value for name in
             ("exposure", "exposure_to_rows", "exposure_to_relevance")}  # fmt: skip
    assert found["exposure"] == pytest.approx(e[mine].mean(), abs=1e-12)
    assert found["exposure_to_rows"] == pytest.approx((e[mine].sum() / e.sum()) / mean_of(mine), abs=1e-12)
    earned = (e[mine].sum() / e.sum()) / (rel[mine].sum() / rel.sum())
    assert found["exposure_to_relevance"] == pytest.approx(earned, abs=1e-12)


def mean_of(mask: Any) -> float:
    return float(np.mean(mask))


def test_the_ratio_of_two_groups_is_the_disparate_treatment_ratio() -> None:
    outcome, e, rel = seen(), by_row(), CELLS["rel"]
    a, b = (measurement(outcome, "exposure_to_relevance", by={"g": g}).value for g in ("a", "b"))
    expected = [e[CELLS["g"] == g].mean() / rel[CELLS["g"] == g].mean() for g in ("a", "b")]
    assert a / b == pytest.approx(expected[0] / expected[1], abs=1e-12)


def test_a_single_list_gives_the_same_shares_over_its_rows() -> None:
    outcome, e = seen(query=None), exposure(CELLS["s"])
    mine, rel = CELLS["g"] == "a", CELLS["rel"]
    rows = measurement(outcome, "exposure_to_rows", by={"g": "a"})
    assert rows.value == pytest.approx(e[mine].mean() / e.mean(), abs=1e-12)
    earned = measurement(outcome, "exposure_to_relevance", by={"g": "a"})
    assert earned.value == pytest.approx((e[mine].sum() / e.sum()) / (rel[mine].sum() / rel.sum()), abs=1e-12)


def test_a_group_without_relevance_has_earned_nothing_that_exposure_could_be_held_against() -> None:
    rel = np.where(CELLS["g"] == "a", 0, CELLS["rel"])
    found = omission(seen({**CELLS, "rel": rel}), "exposure_to_relevance", by={"g": "a"})
    assert found.reason is Reason.UNDEFINED


def test_rows_without_relevance_count_in_neither_share() -> None:
    rel = CELLS["rel"].astype(float)
    rel[::7] = np.nan
    known, e, mine = np.isfinite(rel), by_row(), CELLS["g"] == "b"
    found = measurement(seen({**CELLS, "rel": rel}), "exposure_to_relevance", by={"g": "b"})
    both = known & mine
    expected = (e[both].sum() / e[known].sum()) / (rel[both].sum() / rel[known].sum())
    assert found.value == pytest.approx(expected, abs=1e-12)


def test_without_a_target_only_relevance_is_missing() -> None:
    outcome = seen(target=None)
    assert omission(outcome, "exposure_to_relevance", by={"g": "a"}).reason is Reason.MISSING_INPUT
    assert measurement(outcome, "exposure_to_rows", by={"g": "a"}).n == (CELLS["g"] == "a").sum()


def test_groups_that_are_seen_alike_hold_1_in_19_of_20_worlds() -> None:
    rng, hits = np.random.default_rng(3), 0
    for _ in range(120):
        score = rng.random(N)
        outcome = seen({**CELLS, "s": score, "g": rng.permutation(CELLS["g"])})
        bounds = measurement(outcome, "exposure_to_rows", by={"g": "a"}).interval
        hits += bounds.lower <= 1 <= bounds.upper
    assert 0.89 <= hits / 120 <= 0.99
