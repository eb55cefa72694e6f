"""The top of a ranking by group: counted shares, ties in expectation, lists that are ranked apart."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.results import Outcome, Reason
from tests.worlds.tables import evidence, make_case, measurement, run_check

RNG = np.random.default_rng(6)
N = 240
CELLS: dict[str, Any] = {
    "s": RNG.random(N).round(2), "y": RNG.integers(0, 2, N), "q": np.repeat(np.arange(12), 20),
    "g": np.array(["a", "b"], dtype=object)[RNG.integers(0, 2, N)], "u": np.repeat(np.arange(6), 40),
}  # fmt: skip


def ranked(cells: dict[str, Any] | None = None, *, k: int = 10, **roles: Any) -> Outcome:
    given_roles = {"score": "s", "groups": ["g"], "task": "ranking", "query": "q", **roles}
    return run_check(
        make_case(cells or CELLS, **given_roles), "fairness.top_of_ranking", **({} if k == 10 else {"k": k})
    )


def chance(score: list[float], k: int) -> np.ndarray[Any, Any]:
    """Share of the orders that sort the score in which each row is among the first k: by trying them all."""
    orders = [o for o in permutations(range(len(score))) if all(score[a] >= score[b] for a, b in pairwise(o))]
    return np.array([np.mean([i in order[:k] for order in orders]) for i in range(len(score))])


@given(st.lists(st.integers(0, 2), min_size=2, max_size=6), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_a_tie_over_the_last_place_is_shared_out_as_random_orders_would(score: list[int], k: int) -> None:
    group = np.array(["a", *"b" * (len(score) - 1)], dtype=object)
    found = ranked({"s": np.array(score, float), "g": group}, k=k, query=None)
    expected = chance([float(s) for s in score], k)
    params = {} if k == 10 else {"k": k}
    assert measurement(found, "top_k_rate", by={"g": "a"}, **params).value == pytest.approx(expected[0], abs=1e-12)
    assert measurement(found, "top_k_rate", **params).value == pytest.approx(expected.mean(), abs=1e-12)


def test_the_first_k_are_counted_within_each_list() -> None:
    rank = np.empty(N)
    for q in range(12):
        here = CELLS["q"] == q
        rank[here] = chance_by_counting(CELLS["s"][here], 4)
    outcome = ranked(k=4)
    for group in ("a", "b"):
        found = measurement(outcome, "top_k_rate", by={"g": group}, k=4)
        assert found.value == pytest.approx(rank[CELLS["g"] == group].mean(), abs=1e-12)
        assert found.n == (CELLS["g"] == group).sum()


def chance_by_counting(score: Any, k: int) -> Any:
    above, same = ((score[None, :] > score[:, None]).sum(1), (score[None, :] == score[:, None]).sum(1))
    return np.clip((k - above) / same, 0, 1)


def test_over_all_rows_the_share_follows_from_the_lengths_and_is_exact() -> None:
    whole = measurement(ranked(k=4), "top_k_rate", k=4)
    assert (whole.value, whole.interval.kind) == (4 / 20, "exact")


def test_a_list_shorter_than_k_is_all_among_the_first() -> None:
    outcome = ranked(k=25)
    assert measurement(outcome, "top_k_rate", by={"g": "a"}, k=25).value == 1
    table: Any = evidence(outcome, "lists, first 25")
    assert dict(table.rows)["lists of 25 rows or fewer, where every row is among the first 25"] == 12


def test_of_a_single_list_the_rows_are_draws_and_the_interval_is_wilsons() -> None:
    found = measurement(ranked(query=None), "top_k_rate", by={"g": "a"})
    assert found.basis.method == "wilson"
    assert found.n == (CELLS["g"] == "a").sum()


def test_lists_of_one_user_are_drawn_together() -> None:
    by_list, by_user = (measurement(ranked(cluster=c), "top_k_rate", by={"g": "a"}) for c in (None, "u"))
    assert by_user.value == by_list.value
    assert (by_list.basis.numbers["clusters"], by_user.basis.numbers["clusters"]) == pytest.approx((12, 6), abs=0.6)


def test_a_list_whose_rows_belong_to_several_clusters_is_no_answer() -> None:
    outcome = ranked({**CELLS, "u": np.arange(N) % 7}, cluster="u")
    assert outcome.omissions[0].reason is Reason.UNSUPPORTED
    assert "leave cluster out" in outcome.omissions[0].remedy


def test_rows_without_a_query_or_a_score_are_left_out_and_counted() -> None:
    score, query = CELLS["s"].copy(), CELLS["q"].astype(object)
    score[:3], query[-5:] = np.nan, None
    table: Any = evidence(ranked({**CELLS, "s": score, "q": query}), "lists, first 10")
    assert dict(table.rows)["rows left out: no score, or no query"] == 8
    assert dict(table.rows)["rows in them"] == N - 8


def test_the_order_of_the_rows_changes_no_byte() -> None:
    order = np.random.default_rng(1).permutation(N)
    shuffled = {name: cells[order] for name, cells in CELLS.items()}
    one, other = ranked(k=3), ranked(shuffled, k=3)
    assert [(m.value, m.interval, m.basis) for m in one.measurements] == [
        (m.value, m.interval, m.basis) for m in other.measurements
    ]


def test_what_one_group_gains_the_other_loses_and_both_say_so() -> None:
    outcome = ranked(k=4)
    said = [measurement(outcome, "top_k_rate", by={"g": g}, k=4).basis.numbers["rho"] for g in ("a", "b")]
    assert said[0] == said[1] < -0.8


def test_clusters_of_a_binary_score_are_its_lists() -> None:
    outcome = ranked(task=None, query=None, cluster="q", target="y", positive=1)
    whole = measurement(outcome, "top_k_rate")
    assert whole.value == pytest.approx(0.5)


def test_the_first_none_are_refused() -> None:
    assert ranked(k=0).omissions[0].reason is Reason.NOT_APPLICABLE
