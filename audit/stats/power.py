"""What a test set could have shown: standard errors without a gap, the rows that would be needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.results import Basis, Compare
from audit.stats.arrays import Indices, Vector, normal_quantile
from audit.stats.bases import evaluate, interval, method, rows, scaled, value
from audit.stats.proportions import pooled_rate

POWERED = 3.29  # standard errors: twice the one-sided 5 % point, so that an interval around no gap fits inside
_POWER = 0.8416  # the 80 % point of the normal
_TAIL = 0.025
_MOST = 1e12  # rows beyond which no number of rows helps
_CANDIDATES = 20  # the best-powered pair is among the most precise groups
NO_ROWS = -1  # no number of rows would do


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How sure each basis is: its value, its rows, and the variance that one row of it adds."""

    value: Vector
    rows: Vector
    variance: Vector
    rates: bool  # all are plain rates: the variance follows from the pooled rate
    rho: Vector  # correlation of its error with another's, at most 0

    @staticmethod
    def of(bases: Sequence[Basis]) -> Spread:
        found = evaluate(bases, _TAIL)
        se = (found.upper - found.lower) / (2 * normal_quantile(_TAIL))
        size = np.array([rows(basis) for basis in bases])
        size = np.where(size > 0, size, 1.0) if (size > 0).all() else np.ones(len(bases))
        return Spread(
            value=found.value,
            rows=size,
            variance=size * se**2,
            rates=all(basis.method == "wilson" for basis in bases),
            rho=np.array([basis.numbers.get("rho", 0.0) for basis in bases]),
        )

    def pooled(self, first: Indices, second: Indices, compare: Compare) -> tuple[Vector, Vector]:
        """Variance of one row if the two had no gap, on the log scale for a ratio; and 1/n_a + 1/n_b."""
        a, b = self.rows[first], self.rows[second]
        level = (a * self.value[first] + b * self.value[second]) / (a + b)
        if self.rates:
            level = pooled_rate((a + b) * level, a + b)
            variance = level * (1 - level)
        else:
            variance = (a * self.variance[first] + b * self.variance[second]) / (a + b)
        if compare == "ratio":
            with np.errstate(divide="ignore", invalid="ignore"):
                variance = np.where(level > 0, variance / level**2, np.inf)
        return variance * (1 - np.minimum(self.rho[first], self.rho[second])), 1 / a + 1 / b


def allowed_gap(compare: Compare, tolerance: float) -> float:
    """The tolerance on the scale of the standard error: itself, or log(1 / tolerance) for a ratio."""
    if compare != "ratio":
        return tolerance
    return -math.log(tolerance) if tolerance > 0 else math.inf


def needed_rows(variance: Vector, gap: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Rows in each of two groups of equal size so that 3.29 standard errors fit into ``gap``; -1 if none would do."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.ceil(2 * variance * (POWERED / gap) ** 2) if gap > 0 else np.full_like(variance, np.inf)
    return np.where(n <= _MOST, np.maximum(n, 1), NO_ROWS).astype(np.int64)


def smallest_gap(bases: Sequence[Basis], compare: Compare, level: float) -> float:
    """The smallest true gap that the most precise pair would have shown at ``level`` with 80 % power.

    For a ratio it is the largest true ratio below 1 that the pair would have told from 1. Needs two bases.
    """
    spread = Spread.of(bases)
    precise = np.argsort(spread.variance / spread.rows, kind="stable")[:_CANDIDATES]
    i, j = np.triu_indices(precise.size, 1)
    variance, both = spread.pooled(precise[i], precise[j], compare)
    gap = (normal_quantile((1 - level) / 2) + _POWER) * float(np.sqrt(np.min(variance * both)))
    return math.exp(-gap) if compare == "ratio" else gap


def smallest_distance(basis: Basis, bound: float, level: float) -> float | None:
    """How far beyond ``bound`` the true value would have to lie to be shown there at ``level`` with 80 % power.

    At the standard error of a rate that lies on the bound, of other values as it was found. None where the uncertainty
    is not sampling.
    """
    found = interval(basis, 1 - 2 * _TAIL)
    if found.kind != "sample":
        return None
    se = found.half_width / normal_quantile(_TAIL)
    if basis.method == "wilson":
        n = basis.numbers["n"]
        at = float(pooled_rate(np.array(min(max(bound, 0.0), 1.0) * n), np.array(n)))
        se = math.sqrt(at * (1 - at) / n)
    return (normal_quantile((1 - level) / 2) + _POWER) * se


def rows_for_bound(basis: Basis, bound: float, level: float) -> int | None:
    """Rows, at the same estimate, from which the interval at ``level`` no longer holds the bound.

    None where no number of rows does: the estimate is the bound, or its uncertainty is not sampling.
    """
    size, estimate = rows(basis), value(basis)
    if size <= 0 or estimate == bound or method(basis.method).kind != "sample":
        return None

    def clears(factor: float) -> bool:
        found = interval(scaled(basis, factor), level)
        return found.lower > bound or found.upper < bound

    fewest = min(size, _units(basis))  # of clusters there must be two as well
    low, high = math.log(2 / fewest) if fewest > 2 else 0.0, math.log(_MOST / size)
    if not clears(math.exp(high)):
        return None
    while (high - low) > 1e-4 and math.exp(high) * size - math.exp(low) * size > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if clears(math.exp(middle)) else (middle, high)
    return math.ceil(math.exp(high) * size)


def _units(basis: Basis) -> float:
    """Effective clusters behind a basis and its parts, the fewest; infinite where rows stand alone."""
    return min([basis.numbers.get("units", math.inf), *map(_units, basis.parts)])
