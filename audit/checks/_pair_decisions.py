"""What changes between the decisions of two models, as measurements of one group."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.checks._pair_table import Line, detectable, margin
from audit.checks._pairs import Mask, Pair, Places, change, drawn
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.sampling import Sampling
from audit.results import Basis
from audit.stats import exact, paired_predictive_value

NO_LABEL = Unavailable("missing_input", "no row has a label", "give target in [data.test]")


def add_decisions(sheet: Sheet, pair: Pair, group: Slice, sampling: Sampling) -> None:
    """Churn and the change of every rate and predictive value; ``pair`` holds the rows of the group."""
    against, params, rows = pair.against, pair.against.about, len(pair.rows)
    churn = partial(sampling.rate, pair.changed, pair.rows, "decided")
    sheet.add(against.name("churn"), churn, n=rows, slice=group, params=params)
    for name, about, new, old in pair.rates():
        n, gap = int(about.sum()), partial(change, sampling, new[about], old[about], pair.rows[about])
        sheet.add(against.name(name), gap, n=n, rows=rows, slice=group, params=params)
    for name, truth, new, old in pair.predictive_values():
        n, gap = int((new | old).sum()), partial(predictive_value, truth, new, old, pair.rows, sampling)
        sheet.add(against.name(name), gap, n=n, rows=rows, slice=group, params=params)


def predictive_value(truth: Mask, new: Mask, old: Mask, rows: Places, sampling: Sampling) -> Basis:
    """Share of true rows among those that the new one decides so, minus that among those that the old one does."""
    either = new | old
    return paired_predictive_value(truth[either], new[either], old[either], *drawn(sampling, rows[either]))


def add_overall(sheet: Sheet, pair: Pair, sampling: Sampling) -> None:
    """What all labelled rows could have shown, and the margin within which they show both to be equally accurate."""
    against, n = pair.against, int(pair.labelled.sum())
    smallest, equal = against.name("detectable_change"), against.name("equivalence_margin")
    if not n:
        for name in (smallest, equal):
            sheet.omit(name, NO_LABEL, n=0, rows=len(pair.rows), params=against.about)
        return
    found = detectable(float(pair.changed[pair.labelled].mean()), n)
    sheet.add(smallest, partial(exact, found), n=n, params=against.about)

    def shown() -> Basis:
        new, old = (right[pair.labelled] for right in pair.right)
        return exact(margin(change(sampling, new, old, pair.rows[pair.labelled]), sheet.level))

    sheet.add(equal, shown, n=n, params=against.about)


def table_lines(pair: Pair, groups: Groups, by_seeds: NDArray[np.float64] | None = None) -> list[Line]:
    """The labelled rows of all and of each group."""
    lines, labelled = [], pair.labelled
    for group, at in groups.over(pair.rows):
        here = at[labelled[at]]
        if len(here):
            part = pair.at(here)
            new, old = part.right
            seeds = None if by_seeds is None else by_seeds[here]
            lines.append(Line(group=group, new=new, old=old, changed=part.changed, by_seeds=seeds))
    return lines
