"""Which groups can be judged at all: rows, denominators and what was left out, for each.

Why it matters: a table of rates hides how many people each of them stands for, and who is not in it. A group without
positives has no true positive rate; one of twelve rows has an interval that says nothing.

How it is measured: for every group and crossing its rows; those that have no label or no usable decision and so count
in no rate; the rows labelled positive, labelled negative and decided positive, which are the denominators of the rates;
and a status. "ok": each label has at least min_n rows ([stats] min_n); "underpowered": some has fewer; "undefined": one
has none, so that a rate of it has no value. No group is dropped or merged. What is underpowered for a limit depends on
its tolerance too, and stands beside the verdict. Where [evidence] rows is "none", a count of one or two people is shown
as "suppressed".

How to reduce the risk: Collect rows of the groups at the top of the list, of the label that they lack first.

Sources: Himmelreich et al., AIES 2025 (verifying intersectional fairness is limited by data).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.case import Case
from audit.check import check
from audit.errors import Unavailable
from audit.inputs.groups import Groups, GroupSet
from audit.inputs.predictions import Predictions, need_labels
from audit.results import Outcome, Scalar, Table

REQUIRES = {"tasks": ("binary",)}

MEASURES: dict[str, dict[str, object]] = {}
MOST_ROWS = 200
FEWEST_SHOWN = 3  # fewer people could be told from the others
ORDER = ("suppressed", "undefined", "underpowered", "ok")
COLUMNS = ("group", "status", "rows", "left out", "labelled positive", "labelled negative", "decided positive")

Mask = NDArray[np.bool_]


@check(cost="predict")
def group_status(predictions: Predictions, groups: Groups, case: Case) -> Outcome:
    if not groups.sets:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    label = need_labels(predictions)
    if predictions.decision is None or predictions.decided is None:
        raise Unavailable("missing_input", "there are scores and no decisions", "give threshold or prediction")
    usable = predictions.decided & (label >= 0)
    positive, selected = label == predictions.positive, predictions.decision == predictions.positive
    masks = (np.ones(groups.n, dtype=bool), ~usable, usable & positive, usable & ~positive, usable & selected)
    least = case.spec.stats.min_n
    hidden = case.spec.evidence.rows == "none"
    return Outcome(evidence=tuple(_table(group_set, masks, least, hidden) for group_set in groups.sets))


def _table(group_set: GroupSet, masks: tuple[Mask, ...], least: int, hidden: bool) -> Table:
    size = len(group_set.levels)
    counts = np.column_stack([np.bincount(group_set.codes[mask], minlength=size) for mask in masks])
    lines = [(wording.slice_words(g), *_line(c, least, hidden)) for g, c in zip(group_set.levels, counts, strict=True)]
    lines.sort(key=lambda line: (ORDER.index(str(line[1])), str(line[0])))
    names = " and ".join(group_set.columns)
    return Table(
        name=f"status by {names}",
        title=wording.text(f"What can be said of each group, by {names}"),
        columns=COLUMNS,
        rows=tuple(lines[:MOST_ROWS]),
        note=f"ok: at least {least} rows of each label. Left out: no label or no usable decision.",
    )


def _line(counts: NDArray[np.int64], least: int, hidden: bool) -> tuple[Scalar | None, ...]:
    rows, _, positive, negative, _ = numbers = counts.tolist()
    if hidden and rows < FEWEST_SHOWN:
        return ("suppressed", *(None for _ in numbers))
    fewer = min(positive, negative)
    status = "undefined" if fewer == 0 else "underpowered" if fewer < least else "ok"
    return (status, *numbers)
