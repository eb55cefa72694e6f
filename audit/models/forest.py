"""Trees of any library as plain arrays: which way a row goes at each split, and the sum of the leaves it reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

Link = Literal["identity", "logit", "softmax", "probability"]
"""How the additive scores become what the model returns: the value itself; the probability of the second class by the
logistic function; all probabilities by softmax; or they are the probabilities."""

LEAF = -1
NEARLY_ZERO = 1e-35  # LightGBM takes such numbers for zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A categorical split: whole numbers that are listed, which of them go left, and where all others go."""

    listed: Integers  # sorted
    to_left: Bools
    others_left: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree, node 0 its root. ``column`` is LEAF where ``value`` (nodes, outputs) counts.

    A number goes left where ``x <= threshold``, a missing one where ``missing_left``; where ``zero_missing``, zero is
    missing too. ``branches`` replaces the threshold at categorical splits.
    """

    column: Integers
    threshold: Floats
    missing_left: Bools
    left: Integers
    right: Integers
    value: Floats
    zero_missing: Bools | None = None
    branches: Mapping[int, Branch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """The arrays of all trees, one after the other; ``base`` (outputs,) is added to the sum of their leaves."""

    column: Integers
    threshold: Floats
    missing_left: Bools
    zero_missing: Bools
    left: Integers
    right: Integers
    value: Floats
    branches: Mapping[int, Branch]
    roots: Integers
    base: Floats
    link: Link

    @classmethod
    def of(cls, trees: Sequence[Tree], base: Floats, link: Link) -> Forest:
        starts = np.cumsum([0, *(len(tree.column) for tree in trees)])
        places = list(zip(trees, starts[:-1].tolist(), strict=True))
        none = [
            tree.zero_missing if tree.zero_missing is not None else np.zeros(len(tree.column), bool) for tree in trees
        ]
        return cls(
            column=np.concatenate([tree.column for tree in trees]).astype(np.int64),
            threshold=np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
            missing_left=np.concatenate([tree.missing_left for tree in trees]).astype(bool),
            zero_missing=np.concatenate(none).astype(bool),
            left=np.concatenate([tree.left + start for tree, start in places]).astype(np.int64),
            right=np.concatenate([tree.right + start for tree, start in places]).astype(np.int64),
            value=np.concatenate([tree.value for tree in trees]).astype(np.float64),
            branches={start + at: branch for tree, start in places for at, branch in tree.branches.items()},
            roots=starts[:-1].astype(np.int64),
            base=np.asarray(base, dtype=np.float64),
            link=link,
        )

    @property
    def outputs(self) -> int:
        return int(self.value.shape[1])

    @property
    def used(self) -> Integers:
        """Design columns that some tree splits on, sorted."""
        return np.unique(self.column[self.column != LEAF])

    def goes_left(self, nodes: Integers, values: Floats) -> Bools:
        """Whether ``values`` go left at ``nodes``; both broadcast together, values are those of the nodes' columns."""
        missing = np.isnan(values) | (self.zero_missing[nodes] & (np.abs(values) <= NEARLY_ZERO))
        left = np.where(missing, self.missing_left[nodes], values <= self.threshold[nodes])
        if self.branches:
            self._sort_categories(nodes, values, left)
        return np.asarray(left)

    def _sort_categories(self, nodes: Integers, values: Floats, left: Bools) -> None:
        at, numbers = np.broadcast_to(nodes, left.shape), np.broadcast_to(values, left.shape)
        categorical = np.isin(at, np.fromiter(self.branches, dtype=np.int64)) & ~np.isnan(numbers)
        for node in np.unique(at[categorical]).tolist():
            here = categorical & (at == node)
            left[here] = _branched(self.branches[node], numbers[here])

    def raw(self, design: Floats) -> Floats:
        """Additive scores (n, outputs) of the rows of a design matrix (n, columns)."""
        n = len(design)
        total = np.tile(self.base, (n, 1))
        block = max(1, (1 << 20) // max(len(self.roots), 1))  # bounds the memory of the walk
        for start in range(0, n, block):
            total[start : start + block] += self._summed(design[start : start + block])
        return total

    def _summed(self, design: Floats) -> Floats:
        at = np.tile(self.roots, (len(design), 1))
        rows, trees = np.nonzero(self.column[at] != LEAF)
        while len(rows):
            nodes = at[rows, trees]
            left = self.goes_left(nodes, design[rows, self.column[nodes]])
            at[rows, trees] = np.where(left, self.left[nodes], self.right[nodes])
            going = self.column[at[rows, trees]] != LEAF
            rows, trees = rows[going], trees[going]
        return np.asarray(self.value[at].sum(axis=1))


def _branched(branch: Branch, values: Floats) -> Bools:
    whole = np.trunc(values)
    place = np.minimum(np.searchsorted(branch.listed, whole), max(len(branch.listed) - 1, 0))
    if not len(branch.listed):
        return np.full(len(values), branch.others_left)
    known = branch.listed[place] == whole
    return np.where(known, branch.to_left[place], branch.others_left)


def answers(link: Link, raw: Floats) -> Floats:
    """What the model returns for these additive scores: values (n,) or probabilities (n, classes)."""
    if link == "identity":
        return raw[:, 0]
    if link == "logit":
        second = 1 / (1 + np.exp(-np.clip(raw[:, 0], -700, 700)))
        return np.column_stack([1 - second, second])
    if link == "softmax":
        grown = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))
    return raw
