"""What a forest can tell apart: for each of the user's columns, the cells that its splits cut the values into.

Rows of one cell take the same way at every split on that column, so a split is decided once a cell and not once a row.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.models.forest import LEAF, NEARLY_ZERO, Forest

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_CELLS = 1 << 24  # times the splits of one column: 64 MB
FEWEST_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One user column: ``of`` (rows,) is the cell of each row, ``left`` (splits, cells) whether a cell goes left."""

    of: Integers
    left: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The cells of every user column. ``column`` and ``split`` (nodes,) say of each node which column it splits, by
    which of that column's different splits; both are LEAF at leaves."""

    cells: Sequence[Cells]
    column: Integers
    split: Integers


def rows_at_once(forest: Forest, owner: Integers, columns: int, background: int) -> int:
    """Rows whose cells fit into memory. Over several design columns, at worst every row is a cell of its own."""
    several = np.bincount(owner[forest.used], minlength=columns) > 1
    if not several.any():
        return sys.maxsize
    nodes = np.flatnonzero(forest.column != LEAF)
    mine = several[owner[forest.column[nodes]]]
    different = np.unique(np.column_stack([forest.column[nodes], forest.threshold[nodes]])[mine], axis=0)
    widest = int(np.bincount(owner[different[:, 0].astype(np.int64)]).max())
    return max(FEWEST_ROWS, MOST_CELLS // widest - background)


def partition(forest: Forest, design: Floats, owner: Integers, columns: int) -> Partition:
    """``owner`` (design columns,) names the user column that each is made of; ``design`` holds all rows."""
    inner = forest.column != LEAF
    column = np.where(inner, owner[forest.column], LEAF)
    split = np.full(len(column), LEAF)
    cells = []
    for u in range(columns):
        nodes = np.flatnonzero(inner & (column == u))
        representative, split[nodes] = _different(forest, nodes)
        mine = np.unique(forest.column[nodes])
        of, first = _cells(forest, design, mine, representative)
        left = forest.goes_left(representative[:, None], design[first][:, forest.column[representative]].T)
        cells.append(Cells(of=of, left=left.astype(np.float32)))
    return Partition(cells=cells, column=column, split=split)


def _different(forest: Forest, nodes: Integers) -> tuple[Integers, Integers]:
    """One node for each different split, and which of them each node is."""
    branch = np.array([node if node in forest.branches else LEAF for node in nodes.tolist()], dtype=np.float64)
    direction = forest.missing_left[nodes] + 2.0 * forest.zero_missing[nodes]
    keys = np.column_stack([forest.column[nodes], forest.threshold[nodes], direction, branch])
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True, equal_nan=False)
    return nodes[first], which.reshape(-1)


def _cells(forest: Forest, design: Floats, mine: Integers, splits: Integers) -> tuple[Integers, Integers]:
    """The cell of each row over these design columns, and the first row of each cell."""
    if not len(mine):
        return np.zeros(len(design), dtype=np.int64), np.zeros(1, dtype=np.int64)
    bins = [_bins(forest, design[:, t], splits[forest.column[splits] == t]) for t in mine.tolist()]
    if len(bins) == 1:
        _, first, of = np.unique(bins[0], return_index=True, return_inverse=True)
    else:
        _, first, of = np.unique(np.column_stack(bins), axis=0, return_index=True, return_inverse=True)
    return of.reshape(-1), first


def _bins(forest: Forest, values: Floats, splits: Integers) -> Integers:
    if any(node in forest.branches for node in splits.tolist()):
        whole = np.trunc(values)
        return np.asarray(np.unique(whole, return_inverse=True, equal_nan=True)[1], dtype=np.int64).reshape(-1)
    thresholds = np.unique(forest.threshold[splits])
    bins = np.searchsorted(thresholds, values, side="left")
    bins[np.isnan(values)] = len(thresholds) + 1
    if forest.zero_missing[splits].any():
        bins[np.abs(values) <= NEARLY_ZERO] = len(thresholds) + 2
    return np.asarray(bins, dtype=np.int64)
