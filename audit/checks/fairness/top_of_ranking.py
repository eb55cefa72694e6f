"""Who reaches the top of a ranking, for each group: the share of its rows among the first k.

Why it matters: where a score sorts people or offers and only the first are looked at, the order decides and no
threshold does.

How it is measured: rows are sorted by score (a predicted quantity, in regression) within each list: each query, or
each cluster of a binary score or a regression; without either the whole table is one list. For all rows and every
group: the share of rows among the first k of their list (parameter k, 10 by default; all rows of a shorter list). Ties
over the last place are shared out: it is the expected share when ties are broken at random. Lists are what was drawn:
Wilson's interval on the effective size of lists, or of clusters that whole queries belong to, and a gap between groups
knows that one gains the places that the other loses. Over all rows the share follows from the lengths of the lists
alone and is exact. A single list says nothing about other lists: its intervals are Wilson's over its rows, as draws for
a list of this length, which for the gap of two groups agrees with the hypergeometric law of a fixed number of places.

How to reduce the risk: Compare with the share of relevant rows that reach the top (recall_at_k). Where groups of equal
relevance differ, re-rank with a constraint on the first k, or mend the score of that group.

Sources: Yang & Stoyanovich, SSDBM 2017 (parity of the first k); Wilson, JASA 1927; Liang & Zeger, Biometrika 1986; Zou,
Psychological Methods 2007 (gaps of dependent groups).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.check import check
from audit.checks._lists import Vector, alone, by_group, row_rate
from audit.checks._support import Places, Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.rankings import Rankings
from audit.inputs.sampling import Sampling
from audit.results import Outcome, Table
from audit.stats import Listed, exact, list_rate

MEASURES: dict[str, dict[str, object]] = {
    "top_k_rate": {"unit": "1", "better": "none", "words": "share among the first k", "params": {"k": "int"}},
    "top_k_parity_difference": {"words": "parity among the first k", "of": ["top_k_rate"]},
    "top_k_parity_ratio": {"words": "parity among the first k", "of": ["top_k_rate"]},
}


@dataclass(frozen=True, slots=True)
class Params:
    k: int = 10


@check(cost="predict")
def top_of_ranking(rankings: Rankings, groups: Groups, sampling: Sampling, level: float, params: Params) -> Outcome:
    if params.k < 1:
        raise Unavailable("not_applicable", f"the first {params.k} rows are none", "give params = { k = 10 }")
    sheet, first = Sheet(measures=MEASURES, level=level), rankings.among(params.k)

    def reached(at: Places) -> Listed:
        if not rankings.several:
            return alone(row_rate(sampling, first[at], rankings.rows[at]))
        if len(at) == len(first):
            return alone(exact(float(rankings.weight @ first / rankings.weight.sum())))
        return list_rate(first[at], rankings.unit[at], rankings.weight[at])

    by_group(sheet, "top_k_rate", rankings, groups, reached)
    return sheet.outcome(_lists(rankings, first, params.k))


def _lists(ranked: Rankings, first: Vector, k: int) -> Table:
    """What the lists are like: how many, how long, and where k or ties leave little to choose."""
    sizes = np.bincount(np.unique(ranked.lists, return_inverse=True)[1])
    tied = np.unique(ranked.lists[(first > 0) & (first < 1)])
    facts = (
        ("lists", sizes.size),
        ("rows in them", int(sizes.sum())),
        ("rows left out: no score, or no query", ranked.left_out),
        ("rows of the shortest list", int(sizes.min())),
        ("rows of the list in the middle", int(np.median(sizes))),
        ("rows of the longest list", int(sizes.max())),
        (f"lists of {k} rows or fewer, where every row is among the first {k}", int((sizes <= k).sum())),
        (f"lists with a tie over place {k}", tied.size),
    )
    return Table(
        name=f"lists, first {k}",
        title="The lists that are ranked",
        columns=("what", "number"),
        rows=facts,
        note="A tie over the last place is shared out; a list where every row is among the first tells groups nothing.",
    )
