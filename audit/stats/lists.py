"""Rates, means and shares of rows that are ranked in lists: lists are drawn, the rows of one are not independent.

A list is a cluster (Liang & Zeger 1986). Places are given away: what one group gains another loses, so that the errors
of two groups of the same lists go opposite ways. A basis says so in its number ``rho``, the most negative correlation
between any two groups of its set, and their gap is widened by it (Zou 2007, Psychological Methods 12). A positive
correlation is not used: it would narrow the gap on the word of an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.arrays import Vector
from audit.stats.transformed import normal
from audit.stats.weighting import clustered_mean

Codes = NDArray[np.integer]
FEWEST = 3  # lists that a ratio of sums needs
MOST_CELLS = 4_000_000  # of lists times groups, whose errors are compared; beyond it lists are taken together


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A basis and the error of each unit (a list, or the person that several belong to), over codes of units."""

    basis: Basis
    units: NDArray[np.intp]
    errors: Vector
    n: int = 0  # lists that the value is a mean of; 0 where rows are counted


def list_rate(hit: Vector, unit: Codes, weight: Vector) -> Listed:
    """Share of the weight that is a hit, 0..1 a row (a tie over the last place is shared out), over lists.

    Wilson's interval on n_eff = p (1 - p) / V, with t quantiles; where all lists agree each counts as one row. Not
    capped by the rows: a fixed number of places makes lists more alike than draws are. Raises Unavailable as
    ``clustered_mean``.
    """
    total, size, units, p = _residuals(hit, unit, weight)
    spread = _spread(total, size)
    effective = p * (1 - p) / spread if 0 < p < 1 and spread > 0 else _effective(size)
    numbers = {"n": float(len(hit)), "p": min(max(p, 0.0), 1.0), "n_effective": effective, "clusters": _effective(size)}
    return Listed(basis=Basis(method="clustered_wilson", numbers=numbers), units=units, errors=total / size.sum())


def list_mean(values: Vector, unit: Codes, weight: Vector, lists: int = 0) -> Listed:
    """Mean over rows, or over ``lists`` lists where a value is a list's own; by Hall's t on each unit's contribution.

    Raises Unavailable as ``clustered_mean``.
    """
    total, size, units, _ = _residuals(values, unit, weight)
    return Listed(basis=clustered_mean(values, unit, weight), units=units, errors=total / size.sum(), n=lists)


def ndcg(score: Vector, relevance: Vector, lists: Codes, k: int) -> tuple[Vector, Codes]:
    """NDCG of the first k rows of each list, and the list's code; lists of one row or without relevance are left out.

    Rows come in the order of their lists and, within each, from the highest score. Rows of one score are worth their
    mean: what they are worth in expectation when ties are broken at random (McSherry & Najork, ECIR 2008).
    """
    if not len(score):
        return np.zeros(0), np.zeros(0, dtype=np.int32)
    new_list = np.diff(lists, prepend=lists[0] - 1) != 0
    at = np.arange(len(score))
    place, starts = np.cumsum(new_list) - 1, at[new_list]
    tie = np.cumsum(new_list | (np.diff(score, prepend=np.nan) != 0)) - 1
    worth = (np.bincount(tie, relevance) / np.bincount(tie))[tie]
    rank = at - starts[place]
    discount = np.where(rank < k, 1 / np.log2(2 + rank), 0.0)
    best = relevance[np.lexsort((-relevance, lists))]
    gained, ideal = np.bincount(place, worth * discount), np.bincount(place, best * discount)
    kept = (ideal > 0) & (np.bincount(place) > 1)
    return gained[kept] / ideal[kept], lists[starts[kept]]


def share_ratio(of: Vector, among: Vector, of_all: Vector | None = None, among_all: Vector | None = None) -> Listed:
    """A group's share of one sum over its share of another, (units,) each: of exposure over rows, or over relevance.

    Linearised over units, t interval on the log scale. Without ``of_all`` and ``among_all`` both totals are taken as
    given and the value is the ratio of the group's own sums. Raises Unavailable: undefined for a share of nothing,
    insufficient data below three units.
    """
    parts: list[tuple[Vector, float]] = [(of, 1.0), (among, -1.0)]
    if of_all is not None and among_all is not None:
        parts += [(of_all, -1.0), (among_all, 1.0)]
    if any(part.sum() <= 0 for part, _ in parts):
        raise Unavailable("undefined", "there is nothing to have a share of", "give rows with relevance above 0")
    units = int(np.count_nonzero((of > 0) | (among > 0)))
    if units < FEWEST:
        raise Unavailable(
            "insufficient_data", f"{units} lists or rows say too little of others", f"give at least {FEWEST}"
        )
    ratio = float(np.exp(sum(sign * np.log(part.sum()) for part, sign in parts)))
    errors = ratio * np.sum([sign * part / part.sum() for part, sign in parts], axis=0)
    se = float(np.sqrt(errors @ errors * units / (units - 1)))
    basis = normal(ratio, se, scale="log", df=max(_effective(of) - 1, 1.0), n=units)
    return Listed(basis=basis, units=np.arange(len(of)), errors=np.asarray(errors, dtype=float))


def beside_each_other(found: Sequence[Listed], units: int) -> list[Basis]:
    """The bases of groups that share no row but share lists, each with the ``rho`` of their set."""
    rho = _most_opposed(found, units)
    if rho == 0:
        return [one.basis for one in found]
    return [replace(one.basis, numbers={**one.basis.numbers, "rho": rho}) for one in found]


def _most_opposed(found: Sequence[Listed], units: int) -> float:
    """The lowest correlation between the errors of two groups, at most 0."""
    found = [one for one in found if one.errors.size]
    if len(found) < 2:
        return 0.0
    folds = int(min(units, max(MOST_CELLS // len(found), 2)))
    errors = np.stack([np.bincount(one.units % folds, one.errors, minlength=folds) for one in found])
    length = np.sqrt((errors**2).sum(axis=1))
    errors = errors[length > 1e-14]
    if len(errors) < 2:
        return 0.0
    errors /= length[length > 1e-14][:, None]
    lowest = min(float((errors[i + 1 :] @ errors[i]).min()) for i in range(len(errors) - 1))
    return float(np.clip(round(lowest, 6), -1.0, 0.0))


def _residuals(values: Vector, unit: Codes, weight: Vector) -> tuple[Vector, Vector, NDArray[np.intp], float]:
    """Of each unit: weighted residual and weight; the codes of the units; and the weighted mean."""
    kept = weight > 0
    x, w = np.asarray(values, dtype=float)[kept], weight[kept]
    units, place = np.unique(np.asarray(unit)[kept], return_inverse=True)
    if units.size < 2:
        found = "all rows belong to one list" if units.size else "there are no rows"
        reason = "insufficient_data" if units.size else "undefined"
        raise Unavailable(reason, f"{found}, which says nothing about others", "give rows of at least 2 lists")
    mean = float(w @ x) / float(w.sum())
    total, size = np.bincount(place, w * (x - mean)), np.bincount(place, w)
    return np.asarray(total, dtype=float), np.asarray(size, dtype=float), units.astype(np.intp), mean


def _spread(total: Vector, size: Vector) -> float:
    """Variance of the mean over units; 0 where the totals differ by rounding alone."""
    spread = total.size / (total.size - 1) * float(total @ total) / float(size.sum()) ** 2
    return spread if spread > 1e-20 else 0.0


def _effective(size: Vector) -> float:
    """How many units of equal size carry as much, at least one and a half."""
    return max(float(size.sum() ** 2 / (size @ size)), 1.5)
