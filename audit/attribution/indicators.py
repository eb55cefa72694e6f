"""Stored one-hot columns: which columns of a group are the levels of one thing, so that no two of them are ever 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns, Dataset

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """One-hot columns as one category ``name``: its values are the columns' names, and ``none`` where all are 0."""

    name: str
    columns: tuple[str, ...]
    none: str

    def of(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """The level of every row, (n,)."""
        hot = np.column_stack([columns[name].astype(bool) for name in self.columns])
        words = np.array([*self.columns, self.none], dtype=object)
        return np.asarray(words[np.where(hot.any(axis=1), hot.argmax(axis=1), len(self.columns))])

    def seen(self, data: Dataset) -> NDArray[Any]:
        """The levels that rows of ``data`` have, sorted."""
        found = self.of({name: data.values(name) for name in self.columns})
        return np.array(sorted(set(found.tolist())), dtype=object)


def one_hot_levels(tables: Sequence[Dataset]) -> tuple[Levels, ...]:
    """The one-hot columns of all groups of the first table's roles, under the group's name."""
    taken = set(tables[0].columns)
    found = []
    for group in tables[0].roles.feature_groups:
        for columns in indicator_sets(group.columns, tables):
            name = _free(group.name, taken)
            found.append(Levels(name=name, columns=columns, none=_free("none of them", set(columns))))
            taken.add(name)
    return tuple(found)


def packed(columns: Columns, one_hot: Sequence[Levels]) -> Columns:
    """The columns with each set of one-hot columns as one category."""
    parts = {name for levels in one_hot for name in levels.columns}
    return {
        **{name: values for name, values in columns.items() if name not in parts},
        **{levels.name: levels.of(columns) for levels in one_hot},
    }


def unpacked(table: Columns, like: Columns, one_hot: Sequence[Levels]) -> Columns:
    """What was packed from ``like``, in its order and types."""
    category = {name: levels.name for levels in one_hot for name in levels.columns}
    return {
        name: (table[category[name]] == name).astype(values.dtype) if name in category else table[name]
        for name, values in like.items()
    }


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken."""
    names = (name, *(f"{name} {i}" for i in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)


def indicator_sets(columns: Sequence[str], tables: Sequence[Dataset]) -> Iterator[tuple[str, ...]]:
    """Sets of 0/1 columns of which exactly one is 1 in every row of all tables.

    Where at most one is, all 0/1 columns are a set too: an encoding that left its first level out.
    """
    left = {name: np.concatenate(flags) for name in columns if (flags := _flags(name, tables)) is not None}
    if len(left) > 1 and np.sum(list(left.values()), axis=0).max() == 1:
        yield tuple(left)
        return
    while len(left) > 1:
        found = _disjoint(left)
        if len(found) < 2:
            return
        if np.sum([left[name] for name in found], axis=0).min() == 1:
            yield found
        left = {name: flags for name, flags in left.items() if name not in found}


def _flags(name: str, tables: Sequence[Dataset]) -> list[Bools] | None:
    """The column of each table as true and false; None where it holds anything but 0 and 1."""
    every = [table.values(name) for table in tables]
    if any(values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all() for values in every):
        return None
    return [values.astype(bool) for values in every]


def _disjoint(flags: dict[str, Bools]) -> tuple[str, ...]:
    """Columns of which no two are 1 together: the one that meets the most others goes first."""
    names = list(flags)
    table = np.array([flags[name] for name in names], dtype=np.float64)
    meets = table @ table.T > 0
    np.fill_diagonal(meets, val=False)
    kept = np.ones(len(names), dtype=bool)
    while meets[np.ix_(kept, kept)].any():
        kept[int(np.argmax(np.where(kept, meets[:, kept].sum(axis=1), -1)))] = False
    return tuple(name for name, is_kept in zip(names, kept, strict=True) if is_kept)
