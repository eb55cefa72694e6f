"""The difference of two rates on the same rows, as between a model and its predecessor.

Tango, T. (1998), Equivalence test and confidence interval for the difference in proportions for the paired-sample
design, Statistics in Medicine 17, 891-908: the score interval, whose test of no difference is McNemar's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Mask, Method, Stack, Vector, edge, normal_quantile


def paired_difference(both: float, first: float, second: float, neither: float) -> Basis:
    """Rate of the first minus rate of the second, from the rows that are successes of both, of one, and of neither.

    Far narrower than the difference of two reports, since rows on which both agree tell nothing either way.
    Raises Unavailable (undefined) where there are no rows.
    """
    if min(both, first, second, neither) < 0:
        raise CheckError(f"counts must not be negative, got {both:g}, {first:g}, {second:g}, {neither:g}")
    n = both + first + second + neither
    if n == 0:
        raise Unavailable("undefined", "a paired difference of no rows has no value", "give rows that both models saw")
    return Basis(method="tango", numbers={"n": float(n), "first": float(first), "second": float(second)})


def paired_counts(first: ArrayLike, second: ArrayLike) -> tuple[int, int, int, int]:
    """Rows that are successes of both, of the first alone, of the second alone and of neither; 0/1, shape (n,) each."""
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape:
        raise CheckError(f"paired rows come in the same order, got {a.size} and {b.size} of them")
    return int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())


def mcnemar(first: float, second: float) -> float:
    """Exact two-sided p-value of no difference, from the rows that are successes of one alone (McNemar 1947)."""
    few, all_ = round(min(first, second)), round(first + second)
    return min(1.0, 2 * float(bdtr(few, all_, 0.5))) if all_ else 1.0


def _tango(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    """Solutions d of |first - second - n d| = z sqrt(n (2 q + d (1 - d))), q the most likely share of ``second``."""
    n, b, c = (np.tile(stack.numbers[name], 2) for name in ("n", "first", "second"))
    z, observed = normal_quantile(tail), (b - c) / n

    def rejected(d: Vector) -> Mask:
        q = constrained_share(n, b, c, d)
        return np.asarray((b - c - n * d) ** 2 > z * z * n * np.maximum(2 * q + d * (1 - d), 0.0))

    half = observed.size // 2
    ends = edge(rejected, observed, np.repeat([-1.0, 1.0], half))  # both ends in one search
    return Estimates(observed[:half], ends[:half], ends[half:])


def constrained_share(n: Vector, b: Vector, c: Vector, d: Vector) -> Vector:
    """Most likely share of rows that are successes of the second alone when the true difference is d."""
    linear = (2 * n - b + c) * d - b - c
    root = np.sqrt(np.maximum(linear**2 + 8 * n * c * d * (1 - d), 0.0))
    return np.asarray(np.maximum((root - linear) / (4 * n), np.maximum(0.0, -d)), dtype=float)


METHODS = {
    "tango": Method(
        short="Tango",
        words="score interval of a difference of two rates on the same rows (Tango 1998)",
        formula=_tango,
        rows=("n",),
        counts=("n", "first", "second"),
    )
}
