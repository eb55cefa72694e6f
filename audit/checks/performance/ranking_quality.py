"""How well a score sorts what is relevant to the top of each list.

Why it matters: of a long list only the first rows are read. An area under a curve counts every pair alike; what counts
for the reader is what stands among the first k.

How it is measured: rows whose relevance is known are sorted by score within their lists (queries; clusters of a binary
score or a regression). NDCG at k: the sum of relevance / log2(1 + rank) over the first k, divided by that of the best
order, where the gain is the relevance itself and rows of one score share the mean of their places, as in scikit-learn.
Where relevance is 0 or 1 throughout: precision at k, the share of relevant rows among the first k (of a shorter list,
among all of it), and recall at k, the share of relevant rows that stand among the first k. Each is the mean over lists,
by Hall's t over lists or over clusters that whole queries belong to. A list that can show nothing is left out and
counted in the table: for NDCG one of a single row, for NDCG and recall one without a relevant row (scikit-learn counts
that one as 0, which lowers the mean of every model alike). For a group, NDCG sorts its own rows alone; precision and
recall ask how its rows fare in the whole list, so that recall is equal opportunity at the top. Of a single list NDCG
has no interval; precision and recall then are rates of its rows, by Wilson's, with the place of the cut taken as given.

How to reduce the risk: Read the lists with the lowest NDCG. Where a group's recall is lower than another's, its
relevant rows are known and not shown: look at which features pull them down.

Sources: Järvelin & Kekäläinen, ACM TOIS 2002; McSherry & Najork, ECIR 2008 (ties); Sakai, SIGIR 2007 (rows without
relevance); Hall, JRSS B 1992.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.check import check
from audit.checks._lists import Codes, Vector, alone, by_group, need_relevance
from audit.checks._support import Places, Sheet, share
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.rankings import Rankings
from audit.inputs.sampling import Sampling
from audit.results import Outcome, Table
from audit.stats import Listed, list_mean, ndcg

MEASURES: dict[str, dict[str, object]] = {
    "ndcg": {"unit": "1", "better": "higher", "words": "NDCG of the first k", "params": {"k": "int"}},
    "precision_at_k": {
        "unit": "1",
        "better": "higher",
        "words": "share of the first k that is relevant",
        "params": {"k": "int"},
    },
    "recall_at_k": {
        "unit": "1",
        "better": "higher",
        "words": "share of what is relevant among the first k",
        "params": {"k": "int"},
    },
}


@dataclass(frozen=True, slots=True)
class Params:
    k: int = 10


@check(cost="predict")
def ranking_quality(rankings: Rankings, groups: Groups, sampling: Sampling, level: float, params: Params) -> Outcome:
    if params.k < 1:
        raise Unavailable("not_applicable", f"the first {params.k} rows are none", "give params = { k = 10 }")
    known = np.isfinite(need_relevance(rankings))
    if not known.any():
        raise Unavailable("undefined", "no row has both a score and relevance", "check the target column")
    judged, sheet = rankings.only(known), Sheet(measures=MEASURES, level=level)
    relevance, first = need_relevance(judged), judged.among(params.k)
    by_group(sheet, "ndcg", judged, groups, lambda at: _gain(judged, at, params.k))
    graded = bool((relevance[relevance > 0] != 1).any())

    def of_rows(at: Places, hit: Vector, among: Vector, of: str) -> Listed:
        if graded:
            raise Unavailable("not_applicable", "relevance has grades", "read ndcg, or give a target of 0 and 1")
        if judged.several:
            return _mean_share(judged, at, hit, among, of)
        if not sampling.plain:
            sampling.refuse("a share of a single list")
        return alone(share(float(hit[at].sum()), float(among[at].sum()), of))

    hit = first * relevance
    by_group(sheet, "precision_at_k", judged, groups, lambda at: of_rows(at, hit, first, "among the first"))
    by_group(sheet, "recall_at_k", judged, groups, lambda at: of_rows(at, hit, relevance, "relevant"))
    return sheet.outcome(_left_out(judged, len(known) - len(judged.rows)))


def _gain(judged: Rankings, at: Places, k: int) -> Listed:
    """Mean over lists of the NDCG of these rows, sorted by themselves."""
    values, lists = ndcg(judged.score[at], need_relevance(judged)[at], judged.lists[at], k)
    return _over_lists(judged, at, values, lists, "no list has two rows and a relevant one")


def _mean_share(judged: Rankings, at: Places, hit: Vector, among: Vector, of: str) -> Listed:
    """Mean over lists of a ratio of sums, over the lists that have anything to count."""
    lists, place = np.unique(judged.lists[at], return_inverse=True)
    counted, total = np.bincount(place, hit[at]), np.bincount(place, among[at])
    some = total > 0
    return _over_lists(judged, at, counted[some] / total[some], lists[some], f"no row is {of}")


def _over_lists(judged: Rankings, at: Places, values: Vector, lists: Codes, none: str) -> Listed:
    if not len(values):
        raise Unavailable("undefined", none, "give lists with relevance above 0")
    if len(values) == 1:
        found = "a single list has a value and no interval: it says nothing about other lists"
        raise Unavailable("insufficient_data", found, "give query, the column that tells lists apart, or more lists")
    names, row, place = np.unique(judged.lists[at], return_index=True, return_inverse=True)
    kept = np.searchsorted(names, lists)
    weight = (np.bincount(place, judged.weight[at]) / np.bincount(place))[kept]
    return list_mean(values, judged.unit[at][row][kept], weight, lists=len(values))


def _left_out(judged: Rankings, unjudged: int) -> Table:
    _, place = np.unique(judged.lists, return_inverse=True)
    sizes, relevant = np.bincount(place), np.bincount(place, need_relevance(judged) > 0)
    facts = (
        ("lists", sizes.size),
        ("rows left out: no relevance", unjudged),
        ("lists of one row, left out of NDCG", int((sizes == 1).sum())),
        ("lists without a relevant row, left out of NDCG and recall", int((relevant == 0).sum())),
    )
    title = "What the quality of the order rests on"
    return Table(name="lists that were judged", title=title, columns=("what", "number"), rows=facts)
