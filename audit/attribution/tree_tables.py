"""Shapley values of groups of leaves, tabulated for every code that a row can have.

For a leaf of k columns let bit i of a row's code say whether its value in column i satisfies the leaf's conditions. A
row x and a background row b reach the leaf together where one of them satisfies each condition. With A the columns that
only x satisfies and B those that only b does, the game of the pair is unanimity on A and veto on B, whose Shapley
values are (|A| - 1)! |B|! / (|A| + |B|)! for each of A and -|A|! (|B| - 1)! / (|A| + |B|)! for each of B. They depend
on the codes alone, so a table over the 2^k codes of x, summed over the histogram of the background's codes, holds all
answers (the idea of WOODELF, Nadel & Wettenstein, arXiv 2511.09376).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import comb

from .tree_cells import Cells
from .tree_groups import Group, Leaf, Literal

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.integer[Any]]


Bit = tuple[int, int, tuple[Literal, ...]]  # its group, its value in the code, the splits that must go the right way


@lru_cache(maxsize=16)
def pair_weights(most: int) -> tuple[Floats, Floats]:
    """Shapley values of one column of A and of one of B, by (|A|, |B|), each (most + 1, most + 1)."""
    a, b = np.meshgrid(np.arange(most + 1.0), np.arange(most + 1.0), indexing="ij")
    both = np.maximum(a + b, 1)
    of_a = np.where(a > 0, 1 / (both * np.maximum(comb(both - 1, b), 1)), 0.0)
    of_b = np.where(b > 0, -1 / (both * np.maximum(comb(both - 1, a), 1)), 0.0)
    return of_a, of_b


@lru_cache(maxsize=16)
def all_pairs(k: int) -> Floats:
    """Shapley values of column i for row code c and background code e, shape (e, c, i) as (2^k, 2^k * k)."""
    codes = np.arange(1 << k)
    holds = ((codes[:, None] >> np.arange(k)) & 1).astype(bool)
    reached = (codes[:, None] | codes[None, :]) == (1 << k) - 1
    lacking = k - holds.sum(axis=1)  # a reached leaf: |A| is what b lacks, |B| what x lacks
    of_a, of_b = (w[lacking[:, None], lacking[None, :]] * reached for w in pair_weights(k))
    x, b = holds[None, :, :], holds[:, None, :]
    values = of_a[:, :, None] * (x & ~b) + of_b[:, :, None] * (~x & b)
    return np.asarray(values.reshape(1 << k, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coder:
    """Codes of rows for some groups: ``parts`` holds, for a column, what each of its cells adds to each code.

    Codes are bytes, or 64-bit integers where a group is wide.
    """

    columns: tuple[int, ...]
    parts: tuple[Codes, ...]  # (cells, groups)

    @classmethod
    def of(cls, groups: Sequence[Group], cells: Sequence[Cells]) -> Coder:
        kind: type[np.integer[Any]] = np.int64 if any(group.wide for group in groups) else np.uint8
        bits: dict[int, list[Bit]] = {}
        for g, group in enumerate(groups):
            for i, (u, literals) in enumerate(group.bits):
                bits.setdefault(u, []).append((g, 1 << i, literals))
        parts: tuple[Codes, ...] = tuple(
            _added(mine, cells[u].left, len(groups)).astype(kind) for u, mine in bits.items()
        )
        return cls(columns=tuple(bits), parts=parts)

    def codes(self, cells: Sequence[Cells], rows: Integers) -> Codes:
        """Shape (rows, groups)."""
        total = np.zeros((len(rows), self.parts[0].shape[1]), dtype=self.parts[0].dtype)
        for u, part in zip(self.columns, self.parts, strict=True):
            total += part[cells[u].of[rows]]
        return total


def _added(bits: list[Bit], left: NDArray[np.float32], groups: int) -> Integers:
    """What each cell of a column adds to each group's code, shape (cells, groups)."""
    satisfied = _satisfies([literals for _, _, literals in bits], left)
    group, value = (np.array(numbers, dtype=np.int64) for numbers in list(zip(*bits, strict=True))[:2])
    spread = csr_matrix((value, (group, np.arange(len(bits)))), shape=(groups, len(bits)))
    return np.ascontiguousarray((spread @ satisfied).T)


