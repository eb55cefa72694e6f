"""Which groups can be judged at all: rows, denominators and what was left out, for each.

Why it matters: a table of rates hides how many people each of them stands for, and who is not in it. A group without
positives has no true positive rate; one of twelve rows has an interval that says nothing.

How it is measured: for every group and crossing its rows; those that have no label or no usable decision and so count
in no rate; the denominators of the rates (for two classes the rows labelled positive, labelled negative and decided
positive; for more the rows of the class with the fewest; for a quantity or a ranking the rows that count); and a
status. "ok": each label has at least min_n rows ([stats] min_n); "underpowered": some has fewer; "undefined": one has
none, so that a rate of it has no value. No group is dropped or merged. What is underpowered for a limit depends on
its tolerance too, and stands beside the verdict. Where [evidence] rows is "none", the line of a group of one or two
people is shown as "suppressed".

How to reduce the risk: Collect rows of the groups at the top of the list, of the label that they lack first.

Sources: Himmelreich et al., AIES 2025 (verifying intersectional fairness is limited by data).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.case import Case
from audit.check import check
from audit.errors import Unavailable
from audit.inputs.groups import Groups, GroupSet
from audit.inputs.predictions import Predictions, need_labels
from audit.results import Outcome, Table

REQUIRES = {"tasks": ("binary", "multiclass", "regression", "ranking")}

MEASURES: dict[str, dict[str, object]] = {}
MOST_ROWS = 200
ORDER = ("undefined", "underpowered", "ok")

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of each group: rows by column, and the sets of rows of which each must hold enough."""

    columns: Mapping[str, Mask]
    needed: tuple[Mask, ...]
    of: str  # what they are rows of
    fewest: str = ""  # the column that shows the smallest of the sets, where they have none of their own


@check(cost="predict")
def group_status(predictions: Predictions, groups: Groups, case: Case) -> Outcome:
    if not groups.sets:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    label = need_labels(predictions)
    counted = _ranked(predictions) if predictions.task == "ranking" else _decided(predictions, label)
    least = case.spec.stats.min_n
    return Outcome(evidence=tuple(_table(group_set, counted, least) for group_set in groups.sets))


def _ranked(predictions: Predictions) -> Counted:
    """Rows with a score stand in a list, whether somebody judged them or not."""
    if predictions.score is None or predictions.labelled is None:
        raise Unavailable("missing_input", "there are no scores", "give score")
    scored = np.isfinite(predictions.score)
    columns = {"left out": ~scored, "in a list": scored, "judged": scored & predictions.labelled}
    return Counted(columns, (scored,), "rows in a list")


def _decided(predictions: Predictions, label: NDArray[Any]) -> Counted:
    if predictions.decision is None or predictions.decided is None or predictions.labelled is None:
        raise Unavailable("missing_input", "there are scores and no decisions", "give threshold or prediction")
    usable = predictions.decided & predictions.labelled
    if predictions.task == "regression":
        return Counted({"left out": ~usable, "counted": usable}, (usable,), "rows that count")
    if predictions.task == "multiclass":
        classes = tuple(usable & (label == code) for code in range(len(predictions.classes)))
        return Counted({"left out": ~usable, "counted": usable}, classes, "rows of each class", "fewest of a class")
    positive, selected = label == predictions.positive, predictions.decision == predictions.positive
    sides = usable & positive, usable & ~positive
    columns = {"left out": ~usable, "labelled positive": sides[0], "labelled negative": sides[1]}
    return Counted({**columns, "decided positive": usable & selected}, sides, "rows of each label")


def _table(group_set: GroupSet, counted: Counted, least: int) -> Table:
    size = len(group_set.levels)

    def counts(masks: Iterable[Mask]) -> NDArray[np.int64]:
        return np.column_stack([np.bincount(group_set.codes[mask], minlength=size) for mask in masks])

    rows = np.bincount(group_set.codes, minlength=size)
    shown, fewest = counts(counted.columns.values()), counts(counted.needed).min(axis=1)
    lines = []
    for group, n, numbers, fewer in zip(group_set.levels, rows, shown, fewest, strict=True):
        told = (int(n), *numbers.tolist(), *([int(fewer)] if counted.fewest else []))
        status = "undefined" if fewer == 0 else "underpowered" if fewer < least else "ok"
        lines.append((wording.slice_words(group), status, *told))
    lines.sort(key=lambda line: (ORDER.index(str(line[1])), str(line[0])))
    names = " and ".join(group_set.columns)
    return Table(
        name=f"status by {names}",
        title=wording.text(f"What can be said of each group, by {names}"),
        columns=("group", "status", "rows", *counted.columns, *([counted.fewest] if counted.fewest else [])),
        rows=tuple(lines[:MOST_ROWS]),
        note=f"ok: at least {least} {counted.of}. Left out: no label or no usable decision.",
        people=("rows",),
    )
