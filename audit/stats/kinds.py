"""Groups whose numbers are the same are compared once: 10,000 small groups have a few hundred different counts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from audit.stats.arrays import Indices

Counts = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Which groups are alike. Kinds are numbered by their first groups, so that their order is that of the groups."""

    of: Indices  # (groups,) the kind of each
    first: Indices  # (kinds,) the first group of each

    @staticmethod
    def alike(keys: Iterable[Hashable]) -> Kinds:
        """Groups of one key are of one kind."""
        numbers: dict[Hashable, int] = {}
        of = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)
        return Kinds(of=of, first=np.unique(of, return_index=True)[1])

    @staticmethod
    def apart(groups: int) -> Kinds:
        """Every group is a kind of its own."""
        everyone = np.arange(groups)
        return Kinds(of=everyone, first=everyone)

    def pairs(self, size: int) -> Iterator[tuple[Indices, Indices, Counts]]:
        """Blocks of about ``size`` pairs of kinds: the kind of the earlier group, of the later, how many such pairs."""
        rows: list[tuple[Indices, Indices, Counts]] = []
        waiting = 0
        for kind in range(len(self.first)):
            rows.append(self._later(kind))
            waiting += len(rows[-1][0])
            if waiting >= size or kind + 1 == len(self.first):
                first, second, count = (np.concatenate(parts) for parts in zip(*rows, strict=True))
                yield first, second, count
                rows, waiting = [], 0

    def _later(self, kind: int) -> tuple[Indices, Indices, Counts]:
        start = self.first[kind]
        of = self.of[start:]
        earlier = np.cumsum(of == kind) - (of == kind)  # groups of the kind before each group
        counts = np.bincount(of, earlier, minlength=len(self.first)).astype(np.int64)
        second = np.flatnonzero(counts)
        return np.full(second.size, kind), second, counts[second]

    def groups(self, first: int, second: int) -> Iterator[tuple[int, int]]:
        """The pairs of groups that a pair of kinds stands for, in order."""
        others = np.flatnonzero(self.of == second)
        for group in np.flatnonzero(self.of == first).tolist():
            for other in others[np.searchsorted(others, group, side="right") :].tolist():
                yield group, other

    def members(self, kinds: Indices) -> Indices:
        """All groups of these kinds."""
        return np.flatnonzero(np.isin(self.of, kinds))
