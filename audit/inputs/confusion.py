"""True and false positives and negatives, overall and by group: all that a rate needs, and additive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.predictions import Predictions, need_labels

REQUIRES = {"tasks": ("binary",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """One entry a slice, all rows first. Counts are int64 of shape (slices,)."""

    slices: tuple[Slice, ...]
    tn: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tp: NDArray[np.int64]


def confusion(predictions: Predictions, groups: Groups) -> Confusion:
    if predictions.task != "binary":
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not binary", "nothing to do")
    label = need_labels(predictions)
    if predictions.decision is None or predictions.decided is None:
        raise Unavailable("missing_input", "there are scores and no decisions", "give threshold or prediction")
    rows = np.flatnonzero(predictions.decided & (label >= 0))
    if not len(rows):
        raise Unavailable("undefined", "no row has both a label and a usable prediction", "check the target column")
    cell = (label[rows] == predictions.positive) * 2 + (predictions.decision[rows] == predictions.positive)
    counts = [np.bincount(cell, minlength=4)[None]]
    for group_set in groups.sets:
        size = len(group_set.levels)
        counts.append(np.bincount(group_set.codes[rows] * 4 + cell, minlength=size * 4).reshape(size, 4))
    table = np.concatenate(counts).astype(np.int64)
    slices: tuple[Slice, ...] = ({}, *(level for group_set in groups.sets for level in group_set.levels))
    return Confusion(slices=slices, tn=table[:, 0], fp=table[:, 1], fn=table[:, 2], tp=table[:, 3])
