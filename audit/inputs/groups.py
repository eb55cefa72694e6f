"""The sensitive columns and their crossings, as codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.data import Codes, Dataset

REQUIRES: dict[str, object] = {}

Slice = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class GroupSet:
    """The groups of one column, or of several crossed. Only groups that some row is in; none is dropped or merged."""

    columns: tuple[str, ...]
    codes: NDArray[np.int32]  # (n,) into levels
    levels: tuple[Slice, ...]


@dataclass(frozen=True, kw_only=True)
class Groups:
    """All sets of groups that are examined; empty when no sensitive column was named."""

    n: int
    sets: tuple[GroupSet, ...]

    def over(self, rows: NDArray[np.intp]) -> Iterator[tuple[Slice, NDArray[np.intp]]]:
        """All rows first, then each group: its slice, and its places within ``rows``."""
        yield {}, np.arange(len(rows))
        for group_set in self.sets:
            codes = group_set.codes[rows]
            order = np.argsort(codes, kind="stable")
            ends = np.cumsum(np.bincount(codes, minlength=len(group_set.levels)))
            for i, level in enumerate(group_set.levels):
                yield level, order[(ends[i - 1] if i else 0) : ends[i]]


def groups(case: Case, data: Dataset) -> Groups:
    """Each sensitive column, their crossings to the depth of [stats] intersections, and what limits ask for."""
    coded = {name: data.codes(name) for name in wanted_columns(case)}
    return Groups(n=data.n, sets=tuple(crossed(columns, coded) for columns in wanted_sets(case)))


def wanted_sets(case: Case) -> list[tuple[str, ...]]:
    named = case.datasets["test"].roles.groups
    depth = min(case.spec.stats.intersections, len(named))
    sets = [columns for size in range(1, depth + 1) for columns in combinations(named, size)]
    asked = [*sets, *(limit.by for limit in case.spec.limit if limit.by and limit.by != ("*",))]
    return list({frozenset(columns): columns for columns in reversed(asked)}.values())[::-1]


def wanted_columns(case: Case) -> list[str]:
    return list(dict.fromkeys(column for columns in wanted_sets(case) for column in columns))


def crossed(columns: tuple[str, ...], coded: Mapping[str, Codes]) -> GroupSet:
    """The groups that the rows form when these columns are taken together."""
    combined = np.zeros(len(coded[columns[0]].codes), dtype=np.int64)
    for column in columns:
        combined = combined * len(coded[column].levels) + coded[column].codes
    present, codes = np.unique(combined, return_inverse=True)
    levels = []
    for value in present.tolist():
        rest, level = value, {}
        for column in reversed(columns):
            rest, at = divmod(rest, len(coded[column].levels))
            level[column] = coded[column].levels[at]
        levels.append({column: level[column] for column in columns})
    return GroupSet(columns=columns, codes=codes.astype(np.int32), levels=tuple(levels))
