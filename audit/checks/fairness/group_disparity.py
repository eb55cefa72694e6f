"""How unequally decisions fall on groups, in one number for each set of sensitive columns.

Why it matters: a table of groups shows who; one number shows how much, and can be held against a limit or against the
model before. It also sees what single columns hide: a crossing of groups that is treated unlike all others.

How it is measured: for each sensitive column and crossing (parameter groups, "race" or "race*sex"), differential
fairness, the largest absolute log ratio of any two groups' rates of either decision, smoothed by one row of each, and
the subgroup gap, the largest of |rate of a group - rate of all| times the group's share of the rows. Their intervals
hold for all groups together. Both are made of counts, so rows that are weighted or come in clusters have neither.

How to reduce the risk: Find the group that drives the number in the table of selection rates, and read its error rates.

Sources: Foulds et al., ICDE 2020 (differential fairness); Kearns et al., ICML 2018 (subgroup fairness).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.decisions import Decisions
from audit.inputs.groups import Groups, GroupSet
from audit.inputs.sampling import Sampling
from audit.results import Basis, Outcome
from audit.stats import differential_fairness, rate, subgroup_gap

MEASURES: dict[str, dict[str, object]] = {
    "differential_fairness": {
        "unit": "nats",
        "better": "lower",
        "words": "largest log ratio of decision rates",
        "params": {"groups": "str"},
    },
    "subgroup_selection_gap": {
        "unit": "1",
        "better": "lower",
        "words": "largest gap in selection to all rows, times the share of rows",
        "params": {"groups": "str"},
    },
}

MOST_GROUPS = 300  # each is part of what the number is made of, and is stored with it


@check(cost="predict")
def group_disparity(decisions: Decisions, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    if not groups.sets:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    sheet = Sheet(measures=MEASURES, level=level)
    for group_set in groups.sets:
        about = {"groups": "*".join(group_set.columns)}
        for name, of in (("differential_fairness", differential_fairness), ("subgroup_selection_gap", subgroup_gap)):
            build = partial(_of_rates, of, decisions, group_set, sampling)
            sheet.add(name, build, n=len(decisions.rows), params=about, columns=group_set.columns)
    return sheet.outcome()


def _of_rates(of: Callable[[list[Basis]], Basis], found: Decisions, group_set: GroupSet, sampling: Sampling) -> Basis:
    """Of the selection rates of every group that has a decision."""
    if not sampling.plain:
        return sampling.refuse("the largest of many gaps")
    codes, size = group_set.codes[found.rows], len(group_set.levels)
    n, k = np.bincount(codes, minlength=size), np.bincount(codes[found.positive], minlength=size)
    if size > MOST_GROUPS:
        many = f"{size:,} groups are more than one number can stand for"
        raise Unavailable(
            "insufficient_data", many, f"name columns with at most {MOST_GROUPS} groups together, or bins"
        )
    return of([rate(hits, rows) for hits, rows in zip(k.tolist(), n.tolist(), strict=True) if rows])
