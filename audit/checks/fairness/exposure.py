"""How much of the attention that a ranking gives away each group receives.

Why it matters: attention falls off with every place. A group a little lower on the page is seen far less, and what is
not seen is not clicked, hired or bought.

How it is measured: rows are sorted by score (a predicted quantity, in regression) within each list: each query, or
each cluster of a binary score or a regression; without either the whole table is one list. Exposure of a row is
1 / log2(1 + rank), its mean over the places of a tie. For every group: mean exposure; its share of exposure over its
share of rows (1: seen as often as it is there); and its share of exposure over its share of relevance, among rows whose
relevance is known (1: seen as often as it has earned). The ratio of two groups' mean exposure is the constraint of
demographic parity of Singh & Joachims, the ratio of the last figure their disparate treatment ratio. Intervals: Hall's,
and t on the log scale for shares of shares, over lists or over clusters that whole queries belong to; a gap between
groups knows that one gains what the other loses. A single list says nothing about other lists: its intervals take its
rows as draws for a list of this length and its totals as given, which is right for comparing its groups.

How to reduce the risk: Compare both shares. Where exposure falls short of relevance, re-rank with a constraint on
exposure; where it only falls short of rows, ask whether relevance was measured alike for every group.

Sources: Singh & Joachims, KDD 2018 (fairness of exposure); Järvelin & Kekäläinen, ACM TOIS 2002 (the discount); Hall,
JRSS B 1992; Liang & Zeger, Biometrika 1986; Zou, Psychological Methods 2007 (gaps of dependent groups).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.check import check
from audit.checks._lists import Vector, alone, by_group, need_relevance
from audit.checks._support import Places, Sheet
from audit.inputs.groups import Groups
from audit.inputs.rankings import Rankings
from audit.inputs.sampling import Sampling
from audit.results import Outcome
from audit.stats import Listed, list_mean, share_ratio

MEASURES: dict[str, dict[str, object]] = {
    "exposure": {"unit": "1", "better": "none", "words": "mean exposure, 1 / log2(1 + rank)"},
    "exposure_to_rows": {"unit": "1", "better": "one", "words": "share of exposure over share of rows"},
    "exposure_to_relevance": {"unit": "1", "better": "one", "words": "share of exposure over share of relevance"},
    "exposure_ratio": {"words": "parity of exposure", "of": ["exposure"]},
    "exposure_treatment_ratio": {"words": "exposure as relevance earns it", "of": ["exposure_to_relevance"]},
}
TINY = 1e-300  # a total of nothing stays nothing, and is said to be


@check(cost="predict")
def exposure(rankings: Rankings, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet, seen, weight = Sheet(measures=MEASURES, level=level), rankings.exposure, rankings.weight
    relative = seen / float(weight @ seen / weight.sum())

    def of_rows(at: Places, values: Vector) -> Listed:
        if not rankings.several:
            return alone(sampling.mean(values[at], rankings.rows[at]))
        return list_mean(values[at], rankings.unit[at], weight[at])

    every_row = _Totals.of(rankings, np.ones(len(seen)))
    relevant = None if rankings.relevance is None else _Totals.of(rankings, rankings.relevance)

    def there(at: Places) -> Listed:
        return _shares(rankings, at, every_row) if rankings.several else of_rows(at, relative)

    by_group(sheet, "exposure", rankings, groups, lambda at: of_rows(at, seen))
    by_group(sheet, "exposure_to_rows", rankings, groups, there, whole=False)
    by_group(sheet, "exposure_to_relevance", rankings, groups, lambda at: _earned(rankings, at, relevant), whole=False)
    return sheet.outcome()


@dataclass(frozen=True, slots=True)
class _Totals:
    """Exposure and merit of every row, in weight, and their sums a list: the same for every group."""

    seen: Vector
    earned: Vector
    seen_in_lists: Vector
    earned_in_lists: Vector

    @staticmethod
    def of(ranked: Rankings, merit: Vector) -> _Totals:
        known, every = np.isfinite(merit), np.arange(len(merit))
        seen, earned = (ranked.weight * np.where(known, values, 0.0) for values in (ranked.exposure, merit))
        return _Totals(seen, earned, _in_lists(ranked, seen, every), _in_lists(ranked, earned, every))


def _in_lists(ranked: Rankings, values: Vector, rows: Places) -> Vector:
    """Sums of these rows by list; of a single list, one sum."""
    if not ranked.several:
        return np.array([values[rows].sum()])
    return np.asarray(np.bincount(ranked.unit[rows], values[rows], minlength=int(ranked.unit.max()) + 1), dtype=float)


def _earned(ranked: Rankings, at: Places, totals: _Totals | None) -> Listed:
    relevance = need_relevance(ranked)
    return _shares(ranked, at[np.isfinite(relevance[at])], totals or _Totals.of(ranked, relevance))


def _shares(ranked: Rankings, at: Places, all_: _Totals) -> Listed:
    """Share of exposure over share of merit, in weight; of a single list by rows (or clusters), totals as given."""
    if not ranked.several:
        seen, earned = all_.seen[at] / all_.seen_in_lists[0], all_.earned[at] / max(all_.earned_in_lists[0], TINY)
        return alone(share_ratio(seen, earned).basis)
    seen, earned = _in_lists(ranked, all_.seen, at), _in_lists(ranked, all_.earned, at)
    return share_ratio(seen, earned, all_.seen_in_lists, all_.earned_in_lists)
