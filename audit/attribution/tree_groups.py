"""A forest cut into groups of neighbouring leaves, whose conditions fit into one code.

A leaf is reached when, for each of the k columns on its way, the row's value satisfies every split on that column. The
leaves of a subtree share the way to its root: one bit a column for that, and one bit for each split inside. All that a
row's values do to the group is in that code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audit.errors import Unavailable
from audit.models.forest import LEAF, Forest

from .tree_cells import Partition

TABLE_BITS = 8  # codes of a group that is tabulated: 256 rows at most
WIDE_BITS = 62  # codes of other groups, in 64-bit integers
WIDE_SPLITS = 15

Literal = tuple[int, bool]  # a split of a column, and whether left is asked for
Path = dict[int, tuple[Literal, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A leaf's demand on one column: which bits of the group's code must be set, and which must not."""

    column: int
    present: int
    absent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    node: int
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """``bits`` says of each bit the column it is about and the splits that must all go the right way."""

    bits: tuple[tuple[int, tuple[Literal, ...]], ...]
    shared: int  # the first bits, which every leaf of the group demands
    leaves: tuple[Leaf, ...]

    @property
    def wide(self) -> bool:
        return len(self.bits) > TABLE_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """A forest's nodes as lists, because trees are walked node by node."""

    column: list[int]
    split: list[int]
    left: list[int]
    right: list[int]

    @classmethod
    def of(cls, forest: Forest, parts: Partition) -> Nodes:
        return cls(
            column=parts.column.tolist(),
            split=parts.split.tolist(),
            left=forest.left.tolist(),
            right=forest.right.tolist(),
        )


def groups(nodes: Nodes, root: int) -> Iterator[Group]:
    """The groups of one tree. Unavailable when a leaf asks for more columns than a code can hold."""
    below = _splits_below(nodes, root)
    stack: list[tuple[int, Path]] = [(root, {})]
    while stack:
        node, path = stack.pop()
        if _fits(len(path), below[node]):
            yield _group(nodes, node, path)
            continue
        u, s = nodes.column[node], nodes.split[node]
        if u == LEAF:
            raise Unavailable("not_applicable", f"a tree asks for {len(path)} columns on one way", "nothing to do")
        before = path.get(u, ())
        stack.append((nodes.right[node], {**path, u: (*before, (s, False))}))
        stack.append((nodes.left[node], {**path, u: (*before, (s, True))}))


def _fits(shared: int, splits: int) -> bool:
    if shared + splits <= TABLE_BITS:
        return True
    return shared >= TABLE_BITS and splits <= WIDE_SPLITS and shared + splits <= WIDE_BITS


def _splits_below(nodes: Nodes, root: int) -> dict[int, int]:
    order, stack = [], [root]
    while stack:
        node = stack.pop()
        order.append(node)
        if nodes.column[node] != LEAF:
            stack += [nodes.left[node], nodes.right[node]]
    below: dict[int, int] = {}
    for node in reversed(order):
        leaf = nodes.column[node] == LEAF
        below[node] = 0 if leaf else 1 + below[nodes.left[node]] + below[nodes.right[node]]
    return below


def _group(nodes: Nodes, root: int, path: Path) -> Group:
    bits = list(path.items())
    start = {u: (1 << i, 0) for i, u in enumerate(path)}
    leaves = []
    stack = [(root, start)]
    while stack:
        node, demands = stack.pop()
        if (u := nodes.column[node]) == LEAF:
            conditions = tuple(Condition(column=c, present=p, absent=a) for c, (p, a) in demands.items())
            leaves.append(Leaf(node=node, conditions=conditions))
            continue
        bit = 1 << len(bits)
        bits.append((u, ((nodes.split[node], True),)))
        present, absent = demands.get(u, (0, 0))
        stack.append((nodes.right[node], {**demands, u: (present, absent | bit)}))
        stack.append((nodes.left[node], {**demands, u: (present | bit, absent)}))
    return Group(bits=tuple(bits), shared=len(path), leaves=tuple(leaves))
