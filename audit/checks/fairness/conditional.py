"""Gaps between groups among rows that are alike in what may matter: conditional parity.

Why it matters: a gap can stem from something that is meant to count, such as the department that people apply to.
Within strata of it the gap may vanish, or show that it was hidden. Both belong beside the plain gap.

How it is measured: rows are divided into strata by the columns named as control. Within each stratum the rate of a
group is compared with that of all other rows, and the differences are pooled with Mantel-Haenszel weights; the interval
is by Sato's variance, which holds for many small strata as for few large ones. Signed: above 0 the group has the higher
rate. Strata where the group or the others have no rows say nothing, and their rows are counted in the table, which
holds every stratum's own difference. With clusters or weights there is no pooled interval here, and that is said.
Controlling for a column that is itself a result of unequal treatment hides what it should show: choose them with
somebody who knows.

How to reduce the risk: Read the strata with the largest difference. A pooled gap that stays means that the controls do
not explain it.

Sources: Mantel & Haenszel, JNCI 1959; Sato, Biometrics 1989 (variance); Kamiran, Žliobaitė & Calders, KAIS 2013
(explainable discrimination).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.decisions import Decisions
from audit.inputs.groups import Groups, GroupSet, crossed
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Basis, Outcome, Table
from audit.stats import difference, interval, pooled_difference, rate

MEASURES: dict[str, dict[str, object]] = {
    "conditional_selection_gap": {
        "unit": "1",
        "better": "zero",
        "words": "share selected less that of all others, within strata",
    },
    "conditional_true_positive_gap": {
        "unit": "1",
        "better": "zero",
        "words": "true positive rate less that of all others, within strata",
    },
    "conditional_false_positive_gap": {
        "unit": "1",
        "better": "zero",
        "words": "false positive rate less that of all others, within strata",
    },
}
MOST_ROWS = 200  # of the table

Mask = NDArray[np.bool_]


@check(cost="predict")
def conditional(
    data: Dataset, decisions: Decisions, predictions: Predictions, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    control = data.roles.control
    if not control:
        raise Unavailable("missing_input", "no column has the role control", "give control in [data.test]")
    strata = crossed(control, {name: data.codes(name) for name in control})
    sheet = Sheet(measures=MEASURES, level=level)
    label = None if predictions.label is None else predictions.label[decisions.rows]
    everyone = np.ones(len(decisions.rows), dtype=bool)
    among: dict[str, tuple[Mask, str]] = {"conditional_selection_gap": (everyone, "decided")}
    if label is not None:
        among["conditional_true_positive_gap"] = (label == predictions.positive, "labelled positive")
        among["conditional_false_positive_gap"] = ((label >= 0) & (label != predictions.positive), "labelled negative")
    for group, at in groups.over(decisions.rows):
        inside = np.zeros(len(decisions.rows), dtype=bool)
        inside[at] = True
        for name, (counted, of) in among.items() if group else ():
            cells = _cells(strata, decisions, inside, counted)
            sheet.add(name, partial(_pooled, cells, sampling, of), n=int((inside & counted).sum()), slice=group)
    return sheet.outcome(*(_table(group_set, strata, decisions, level) for group_set in groups.sets[:8]))


def _cells(strata: GroupSet, found: Decisions, inside: Mask, counted: Mask) -> NDArray[np.int64]:
    """(strata, 4): selected and all rows of the group, selected and all rows of the others."""
    codes, size = strata.codes[found.rows], len(strata.levels)
    masks = (inside & found.positive, inside, ~inside & found.positive, ~inside)
    return np.column_stack([np.bincount(codes[mask & counted], minlength=size) for mask in masks])


def _pooled(cells: NDArray[np.int64], sampling: Sampling, of: str) -> Basis:
    if not sampling.plain:
        return sampling.refuse("a difference pooled over strata")
    if not ((cells[:, 1] > 0) & (cells[:, 3] > 0)).any():
        found = f"no stratum has rows of this group and of others that are {of}"
        raise Unavailable("undefined", found, "name coarser control columns, or give bins for numbers")
    return pooled_difference(*cells.T.tolist())


def _table(group_set: GroupSet, strata: GroupSet, found: Decisions, level: float) -> Table:
    """Every stratum of every group, the largest first."""
    rows: list[tuple[str | int | float | None, ...]] = []
    for i, group in enumerate(group_set.levels):
        inside = group_set.codes[found.rows] == i
        everyone = np.ones(len(inside), dtype=bool)
        for stratum, cell in zip(strata.levels, _cells(strata, found, inside, everyone).tolist(), strict=True):
            rows.append((wording.slice_words(group), wording.slice_words(stratum), *_line(cell, level)))
    rows.sort(key=lambda row: -float(row[2] or 0))
    names = " and ".join(group_set.columns)
    return Table(
        name=f"strata by {names}",
        title=wording.text(f"Selection within strata, by {names}"),
        columns=("group", "stratum", "rows", "rows of others", "rate", "rate of others", "difference", "from", "to"),
        rows=tuple(rows[:MOST_ROWS]),
        note="A stratum without rows on either side compares nothing. Intervals are of one stratum alone.",
        people=("rows", "rows of others"),
    )


def _line(cell: list[int], level: float) -> tuple[int | float | None, ...]:
    k, n, k_rest, n_rest = cell
    if not n or not n_rest:
        return n, n_rest, k / n if n else None, k_rest / n_rest if n_rest else None, None, None, None
    gap = interval(difference(rate(k, n), rate(k_rest, n_rest)), level)
    a, b = k / n, k_rest / n_rest
    return n, n_rest, a, b, a - b, gap.lower, gap.upper