def _satisfies(demands: Sequence[tuple[Literal, ...]], left: NDArray[np.float32]) -> Integers:
    """Whether a cell goes the way that every literal of a demand asks for, shape (demands, cells), as 0 and 1."""
    flat = [(i, split, is_left) for i, literals in enumerate(demands) for split, is_left in literals]
    which, split, wanted = (np.array(column) for column in zip(*flat, strict=True))
    # a cell that goes left where left is wanted adds 1, where right is wanted takes 1: all fit when the sum is full
    signs = csr_matrix((np.where(wanted, 1, -1).astype(np.float32), (which, split)), shape=(len(demands), len(left)))
    full = np.bincount(which[wanted], minlength=len(demands))
    return np.asarray((signs @ left) == full[:, None], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``values[offsets[g] + code]`` (columns,) is what group g adds to the Shapley values of a row with that code."""

    columns: Integers  # the user's columns that these groups are about
    offsets: Integers
    values: Floats

    def sum(self, codes: Codes) -> Floats:
        """Sum over the groups, shape (rows, columns)."""
        n, groups = codes.shape
        places = (codes + self.offsets[None, :].astype(np.int32)).reshape(-1)
        ends = np.arange(0, n * groups + 1, groups, dtype=np.int32)
        pick = csr_matrix((np.ones(len(places)), places, ends), shape=(n, len(self.values)))
        return np.asarray(pick @ self.values)


def tabulate(groups: Sequence[Group], background: Codes, leaf_values: Floats) -> Table:
    """The table over a background with these codes (rows, groups); ``leaf_values`` (nodes,) of one output."""
    m = len(background)
    sizes = np.array([1 << len(group.bits) for group in groups])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    histogram = np.bincount((background + offsets[None, :-1]).reshape(-1), minlength=offsets[-1]) / m
    columns = np.unique([u for group in groups for u, _ in group.bits])
    values = np.zeros(offsets[-1] * len(columns))
    slot = {u: i for i, u in enumerate(columns.tolist())}
    batches: dict[tuple[int, int], list[tuple[int, Leaf]]] = {}
    for g, group in enumerate(groups):
        for leaf in group.leaves:
            batches.setdefault((len(group.bits), len(leaf.conditions)), []).append((g, leaf))
    for (bits, k), leaves in batches.items():
        start = offsets[np.array([g for g, _ in leaves])]
        own = leaf_values[np.array([leaf.node for _, leaf in leaves])]
        added = _leaves(bits, k, [leaf for _, leaf in leaves], histogram, start) * own[:, None, None]
        slots = np.array([[slot[c.column] for c in leaf.conditions] for _, leaf in leaves])
        rows = start[:, None] + np.arange(1 << bits)
        places = rows[:, :, None] * len(columns) + slots[:, None, :]
        values += np.bincount(places.reshape(-1), weights=added.reshape(-1), minlength=len(values))
    return Table(columns=columns, offsets=offsets[:-1], values=values.reshape(-1, len(columns)))


def _leaves(bits: int, k: int, leaves: Sequence[Leaf], histogram: Floats, start: Integers) -> Floats:
    """Shapley values of leaves of k columns for each code of their groups, shape (leaves, 2^bits, k)."""
    codes = np.arange(1 << bits)
    present = np.array([[c.present for c in leaf.conditions] for leaf in leaves])
    absent = np.array([[c.absent for c in leaf.conditions] for leaf in leaves])
    own = np.zeros((len(leaves), 1 << bits), dtype=np.int64)
    for i in range(k):
        wanted = (present | absent)[:, i, None]
        own |= ((codes & wanted) == present[:, i, None]).astype(np.int64) << i
    own += (np.arange(len(leaves)) << k)[:, None]
    weights = histogram[start[:, None] + codes]
    counts = np.bincount(own.reshape(-1), weights=weights.reshape(-1), minlength=len(leaves) << k)
    answers = counts.reshape(len(leaves), 1 << k) @ all_pairs(k)
    return np.asarray(answers.reshape(-1, k)[own])
