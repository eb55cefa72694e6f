"""The quality of an order: scikit-learn's NDCG with ties, precision and recall counted slowly, silent lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from audit.results import Outcome, Reason
from audit.stats import ndcg
from tests.worlds.tables import evidence, make_case, measurement, omission, run_check

RNG = np.random.default_rng(6)
N = 240
CELLS: dict[str, Any] = {
    "s": RNG.random(N).round(2), "rel": RNG.integers(0, 4, N), "q": np.repeat(np.arange(12), 20),
    "y": (RNG.random(N) < 0.3).astype(int), "g": np.array(["a", "b"], dtype=object)[RNG.integers(0, 2, N)],
}  # fmt: skip


def quality(cells: dict[str, Any] | None = None, *, k: int = 10, **roles: Any) -> Outcome:
    given_roles = {"score": "s", "target": "rel", "groups": ["g"], "task": "ranking", "query": "q", **roles}
    case = make_case(cells or CELLS, **given_roles)
    return run_check(case, "performance.ranking_quality", **({} if k == 10 else {"k": k}))


def of_k(k: int) -> dict[str, int]:
    return {} if k == 10 else {"k": k}


@pytest.mark.parametrize("k", [3, 10, 50])
def test_ndcg_is_scikit_learns_mean_over_lists(k: int) -> None:
    lists = [CELLS["q"] == q for q in range(12)]
    expected = ndcg_score([CELLS["rel"][m] for m in lists], [CELLS["s"][m] for m in lists], k=k)
    found = measurement(quality(k=k), "ndcg", **of_k(k))
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.n == 12


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=12), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_ties_are_worth_what_scikit_learn_says(rows: list[tuple[int, int]], k: int) -> None:
    ordered = sorted(rows, key=lambda row: -row[1])
    relevance, score = (np.array(column, float) for column in zip(*ordered, strict=True))
    found, lists = ndcg(score, relevance, np.zeros(len(rows), dtype=np.int32), k)
    if relevance.any():
        assert found == pytest.approx([ndcg_score([relevance], [score], k=k)], abs=1e-12)
    else:
        assert not len(lists)


def test_for_a_group_its_own_rows_are_sorted() -> None:
    mine = CELLS["g"] == "a"
    lists = [mine & (CELLS["q"] == q) for q in range(12)]
    expected = np.mean([ndcg_score([CELLS["rel"][m]], [CELLS["s"][m]], k=10) for m in lists])
    assert measurement(quality(), "ndcg", by={"g": "a"}).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("group", [None, "a"])
def test_precision_and_recall_are_means_over_lists(group: str | None) -> None:
    mine = np.full(N, True) if group is None else CELLS["g"] == group
    precision, recall = [], []
    for q in range(12):
        here = CELLS["q"] == q
        score, relevant = CELLS["s"][here], CELLS["y"][here]
        above, same = (score > score[:, None]).sum(1), (score == score[:, None]).sum(1)
        first = np.clip((5 - above) / same, 0, 1) * mine[here]
        if first.sum() > 0:
            precision.append(first @ relevant / first.sum())
        if (relevant * mine[here]).any():
            recall.append(first @ relevant / (relevant * mine[here]).sum())
    by = None if group is None else {"g": group}
    outcome = quality(k=5, target="y")
    assert measurement(outcome, "precision_at_k", by=by, k=5).value == pytest.approx(np.mean(precision), abs=1e-12)
    assert measurement(outcome, "recall_at_k", by=by, k=5).value == pytest.approx(np.mean(recall), abs=1e-12)


def test_grades_have_no_precision_and_the_remedy_says_what_to_read() -> None:
    found = omission(quality(), "precision_at_k")
    assert found.reason is Reason.NOT_APPLICABLE
    assert "ndcg" in found.remedy


def test_lists_that_show_nothing_are_left_out_and_counted_not_0() -> None:
    rel, q = CELLS["rel"].copy(), CELLS["q"].copy()
    rel[CELLS["q"] == 3], q[0] = 0, 99
    outcome = quality({**CELLS, "rel": rel, "q": q})
    facts: Any = dict(evidence(outcome, "lists that were judged").rows)  # type: ignore[union-attr]
    assert facts["lists without a relevant row, left out of NDCG and recall"] == 1 + (rel[0] == 0)
    assert facts["lists of one row, left out of NDCG"] == 1
    lists = [q == i for i in range(12) if i != 3]
    expected = np.mean([ndcg_score([rel[m]], [CELLS["s"][m]], k=10) for m in lists])
    assert measurement(outcome, "ndcg").value == pytest.approx(expected, abs=1e-12)


def test_a_single_list_has_no_interval_of_its_ndcg_and_wilsons_of_what_it_counts() -> None:
    outcome = quality(target="y", query=None)
    found = omission(outcome, "ndcg")
    assert found.reason is Reason.INSUFFICIENT_DATA
    assert "query" in found.remedy
    assert measurement(outcome, "precision_at_k").basis.method == "wilson"
    assert measurement(outcome, "recall_at_k").basis.numbers["n"] == CELLS["y"].sum()


def test_rows_without_relevance_leave_the_list_they_stood_in() -> None:
    rel = CELLS["rel"].astype(float)
    rel[::5] = np.nan
    lists = [(CELLS["q"] == q) & np.isfinite(rel) for q in range(12)]
    expected = np.mean([ndcg_score([rel[m]], [CELLS["s"][m]], k=10) for m in lists])
    assert measurement(quality({**CELLS, "rel": rel}), "ndcg").value == pytest.approx(expected, abs=1e-12)


def test_without_any_relevance_nothing_is_judged() -> None:
    assert quality({**CELLS, "rel": np.full(N, np.nan)}).omissions[0].reason is Reason.UNDEFINED
    assert omission(quality(), "recall_at_k", by={"g": "b"}).reason is Reason.NOT_APPLICABLE
