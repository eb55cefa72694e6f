"""The top of a ranking by group: scikit-learn's NDCG, counted shares, and lists that are ranked apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from audit.case import Case
from audit.results import Outcome, Reason
from tests.worlds.tables import make_case, measurement, omission, run_check

RNG = np.random.default_rng(6)
N = 240
CELLS: dict[str, Any] = {
    "s": RNG.random(N).round(2), "y": RNG.integers(0, 2, N), "q": np.repeat(np.arange(12), 20),
    "g": np.array(["a", "b"], dtype=object)[RNG.integers(0, 2, N)],
}  # fmt: skip


def ranked(*, lists: bool = True, **params: Any) -> Outcome:
    case = make_case(CELLS, target="y", positive=1, score="s", groups=["g"])
    return run_check(_with_lists(case) if lists else case, "fairness.top_of_ranking", **params)


def _with_lists(case: Case) -> Case:
    test = case.datasets["test"]
    return replace(case, datasets={"test": replace(test, roles=replace(test.roles, cluster="q"))})


@pytest.mark.parametrize("k", [3, 10])
def test_ndcg_is_scikit_learns_mean_over_lists(k: int) -> None:
    lists = [CELLS["q"] == q for q in range(12)]
    expected = ndcg_score([CELLS["y"][m] for m in lists], [CELLS["s"][m] for m in lists], k=k)
    params = {} if k == 10 else {"k": k}
    assert measurement(ranked(**params), "ndcg", **params).value == pytest.approx(expected, abs=1e-12)


def test_the_first_k_are_counted_within_each_list() -> None:
    outcome = ranked(k=4)
    place = np.array([(CELLS["s"][CELLS["q"] == q] > s).sum() for q, s in zip(CELLS["q"], CELLS["s"], strict=True)])
    ties = np.array([(CELLS["s"][CELLS["q"] == q] == s).sum() for q, s in zip(CELLS["q"], CELLS["s"], strict=True)])
    rank = place + (ties + 1) / 2
    for group in ("a", "b"):
        mine = CELLS["g"] == group
        found = measurement(outcome, "top_k_rate", by={"g": group}, k=4)
        assert found.value == pytest.approx((rank[mine] <= 4).mean(), abs=1e-12)
        seen = measurement(outcome, "exposure", by={"g": group}, k=4)
        assert seen.value == pytest.approx((1 / np.log2(1 + rank[mine])).mean(), abs=1e-12)


def test_a_single_list_has_no_interval_of_its_gain_and_says_so() -> None:
    outcome = ranked(lists=False)
    assert omission(outcome, "ndcg").reason is Reason.INSUFFICIENT_DATA
    assert measurement(outcome, "top_k_rate").value == pytest.approx(10 / N, abs=2 / N)


def test_the_first_none_are_refused() -> None:
    assert ranked(k=0).omissions[0].reason is Reason.NOT_APPLICABLE
