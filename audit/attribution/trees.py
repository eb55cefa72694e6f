"""Exact Shapley values of forests over a background sample (interventional), without sampling.

Leaves are taken in groups that share a code of at most 8 bits; the answers for every code are tabulated once, and a row
is then a sum of table rows. Groups of deep trees, whose leaves ask for more columns, are enumerated over the codes that
occur. Missing values and categorical splits are decided as the model itself decides them.

Sources: Lundberg et al., Nature Machine Intelligence 2, 2020 (the interventional value function of trees); Nadel &
Wettenstein, arXiv 2511.09376, 2025 (tables of leaf patterns).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from audit.models.forest import Forest

from .tree_cells import Cells, partition, rows_at_once
from .tree_groups import Group, Nodes, groups
from .tree_tables import Coder, tabulate
from .tree_wide import add_wide

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TABLE_ROWS = 1 << 14  # of one table, about a megabyte: it stays in the cache while rows are looked up
ROWS_PER_CALL = 1 << 14
WIDE_GROUPS = 256  # coded at once


def tree_shapley(
    forest: Forest,
    rows: Floats,
    background: Floats,
    *,
    owner: Integers,
    columns: int,
    targets: Integers,
    parts: int = 1,
) -> Floats:
    """Shapley values (parts, n, columns) of the output ``targets`` (n,) for rows (n, t) of a design matrix, over each
    of so many equal parts of the background (m, t). Design column j is made of the user's column, or of the group of
    columns, ``owner[j]``."""
    phi = np.zeros((parts, len(rows), columns))
    size = rows_at_once(forest, owner, columns, len(background))
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        _add_rows(forest, rows[part], background, owner, targets[part], phi[:, part])
    return phi


def _add_rows(
    forest: Forest, rows: Floats, background: Floats, owner: Integers, targets: Integers, phi: Floats
) -> None:
    """Add the Shapley values of these rows to ``phi`` (parts, n, columns)."""
    parts, n, columns = phi.shape
    cut = partition(forest, np.concatenate([rows, background]), owner, columns)
    back = np.array_split(np.arange(n, n + len(background)), parts)
    outputs = [(int(o), np.flatnonzero(targets == o)) for o in np.unique(targets)]
    for chunk, wide in _chunks(forest, Nodes.of(forest, cut)):
        for output, mine in outputs:
            own = forest.value[:, output]
            if wide:
                add_wide(chunk, cut.cells, mine, back, own, phi)
            elif any(own[leaf.node] for group in chunk for leaf in group.leaves):
                _add_tabulated(chunk, cut.cells, mine, back, own, phi)


def _add_tabulated(
    chunk: Sequence[Group],
    cells: Sequence[Cells],
    rows: Integers,
    back: Sequence[Integers],
    values: Floats,
    phi: Floats,
) -> None:
    coder = Coder.of(chunk, cells)
    tables = [tabulate(chunk, coder.codes(cells, part), values) for part in back]
    for start in range(0, len(rows), ROWS_PER_CALL):
        block = rows[start : start + ROWS_PER_CALL]
        codes = coder.codes(cells, block)
        for part, table in enumerate(tables):
            phi[part, block[:, None], table.columns] += table.sum(codes)


def _chunks(forest: Forest, nodes: Nodes) -> Iterator[tuple[list[Group], bool]]:
    """Groups in portions whose tables are of a size, tabulated ones and wide ones apart."""
    narrow: list[Group] = []
    size = 0
    for root in forest.roots.tolist():
        wide: list[Group] = []
        for group in groups(nodes, root):
            if not group.bits:
                continue  # a tree that is one leaf
            (wide if group.wide else narrow).append(group)
            size += 0 if group.wide else 1 << len(group.bits)
        for start in range(0, len(wide), WIDE_GROUPS):
            yield wide[start : start + WIDE_GROUPS], True
        if size > TABLE_ROWS:
            yield narrow, False
            narrow, size = [], 0
    if narrow:
        yield narrow, False
