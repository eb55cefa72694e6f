"""The counts (and weights) of a binary task, over all rows and by group: all that a rate needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.predictions import Predictions, need_labels
from audit.inputs.sampling import Sampling
from audit.stats import Cells, join, scale_of, tabulate

REQUIRES = {"tasks": ("binary",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class GroupCells:
    """Over the rows with a label and a decision. The group axis of ``cells`` has one entry a slice, all rows first.

    Label and decision are 1 for the positive class.
    """

    slices: tuple[Slice, ...]
    cells: Cells


def cells(predictions: Predictions, groups: Groups, sampling: Sampling) -> GroupCells:
    if predictions.task != "binary":
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not binary", "nothing to do")
    label = need_labels(predictions)
    if predictions.decision is None or predictions.decided is None:
        raise Unavailable("missing_input", "there are scores and no decisions", "give threshold or prediction")
    usable = predictions.decided & (label >= 0)
    if not usable.any():
        raise Unavailable("undefined", "no row has both a label and a usable prediction", "check the target column")
    return tabulated(predictions, groups, usable, weight=sampling.weight)


def tabulated(
    given: Predictions,
    groups: Groups,
    usable: NDArray[np.bool_],
    *,
    weight: NDArray[np.float64] | None = None,
    score: NDArray[np.float64] | None = None,
) -> GroupCells:
    """Count the usable rows over all of them and by every set of groups."""
    rows = slice(None) if usable.all() else np.flatnonzero(usable)
    label, decision = (np.asarray(codes)[rows] == given.positive for codes in (need_labels(given), given.decision))
    score, weight = (None if values is None else values[rows] for values in (score, weight))
    columns = [(group_set.codes[rows], len(group_set.levels)) for group_set in groups.sets]
    columns = columns or [(np.zeros(len(label), dtype=np.int32), 1)]
    scale = 1.0 if weight is None else scale_of(weight)
    sets = [tabulate([c], (size,), label, decision, score=score, weight=weight, scale=scale) for c, size in columns]
    levels = (level for group_set in groups.sets for level in group_set.levels)
    return GroupCells(slices=({}, *levels), cells=join([sets[0].by(), *(sets if groups.sets else ())]))
