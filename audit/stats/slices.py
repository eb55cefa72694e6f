"""Where a model errs: every conjunction of feature values up to a depth, each tested exactly.

All conjunctions with enough rows are fixed before an error is looked at, so Holm's correction over them is valid, and
no split of the rows is needed. Against the overall error rate the test is hypergeometric; against what the scores
predict it is the binomial tail that bounds every sum of unequal chances (Hoeffding 1956, Annals of Mathematical
Statistics 27). Of slices that overlap only those are kept that stand out in the rows which no kept one explains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, gammaln

from audit.errors import CheckError
from audit.stats.arrays import Indices, Mask, Vector
from audit.stats.simultaneous import holm

_MOST_LEVELS = 30  # of one column: with more, a crossing of three has more cells than there are rows
_CONSIDERED = 200  # significant slices that the redundancy filter looks at
_SCREEN = 1.5  # standard errors below which the exact tail is not worked out, and its p-value taken as 1

Codes = NDArray[Any]
Rule = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """``rule`` holds (column, level) pairs; ``k`` of its ``n`` rows are wrong, ``expected`` would be by chance."""

    rule: Rule
    n: int
    k: int
    expected: float
    p: float  # adjusted over all slices tested (Holm)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSearch:
    """The slices that stand out, the surest first, and how many were tested."""

    found: tuple[FoundSlice, ...]
    tested: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """Every slice with enough rows, one entry each; ``column`` and ``level`` are -1 where the rule is shorter."""

    column: Indices  # (slices, depth)
    level: Indices
    n: Vector
    k: Vector
    expected: Vector


def find_slices(
    columns: Sequence[Codes],
    sizes: Sequence[int],
    wrong: NDArray[np.bool_],
    *,
    chance: Vector | None = None,
    depth: int = 2,
    fewest: int = 30,
    alpha: float = 0.05,
    most: int = 10,
) -> SliceSearch:
    """Slices with more wrong rows than chance explains, any of them false with probability ``alpha`` at most.

    ``columns`` hold integer codes below ``sizes``, shape (n,) each. ``chance`` is each row's probability of being wrong
    as the scores have it; without it the overall share is held against each slice. Slices of fewer than ``fewest``
    rows are not tested.
    """
    if depth not in (1, 2, 3) or not 0 < alpha < 1:
        raise CheckError(f"depth must be 1, 2 or 3 and alpha between 0 and 1, got {depth} and {alpha:g}")
    kept = [_common(codes, size, fewest) for codes, size in zip(columns, sizes, strict=True)]
    tested = _tabulated(kept, wrong, chance, depth, fewest)
    p = _p_values(tested, wrong, exact=chance is None)
    adjusted = holm(p)
    order = np.lexsort((tested.n, p))
    significant = [int(i) for i in order[:_CONSIDERED] if adjusted[i] < alpha]
    kept_slices = _distinct(significant, tested, kept, wrong, chance, alpha / max(len(p), 1), most)
    return SliceSearch(found=tuple(_slice(tested, i, adjusted[i], kept) for i in kept_slices), tested=len(p))


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


def _tabulated(
    columns: Sequence[_Column], wrong: NDArray[np.bool_], chance: Vector | None, depth: int, fewest: int
) -> _Tested:
    at = np.flatnonzero(wrong)
    parts = [_cells(rule, columns, code, at, chance, depth, fewest) for rule, code in _crossings(columns, depth)]
    empty = np.empty((0, depth), dtype=np.intp)
    if not parts:
        return _Tested(column=empty, level=empty, n=np.empty(0), k=np.empty(0), expected=np.empty(0))
    column, level, n, k, expected = (np.concatenate(one) for one in zip(*parts, strict=True))
    if chance is None:
        expected = n * (wrong.sum() / max(wrong.size, 1))
    return _Tested(column=column, level=level, n=n, k=k, expected=expected)


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
    chance: Vector | None,
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
    expected: Vector = np.zeros(at.size)
    if chance is not None:
        expected = np.asarray(np.bincount(code, chance, minlength=size)[at], dtype=float)
    column, level = np.full((2, at.size, depth), -1, dtype=np.intp)
    column[:, : len(rule)] = rule
    level[:, : len(rule)] = np.column_stack(places)
    return column, level, n[at].astype(float), k.astype(float), expected


def _p_values(tested: _Tested, wrong: NDArray[np.bool_], *, exact: bool) -> Vector:
    """One-sided p-value of each slice; a p-value taken as 1 is only ever too large."""
    total, errors = float(wrong.size), float(wrong.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(tested.expected * (1 - tested.expected / tested.n))
        promising = (tested.k - tested.expected) > _SCREEN * spread
    p = np.ones(tested.n.size)
    n, k = tested.n[promising], tested.k[promising]
    if exact:
        p[promising] = hypergeometric_tail(k, n, errors, total)
    else:
        p[promising] = binomial_tail_bound(k, n, tested.expected[promising])
    return p


def binomial_tail_bound(k: Vector, n: Vector, expected: Vector) -> Vector:
    """P(at least k of n), at most, for independent trials of any chances whose sum is ``expected`` (Hoeffding 1956)."""
    tail = bdtrc(np.maximum(k - 1, 0), n.astype(np.int64), np.clip(expected / n, 0.0, 1.0))
    return np.where((k >= expected + 1) & (k >= 1), np.asarray(tail, dtype=float), 1.0)


def hypergeometric_tail(k: Vector, n: Vector, errors: float, total: float) -> Vector:
    """P(at least k wrong) among n rows drawn from ``total`` of which ``errors`` are wrong, summed from k upwards."""
    log_term = _log_choose(errors, k) + _log_choose(total - errors, n - k) - _log_choose(total, n)
    term = np.exp(log_term)
    tail, last = term.copy(), np.minimum(n, errors)
    at = k.copy()
    while term.size and np.any(term > 1e-16 * tail):
        ratio = (errors - at) * (n - at) / ((at + 1) * (total - errors - n + at + 1))
        term = np.where(at < last, term * ratio, 0.0)
        tail, at = tail + term, at + 1
    return np.minimum(tail, 1.0)


def _log_choose(n: float | Vector, k: Vector) -> Vector:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=float)


def _distinct(
    candidates: Sequence[int],
    tested: _Tested,
    columns: Sequence[_Column],
    wrong: NDArray[np.bool_],
    chance: Vector | None,
    alpha: float,
    most: int,
) -> list[int]:
    """The candidates, surest first, that still stand out among the rows outside those already kept."""
    kept: list[int] = []
    left: Mask = np.ones(wrong.size, dtype=bool)
    for i in candidates:
        inside = _rows(tested, i, columns)
        mine = inside & left
        if kept and not _stands_out(mine, left, wrong, chance, alpha):
            continue
        kept.append(i)
        left &= ~inside
        if len(kept) == most:
            break
    return kept


def _stands_out(mine: Mask, left: Mask, wrong: NDArray[np.bool_], chance: Vector | None, alpha: float) -> bool:
    n, k = np.array([mine.sum()], dtype=float), np.array([(mine & wrong).sum()], dtype=float)
    if n[0] == 0:
        return False
    if chance is not None:
        return bool(binomial_tail_bound(k, n, np.array([chance[mine].sum()]))[0] < alpha)
    return bool(hypergeometric_tail(k, n, float((left & wrong).sum()), float(left.sum()))[0] < alpha)


def _rows(tested: _Tested, i: int, columns: Sequence[_Column]) -> Mask:
    pairs = [(c, v) for c, v in zip(tested.column[i].tolist(), tested.level[i].tolist(), strict=True) if c >= 0]
    return np.asarray(np.logical_and.reduce([columns[c].codes == v for c, v in pairs]))


def _slice(tested: _Tested, i: int, p: float, columns: Sequence[_Column]) -> FoundSlice:
    pairs = zip(tested.column[i].tolist(), tested.level[i].tolist(), strict=True)
    return FoundSlice(
        rule=tuple((c, int(columns[c].levels[v])) for c, v in pairs if c >= 0),
        n=int(tested.n[i]),
        k=int(tested.k[i]),
        expected=float(tested.expected[i]),
        p=float(p),
    )
