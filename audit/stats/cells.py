"""Cells: the counts, histograms and sums of rows that every group measure is made of.

They are the only thing that is computed from rows, and they add up: chunks, files and machines merge with ``+``, in any
order and to the same bytes. Counts are integers; sums are kept in fixed point, since floating-point sums depend on
their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from audit.errors import CheckError
from audit.stats.arrays import Vector

BINS = 256
_BLOCK = 1 << 16  # rows at a time: the working arrays of a block stay in the processor's cache
_LIMB = 30  # bits of one half of a fixed-point number; a block's sums stay exact in float64

Counts = NDArray[np.int64]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums of values and of their powers in fixed point: ``high`` and ``low`` have shape (..., powers).

    Each value is rounded to ``scale`` x 2^-60 once; from there on nothing is lost, in whatever order rows arrive.
    """

    scale: float  # a power of two that no absolute value exceeds
    high: Counts
    low: Counts

    def __add__(self, other: Sums) -> Sums:
        if self.scale != other.scale:
            raise CheckError(f"sums merge at one scale, got {self.scale:g} and {other.scale:g}: tabulate with the same")
        return Sums(scale=self.scale, high=self.high + other.high, low=self.low + other.low)

    def totals(self) -> Vector:
        """The sums as floats; power p of the last axis is in unit scale^p."""
        units = self.scale ** np.arange(1.0, self.high.shape[-1] + 1)
        whole = self.high.astype(float) * 2.0**-_LIMB + self.low.astype(float) * 2.0 ** (-2 * _LIMB)
        return np.asarray(whole * units, dtype=float)

    def over(self, axes: tuple[int, ...]) -> Sums:
        return Sums(scale=self.scale, high=self.high.sum(axis=axes), low=self.low.sum(axis=axes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The first axes are the groups, one a column; then come label and decision (or label and score bin)."""

    counts: Counts  # (*groups, labels, decisions)
    histogram: Counts | None = None  # (*groups, labels, 256) of scores in 0..1
    moments: Sums | None = None  # (*groups, 3): of a value, its square and its cube
    weights: Sums | None = None  # (*groups, labels, decisions, 2): of the weight and its square

    def __add__(self, other: Cells) -> Cells:
        mine, theirs = self._tables(), other._tables()
        alike = [a is None or b is None or np.shape(a) == np.shape(b) for a, b in zip(mine, theirs, strict=True)]
        if not all(alike) or [a is None for a in mine] != [b is None for b in theirs]:
            raise CheckError("cells merge only when they hold the same tables of the same groups")
        return Cells(
            counts=self.counts + other.counts,
            histogram=_added(self.histogram, other.histogram),
            moments=_added(self.moments, other.moments),
            weights=_added(self.weights, other.weights),
        )

    def _tables(self) -> tuple[Counts | None, ...]:
        sums = (self.moments, self.weights)
        return self.counts, self.histogram, *(None if part is None else part.high for part in sums)

    @property
    def axes(self) -> int:
        """How many columns the groups are crossed from."""
        return self.counts.ndim - 2

    def by(self, *columns: int) -> Cells:
        """The cells of these columns alone, rows summed over the others. ``by()`` holds all rows."""
        if list(columns) != sorted(set(columns)) or not set(columns) <= set(range(self.axes)):
            raise CheckError(f"name each of the {self.axes} columns once, in order, got {columns}")
        away = tuple(axis for axis in range(self.axes) if axis not in columns)
        return Cells(
            counts=self.counts.sum(axis=away),
            histogram=None if self.histogram is None else self.histogram.sum(axis=away),
            moments=None if self.moments is None else self.moments.over(away),
            weights=None if self.weights is None else self.weights.over(away),
        )


def join(parts: Sequence[Cells]) -> Cells:
    """Groups of several tables in one, along a single group axis; a table without group axes counts as one group."""
    first = parts[0]

    def joined(tables: Sequence[Counts | None], inner: int) -> Counts | None:
        there = [table.reshape(-1, *table.shape[table.ndim - inner :]) for table in tables if table is not None]
        return np.concatenate(there) if there else None

    def sums(tables: Sequence[Sums | None], inner: int) -> Sums | None:
        high = joined([None if one is None else one.high for one in tables], inner)
        low = joined([None if one is None else one.low for one in tables], inner)
        scales = {one.scale for one in tables if one is not None}
        if high is None or low is None:
            return None
        if len(scales) > 1:
            raise CheckError(f"sums join at one scale, got {sorted(scales)}: tabulate with the same")
        return Sums(scale=scales.pop(), high=high, low=low)

    counts = joined([part.counts for part in parts], 2)
    return Cells(
        counts=first.counts if counts is None else counts,
        histogram=joined([part.histogram for part in parts], 2),
        moments=sums([part.moments for part in parts], 1),
        weights=sums([part.weights for part in parts], 3),
    )


_Table = TypeVar("_Table", Counts, Sums)


def _added(mine: _Table | None, theirs: _Table | None) -> _Table | None:
    return None if mine is None or theirs is None else mine + theirs


def tabulate(
    columns: Sequence[Array],
    sizes: Sequence[int],
    label: Array,
    decision: Array,
    *,
    classes: int = 2,
    score: Array | None = None,
    value: Array | None = None,
    weight: Array | None = None,
    scale: float = 1.0,
) -> Cells:
    """Count rows by group, label and decision. ``columns`` are integer codes below ``sizes``, shape (n,) each.

    ``label`` and ``decision`` are codes below ``classes``; ``score`` lies in 0..1; ``value`` and ``weight`` within
    ``scale``, a power of two that all parts to be merged share. Raises CheckError for values outside their range.
    """
    groups, n = prod(sizes), len(label)
    table = np.zeros(groups * classes * classes, dtype=np.int64)
    bins = np.zeros(groups * classes * BINS, dtype=np.int64)
    moments = _Accumulator(groups, 3, scale)
    weights = _Accumulator(groups * classes**2, 2, scale)
    for start in range(0, n, _BLOCK):
        part = slice(start, start + _BLOCK)
        group = _combined([column[part] for column in columns], sizes)
        line = _combined([group, label[part]], [groups, classes])
        cell = _combined([line, decision[part]], [groups * classes, classes])
        _count(table, cell)
        if score is not None:
            _count(bins, _combined([line, score_bins(score[part])], [groups * classes, BINS]))
        if value is not None:
            moments.add(group, value[part])
        if weight is not None:
            weights.add(cell, weight[part])
    return Cells(
        counts=table.reshape(*sizes, classes, classes),
        histogram=None if score is None else bins.reshape(*sizes, classes, BINS),
        moments=None if value is None else moments.sums((*sizes, 3)),
        weights=None if weight is None else weights.sums((*sizes, classes, classes, 2)),
    )


def _combined(columns: Sequence[Array], sizes: Sequence[int]) -> Array:
    """One code a row from the codes of all columns, the last one running fastest, in the smallest type that fits."""
    if not columns:
        raise CheckError("tabulate needs at least one column of groups; give zeros for all rows together")
    kind = np.dtype(np.uint8 if prod(sizes) <= 256 else np.int64)
    code: Array = _checked(columns[0], sizes[0]).astype(kind)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        np.multiply(code, kind.type(size), out=code)
        np.add(code, _checked(column, size), out=code, casting="unsafe")
    return code


def _checked(codes: Array, size: int) -> Array:
    """``codes`` if they lie in 0..size - 1; a code outside would be counted in another group's cell."""
    if codes.dtype == bool:
        return codes.view(np.uint8)
    low = 0 if codes.dtype.kind == "u" else int(codes.min(initial=0))
    if low < 0 or int(codes.max(initial=0)) >= size:
        raise CheckError(f"codes lie in 0..{size - 1}, got {low} to {codes.max()}")
    return codes


def _count(table: Counts, cell: Array) -> None:
    found = np.bincount(cell)
    table[: found.size] += found


def score_bins(score: Array) -> Array:
    """The bin of each score: 256 of equal width over 0..1, the last one closed. CheckError outside 0..1 and for NaN."""
    if score.size and not (score.min() >= 0 and score.max() <= 1):
        raise CheckError(f"scores of a histogram lie in 0..1, got {score.min():g} to {score.max():g}")
    return np.asarray(np.minimum((score * BINS).astype(np.int64), BINS - 1))


class _Accumulator:
    """Fixed-point sums of the powers of a value, by cell."""

    def __init__(self, cells: int, powers: int, scale: float) -> None:
        if not scale > 0 or np.frexp(scale)[0] != 0.5:
            raise CheckError(f"scale must be a power of two, got {scale:g}: use scale_of(values)")
        self._cells, self._scale = cells, scale
        self._high = np.zeros((cells, powers), dtype=np.int64)
        self._low = np.zeros((cells, powers), dtype=np.int64)

    def add(self, cell: Array, values: Array) -> None:
        share = np.asarray(values, dtype=float) / self._scale
        if not np.abs(share).max(initial=0.0) <= 1:
            raise CheckError(f"values lie within the scale {self._scale:g} and are finite: use scale_of(values)")
        for power, (high, low) in enumerate(_limbs(share, self._high.shape[1])):
            for table, limb in ((self._high, high), (self._low, low)):
                sums = np.bincount(cell, limb, minlength=self._cells)
                table[:, power] += sums.astype(np.int64)

    def sums(self, shape: tuple[int, ...]) -> Sums:
        return Sums(scale=self._scale, high=self._high.reshape(shape), low=self._low.reshape(shape))


def _limbs(share: Vector, powers: int) -> Iterator[tuple[Vector, Vector]]:
    """Each power of values in -1..1 as whole numbers of 2^-30 and, of what is left, of 2^-60."""
    raised = np.ones_like(share)
    for _ in range(powers):
        raised = raised * share
        scaled = raised * 2.0**_LIMB
        high = np.rint(scaled)
        yield high, np.rint((scaled - high) * 2.0**_LIMB)


def scale_of(values: Array) -> float:
    """The smallest power of two that no absolute value exceeds, 1 for an empty array."""
    most = float(np.abs(values).max(initial=0.0))
    return float(2.0 ** np.ceil(np.log2(most))) if most > 0 else 1.0
