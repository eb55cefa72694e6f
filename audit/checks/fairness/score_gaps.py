"""How far the scores of each group lie from those of all other rows.

Why it matters: a gap in decisions at today's threshold can vanish at another one, and one that is hidden today can open
tomorrow. The scores themselves show what any threshold would do, and whether the same score is given to people who turn
out alike.

How it is measured: for every group and crossing the mean score; the mean score among the rows labelled positive and
among those labelled negative (balance for either class); and, against all rows outside the group, the largest distance
between the two distribution functions (Kolmogorov-Smirnov: the largest gap in selection at any threshold), the area
between them (Wasserstein-1: for scores in 0..1 the mean gap over all thresholds) and the area between the two ROC
curves (ABROCA). Means by Hall's interval; the distances, which are never negative and lie above 0 by chance alone, by
bounds that allow for it. Of more than 100 groups of a column only the largest have distances. Distances have no
interval here for rows that are weighted or come in clusters, and say so.

How to reduce the risk: Plot the score distributions of the two groups that lie farthest apart, and find which feature
moves one of them. A distance that remains among rows with the same label is not explained by the outcome.

Sources: Kleinberg, Mullainathan & Raghavan, ITCS 2017 (balance for either class); Jiang et al., UAI 2019 (Wasserstein
fairness); Gardner, Brooks & Baker, LAK 2019 (ABROCA).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Places, Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.sampling import Sampling
from audit.inputs.scores import Scores
from audit.results import Basis, Outcome
from audit.stats import abroca, kolmogorov_smirnov, wasserstein

MEASURES: dict[str, dict[str, object]] = {
    "mean_score": {"unit": "score", "better": "none", "words": "mean score"},
    "mean_score_of_positives": {"unit": "score", "better": "none", "words": "mean score of rows labelled positive"},
    "mean_score_of_negatives": {"unit": "score", "better": "none", "words": "mean score of rows labelled negative"},
    "score_ks_distance": {"unit": "1", "better": "lower", "words": "largest gap in selection at any threshold"},
    "score_wasserstein_distance": {"unit": "score", "better": "lower", "words": "area between score distributions"},
    "abroca": {"unit": "1", "better": "lower", "words": "area between ROC curves"},
    "mean_score_difference": {"words": "mean score", "of": ["mean_score"]},
    "balance_for_positives_difference": {
        "words": "balance for the positive class",
        "of": ["mean_score_of_positives"],
    },
    "balance_for_negatives_difference": {
        "words": "balance for the negative class",
        "of": ["mean_score_of_negatives"],
    },
}

DISTANCES = ("score_ks_distance", "score_wasserstein_distance", "abroca")
MOST = 100  # groups of a set of columns


@check(cost="predict")
def score_gaps(scores: Scores, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    compared = _largest(groups, scores.rows)
    for group, at in groups.over(scores.rows):
        positive = scores.label[at]
        for name, of, here in (
            ("mean_score", "scored", at),
            ("mean_score_of_positives", "labelled positive", at[positive]),
            ("mean_score_of_negatives", "labelled negative", at[~positive]),
        ):
            sheet.add(name, partial(_mean, scores, sampling, here, of), n=len(here), rows=len(at), slice=group)
        if frozenset(group.items()) in compared:
            _distances(sheet, scores, sampling, group, at)
        elif group:
            _too_many(sheet, group, len(at))
    return sheet.outcome()


def _largest(groups: Groups, rows: Places) -> set[frozenset[tuple[str, str | None]]]:
    """Of each set of columns the groups that are held against all other rows, which takes time for each.

    Of groups as large as the first that is left out none is taken: their names would decide.
    """
    found = set()
    for one in groups.sets:
        size = np.bincount(one.codes[rows], minlength=len(one.levels))
        least = np.sort(size)[-MOST - 1] if len(size) > MOST else -1
        found |= {frozenset(one.levels[i].items()) for i in np.flatnonzero(size > least)}
    return found


def _too_many(sheet: Sheet, group: Slice, rows: int) -> None:
    found = f"of more than {MOST} groups the largest alone are held against all other rows, and this is none of them"
    why = Unavailable("insufficient_data", found, "join levels that belong together, or name a column of fewer")
    for name in DISTANCES:
        sheet.omit(name, why, n=rows, rows=rows, slice=group)


def _mean(scores: Scores, sampling: Sampling, at: Places, of: str) -> Basis:
    if not len(at):
        raise Unavailable("undefined", f"no row is {of}", f"give rows of this group that are {of}")
    return sampling.mean(scores.score[at], scores.rows[at])


def _distances(sheet: Sheet, scores: Scores, sampling: Sampling, group: Slice, at: Places) -> None:
    inside = np.zeros(len(scores.rows), dtype=bool)
    inside[at] = True
    own, rest = scores.score[inside], scores.score[~inside]
    truth = scores.label[inside], scores.label[~inside]
    builds = (
        partial(kolmogorov_smirnov, own, rest),
        partial(wasserstein, own, rest),
        partial(abroca, own, truth[0], rest, truth[1]),
    )
    for name, build in zip(DISTANCES, builds, strict=True):
        how = build if sampling.plain else partial(sampling.refuse, "a distance between distributions")
        sheet.add(name, how, n=len(at), slice=group)
