"""Where a model errs: every conjunction of feature values up to a depth, each tested exactly.

All conjunctions with enough rows are fixed before an error is looked at, so Holm's correction over them is valid, and
no split of the rows is needed. Against the overall error rate the test is hypergeometric; against what the scores
predict it is the binomial tail that bounds every sum of unequal chances (Hoeffding 1956, Annals of Mathematical
Statistics 27). Rows with weights or in clusters have tests of their own (:mod:`audit.stats.slice_tests`). Of slices
that overlap only those are kept that stand out in the rows which no kept one explains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import CheckError
from audit.results import Basis
from audit.stats.arrays import Indices, Mask, Vector
from audit.stats.simultaneous import holm
from audit.stats.slice_tests import (
    Rows,
    binomial_tail_bound,
    effective_tail,
    hypergeometric_tail,
    p_value,
    rate_of,
)
from audit.stats.weighting import checked_weights

_MOST_LEVELS = 30  # of one column: with more, a crossing of three has more cells than there are rows
_CONSIDERED = 200  # significant slices that the redundancy filter looks at
_SCREEN = 1.5  # standard errors below which the exact tail is not worked out, and its p-value taken as 1

Codes = NDArray[Any]
Rule = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """``rule`` holds (column, level) pairs; ``k`` of its ``n`` rows are wrong, ``expected`` would be by chance.

    ``rate`` is its error rate, weighted where rows are, with an interval that holds for all slices tested.
    """

    rule: Rule
    n: int
    k: int
    expected: float
    rate: Basis
    p: float  # adjusted over all slices tested (Holm)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSearch:
    """The slices that stand out, the surest first, and how many were tested."""

    found: tuple[FoundSlice, ...]
    tested: int
    test: str  # in words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """Every slice with enough rows, one entry each; ``column`` and ``level`` are -1 where the rule is shorter."""

    column: Indices  # (slices, depth)
    level: Indices
    n: Vector
    k: Vector
    expected: Vector  # of n rows
    weights: Vector  # (4, slices): sums of weights and their squares, over all rows and over the wrong ones; or empty


def find_slices(
    columns: Sequence[Codes],
    sizes: Sequence[int],
    wrong: NDArray[np.bool_],
    *,
    chance: Vector | None = None,
    weight: Vector | None = None,
    cluster: NDArray[np.int32] | None = None,
    depth: int = 2,
    fewest: int = 30,
    alpha: float = 0.05,
    most: int = 10,
) -> SliceSearch:
    """Slices with more wrong rows than chance explains, any of them false with probability ``alpha`` at most.

    ``columns`` hold integer codes below ``sizes``, shape (n,) each. ``chance`` is each row's probability of being wrong
    as the scores have it; without it the overall share is held against each slice. ``weight`` is what each row counts,
    ``cluster`` the code of whom it belongs to. Slices of fewer than ``fewest`` rows are not tested. CheckError for
    weights that are negative or not finite.
    """
    if depth not in (1, 2, 3) or not 0 < alpha < 1:
        raise CheckError(f"depth must be 1, 2 or 3 and alpha between 0 and 1, got {depth} and {alpha:g}")
    rows = Rows(wrong=wrong, chance=chance, weight=None if weight is None else checked_weights(weight), cluster=cluster)
    kept = [_common(codes, size, fewest) for codes, size in zip(columns, sizes, strict=True)]
    tested = _tabulated(kept, rows, depth, fewest)
    p = _p_values(tested, rows, kept)
    adjusted = holm(p)
    order = np.lexsort((tested.n, p))
    significant = [int(i) for i in order[:_CONSIDERED] if adjusted[i] < alpha]
    kept_slices = _distinct(significant, tested, kept, rows, alpha / max(len(p), 1), most)
    found = tuple(_slice(tested, i, float(adjusted[i]), kept, rows) for i in kept_slices)
    return SliceSearch(found=found, tested=len(p), test=rows.words)


@dataclass(frozen=True, slots=True)
class _Column:
    """Codes into the levels that are tested, ``levels``; the code after the last stands for all others."""

    codes: Codes
    levels: Indices


def _common(codes: Codes, size: int, fewest: int) -> _Column:
    """The levels with enough rows to be tested, at most 30, the most frequent first."""
    counts = np.bincount(codes, minlength=size)
    frequent = np.argsort(-counts, kind="stable")[:_MOST_LEVELS]
    levels = np.sort(frequent[counts[frequent] >= fewest])
    place = np.full(size, levels.size, dtype=np.int32)
    place[levels] = np.arange(levels.size)
    return _Column(place[codes], levels)


def _tabulated(columns: Sequence[_Column], rows: Rows, depth: int, fewest: int) -> _Tested:
    at, sums = np.flatnonzero(rows.wrong), _summed(rows)
    parts = [_cells(rule, columns, code, at, sums, depth, fewest) for rule, code in _crossings(columns, depth)]
    if not parts:
        parts = [(*np.empty((2, 0, depth), dtype=np.intp), *np.empty((2, 0)), np.empty((len(sums), 0)))]
    column, level, n, k = (np.concatenate([part[i] for part in parts]) for i in range(4))
    totals = np.concatenate([part[4] for part in parts], axis=1)
    weights, chances = totals[: len(sums) - (rows.chance is not None)], totals[-1:]
    if rows.chance is None:
        weight = rows.weights
        expected = n * (float(weight @ rows.wrong) / max(float(weight.sum()), 1e-300))
    else:
        size = weights[0] if rows.weight is not None else n
        expected = n * np.divide(chances[0], size, out=np.ones_like(n), where=size > 0)
    return _Tested(column=column, level=level, n=n, k=k, expected=expected, weights=weights)


def _summed(rows: Rows) -> list[Vector]:
    """What is added up in every cell: weights and their squares, of all rows and the wrong ones, and chances last."""
    w = rows.weight
    sums = [] if w is None else [w, w * w, w * rows.wrong, w * w * rows.wrong]
    return sums if rows.chance is None else [*sums, rows.weights * rows.chance]


def _crossings(columns: Sequence[_Column], depth: int) -> Iterator[tuple[tuple[int, ...], Codes]]:
    """Every set of up to ``depth`` columns with one code a row; the code of a pair serves all its triples."""
    for i, column in enumerate(columns):
        yield (i,), column.codes
    for i, j in combinations(range(len(columns)) if depth > 1 else (), 2):
        pair = columns[i].codes * np.int32(columns[j].levels.size + 1) + columns[j].codes
        yield (i, j), pair
        for m in range(j + 1, len(columns)) if depth > 2 else ():
            yield (i, j, m), pair * np.int32(columns[m].levels.size + 1) + columns[m].codes


def _cells(
    rule: tuple[int, ...],
    columns: Sequence[_Column],
    code: Codes,
    wrong: Indices,
    sums: Sequence[Vector],
    depth: int,
    fewest: int,
) -> tuple[Indices, Indices, Vector, Vector, Vector]:
    shape = tuple(columns[i].levels.size + 1 for i in rule)
    size = int(np.prod(shape))
    n = np.bincount(code, minlength=size)
    inner = n.reshape(shape)[tuple(slice(0, width - 1) for width in shape)]
    places = np.nonzero(inner >= fewest)
    at = np.ravel_multi_index(places, shape)
    k = np.bincount(code[wrong], minlength=size)[at]
    totals = np.empty((len(sums), at.size))
    for i, values in enumerate(sums):
        totals[i] = np.bincount(code, values, minlength=size)[at]
    column, level = np.full((2, at.size, depth), -1, dtype=np.intp)
    column[:, : len(rule)] = rule
    level[:, : len(rule)] = np.column_stack(places)
    return column, level, n[at].astype(float), k.astype(float), totals


def _p_values(tested: _Tested, rows: Rows, columns: Sequence[_Column]) -> Vector:
    """One-sided p-value of each slice; a p-value taken as 1 is only ever too large."""
    if rows.cluster is not None:
        return _clustered(tested, rows, columns)
    if rows.weight is not None:
        w, w2, hit, hit2 = tested.weights
        return effective_tail(w, w2, hit, hit2, tested.expected / tested.n)
    p = np.ones(tested.n.size)
    promising = _promising(tested.k / tested.n, tested.n, tested)
    n, k = tested.n[promising], tested.k[promising]
    if rows.chance is None:
        p[promising] = hypergeometric_tail(k, n, float(rows.wrong.sum()), float(rows.wrong.size))
    else:
        p[promising] = binomial_tail_bound(k, n, tested.expected[promising])
    return p


def _promising(share: Vector, size: Vector, tested: _Tested) -> Mask:
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = tested.expected / tested.n
        return np.asarray(share - expected > _SCREEN * np.sqrt(expected * (1 - expected) / size))


def _clustered(tested: _Tested, rows: Rows, columns: Sequence[_Column]) -> Vector:
    """Row by row for those slices alone that would be worth a look if rows did not come in clusters."""
    p, everybody = np.ones(tested.n.size), np.ones(rows.wrong.size, dtype=bool)
    share, size = tested.k / tested.n, tested.n
    if rows.weight is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            share, size = tested.weights[2] / tested.weights[0], tested.weights[0] ** 2 / tested.weights[1]
    for i in np.flatnonzero(_promising(share, size, tested)).tolist():
        p[i] = p_value(_rows(tested, i, columns), everybody, rows)
    return p


def _distinct(
    candidates: Sequence[int],
    tested: _Tested,
    columns: Sequence[_Column],
    rows: Rows,
    alpha: float,
    most: int,
) -> list[int]:
    """The candidates, surest first, that still stand out among the rows outside those already kept."""
    kept: list[int] = []
    left: Mask = np.ones(rows.wrong.size, dtype=bool)
    for i in candidates:
        inside = _rows(tested, i, columns)
        mine = inside & left
        if kept and not (mine.any() and p_value(mine, left, rows) < alpha):
            continue
        kept.append(i)
        left &= ~inside
        if len(kept) == most:
            break
    return kept


def _rows(tested: _Tested, i: int, columns: Sequence[_Column]) -> Mask:
    pairs = [(c, v) for c, v in zip(tested.column[i].tolist(), tested.level[i].tolist(), strict=True) if c >= 0]
    return np.asarray(np.logical_and.reduce([columns[c].codes == v for c, v in pairs]))


def _slice(tested: _Tested, i: int, p: float, columns: Sequence[_Column], rows: Rows) -> FoundSlice:
    pairs = zip(tested.column[i].tolist(), tested.level[i].tolist(), strict=True)
    return FoundSlice(
        rule=tuple((c, int(columns[c].levels[v])) for c, v in pairs if c >= 0),
        n=int(tested.n[i]),
        k=int(tested.k[i]),
        expected=float(tested.expected[i]),
        rate=rate_of(_rows(tested, i, columns), rows, tested.n.size),
        p=p,
    )
