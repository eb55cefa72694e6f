"""Groups of leaves with more columns than a table holds: only the codes that occur are paired."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .tree_cells import Cells
from .tree_groups import Group, Leaf
from .tree_tables import Coder, pair_weights

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PAIRS_PER_STEP = 1 << 18


def add_wide(
    groups: Sequence[Group],
    cells: Sequence[Cells],
    rows: Integers,
    back: Sequence[Integers],
    values: Floats,
    phi: Floats,
) -> None:
    """Add Shapley values to ``phi`` (parts, n, columns) for these rows, over each part of the background."""
    coder = Coder.of(groups, cells)
    all_codes = coder.codes(cells, rows)
    for part, places in enumerate(back):
        all_others = coder.codes(cells, places)
        for group, codes, others in zip(groups, all_codes.T, all_others.T, strict=True):
            if any(values[leaf.node] for leaf in group.leaves):
                own, place = np.unique(codes, return_inverse=True)
                theirs, counts = np.unique(others, return_counts=True)
                phi[part, rows] += _group(group, own, theirs, counts / len(places), values, phi.shape[2])[place]


def _group(group: Group, codes: Integers, others: Integers, share: Floats, values: Floats, columns: int) -> Floats:
    """Shapley values (codes, columns) over a background in which ``others`` have these shares."""
    shared = (1 << group.shared) - 1
    phi = np.zeros((len(codes), columns))
    step = max(1, PAIRS_PER_STEP // len(others))
    for start in range(0, len(codes), step):
        mine = codes[start : start + step]
        # the way to the group must be open before any of its leaves can be reached
        i, j = np.nonzero(((mine[:, None] | others[None, :]) & shared) == shared)
        for leaf in group.leaves:
            if len(i) and values[leaf.node]:
                _leaf(leaf, mine, others, i, j, share * values[leaf.node], phi[start : start + step])
    return phi


def _leaf(leaf: Leaf, codes: Integers, others: Integers, i: Integers, j: Integers, worth: Floats, phi: Floats) -> None:
    k = len(leaf.conditions)
    own, theirs = _own_codes(leaf, codes), _own_codes(leaf, others)
    reached = (own[i] | theirs[j]) == (1 << k) - 1
    i, j = i[reached], j[reached]
    if not len(i):
        return
    lacking_a, lacking_b = (k - ((c[:, None] >> np.arange(k)) & 1).sum(axis=1) for c in (theirs, own))
    of_a, of_b = (w[lacking_a[j], lacking_b[i]] * worth[j] for w in pair_weights(k))
    for place, condition in enumerate(leaf.conditions):
        x, b = (own >> place) & 1, (theirs >> place) & 1
        gain = np.where(b[j] == 0, of_a, 0.0) + np.where(x[i] == 0, of_b, 0.0)
        phi[:, condition.column] += np.bincount(i, weights=gain, minlength=len(codes))


def _own_codes(leaf: Leaf, codes: Integers) -> Integers:
    """Bit i: condition i of the leaf holds."""
    own = np.zeros(len(codes), dtype=np.int64)
    for place, condition in enumerate(leaf.conditions):
        wanted = condition.present | condition.absent
        own |= ((codes & wanted) == condition.present).astype(np.int64) << place
    return own
