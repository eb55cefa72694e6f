"""Who reaches the top of the ranking, for each group: selection at the first k, exposure and gain.

Why it matters: where a score sorts people or offers and only the first are looked at, the order decides and no
threshold does. A group a little lower on the page is seen far less.

How it is measured: rows are sorted by score (a predicted quantity, in regression), within each list where a cluster
column names one. For all rows and every group: the share of its rows among the first k (parameter k, 10 by default),
with Wilson's interval; mean exposure, 1 / log2(1 + rank), with Hall's; and NDCG at k of the group's own rows, with the
label as the gain (a label below 0 counts as 0), where it is a mean over lists, with Hall's interval, so that at least
two lists are needed. Ties share the mean of their places. Rows of one list are not independent of one another: the
intervals of shares and exposure take lists as clusters where there are any.

How to reduce the risk: Compare exposure with what the group's labels would earn it. Where the gap is larger, re-rank
with a constraint on exposure, or mend the score of that group.

Sources: Järvelin & Kekäläinen, ACM TOIS 2002 (NDCG); Singh & Joachims, KDD 2018 (fairness of exposure).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from audit.check import check
from audit.checks._support import Places, Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Basis, Outcome
from audit.stats import mean

MEASURES: dict[str, dict[str, object]] = {
    "top_k_rate": {"unit": "1", "better": "none", "words": "share among the first k", "params": {"k": "int"}},
    "exposure": {"unit": "1", "better": "none", "words": "mean exposure, 1 / log2(1 + rank)", "params": {"k": "int"}},
    "ndcg": {"unit": "1", "better": "higher", "words": "NDCG of the first k", "params": {"k": "int"}},
    "top_k_parity_difference": {"words": "parity among the first k", "of": ["top_k_rate"]},
    "top_k_parity_ratio": {"words": "parity among the first k", "of": ["top_k_rate"]},
    "exposure_ratio": {"words": "parity of exposure", "of": ["exposure"]},
}

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Params:
    k: int = 10


@check(cost="predict")
def top_of_ranking(
    predictions: Predictions, groups: Groups, sampling: Sampling, level: float, params: Params
) -> Outcome:
    if params.k < 1:
        raise Unavailable("not_applicable", f"the first {params.k} rows are none", "give params = { k = 10 }")
    score, gain = _scores(predictions)
    rows = np.flatnonzero(np.isfinite(score))
    if not len(rows):
        raise Unavailable("undefined", "no row has a finite score", "check the score column")
    lists = np.zeros(len(rows), dtype=np.int32) if sampling.cluster is None else sampling.cluster[rows]
    rank = _ranks(score[rows], lists)
    exposure = 1 / np.log2(1 + rank)
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(rows):
        first = partial(sampling.rate, rank[at] <= params.k, rows[at], "scored")
        sheet.add("top_k_rate", first, n=len(at), slice=group)
        sheet.add("exposure", partial(sampling.mean, exposure[at], rows[at]), n=len(at), slice=group)
        of_lists = partial(_ndcg, score[rows[at]], gain, rows[at], lists[at], params.k)
        sheet.add("ndcg", of_lists, n=len(np.unique(lists[at])), rows=len(at), slice=group)
    return sheet.outcome()


def _scores(found: Predictions) -> tuple[Vector, Vector | None]:
    """What rows are sorted by, and what a row is worth where labels say so."""
    if found.task == "regression":
        if found.decision is None:
            raise Unavailable("missing_input", "there are no predictions to sort by", "give prediction in [data.test]")
        return found.decision, found.label
    if found.score is None:
        raise Unavailable("not_applicable", "there is no one score to sort by", "give score")
    gain = None if found.label is None else np.where(found.label < 0, np.nan, 1.0 * (found.label == found.positive))
    return found.score, gain


def _ranks(score: Vector, lists: NDArray[np.int32]) -> Vector:
    """Place in its own list, from 1 for the highest score; ties share the mean of their places."""
    ranks = np.empty(len(score))
    order = np.argsort(lists, kind="stable")
    for at in np.split(order, np.flatnonzero(np.diff(lists[order])) + 1):
        ranks[at] = rankdata(-score[at])
    return ranks


def _ndcg(score: Vector, gain: Vector | None, rows: Places, lists: NDArray[np.int32], k: int) -> Basis:
    if gain is None:
        raise Unavailable("missing_input", "no target was named, so no row has a gain", "give target in [data.test]")
    worth = np.maximum(gain[rows], 0.0)
    values = []
    for name in np.unique(lists[np.isfinite(worth)]):
        at = np.flatnonzero((lists == name) & np.isfinite(worth))
        ideal = _discounted(np.sort(worth[at])[::-1], k)
        if ideal > 0:
            values.append(_with_ties(score[at], worth[at], k) / ideal)
    if not values:
        raise Unavailable("undefined", "no list has a row with any gain", "give lists with labels above 0")
    return mean(np.sort(values))


def _discounted(worth: Vector, k: int) -> float:
    return float(worth[:k] @ (1 / np.log2(2 + np.arange(min(k, len(worth))))))


def _with_ties(score: Vector, worth: Vector, k: int) -> float:
    """Discounted gain where rows of one score are worth their mean (McSherry & Najork, ECIR 2008)."""
    _, tie = np.unique(-score, return_inverse=True)
    shared = np.bincount(tie, worth) / np.bincount(tie)
    return _discounted(shared[np.sort(tie)], k)
