"""True and false positives and negatives, overall and by group: all that a rate needs, and additive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.inputs.cells import GroupCells
from audit.inputs.groups import Slice

REQUIRES = {"tasks": ("binary",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """One entry a slice, all rows first. Counts are int64 of shape (slices,)."""

    slices: tuple[Slice, ...]
    tn: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tp: NDArray[np.int64]


def confusion(cells: GroupCells) -> Confusion:
    table = cells.cells.counts
    return Confusion(slices=cells.slices, tn=table[:, 0, 0], fp=table[:, 0, 1], fn=table[:, 1, 0], tp=table[:, 1, 1])
