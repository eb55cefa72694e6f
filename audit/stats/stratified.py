"""A difference of two rates pooled over strata.

Mantel, N. & Haenszel, W. (1959), JNCI 22, 719-748 (weights); Sato, T. (1989), On the variance estimator for the
Mantel-Haenszel risk difference, Biometrics 45, 1323-1324 (consistent for few large and for many small strata).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Vector
from audit.stats.bases import interval, value
from audit.stats.pairs import difference
from audit.stats.proportions import rate
from audit.stats.transformed import normal

_Z95 = 1.959963984540054


def pooled_difference(
    k: Sequence[float], n: Sequence[float], k_rest: Sequence[float], n_rest: Sequence[float]
) -> Basis:
    """Rate of a group less that of the others, pooled over strata; one entry a stratum, k successes of n.

    A single stratum has the Miettinen-Nurminen interval. Where every rate is 0 or 1, so that the variance is 0, the
    strata are taken as one for the standard error. Raises Unavailable (undefined) where no stratum holds both.
    """
    x1, n1, x0, n0 = (np.asarray(numbers, dtype=float) for numbers in (k, n, k_rest, n_rest))
    if min(x1.min(initial=0), x0.min(initial=0)) < 0 or (x1 > n1).any() or (x0 > n0).any():
        raise CheckError("every stratum needs 0 <= k <= n")
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        raise Unavailable("undefined", "no stratum holds both sides", "give coarser strata")
    x1, n1, x0, n0 = x1[both], n1[both], x0[both], n0[both]
    alone = difference(rate(float(x1.sum()), float(n1.sum())), rate(float(x0.sum()), float(n0.sum())))
    if x1.size == 1:
        return alone
    weight = n1 * n0 / (n1 + n0)
    pooled = float(((x1 * n0 - x0 * n1) / (n1 + n0)).sum() / weight.sum())
    variance = _sato(x1, n1, x0, n0, weight, pooled)
    if variance <= 0:
        bounds = interval(alone, 0.95)
        variance = (max(bounds.upper - value(alone), value(alone) - bounds.lower) / _Z95) ** 2
    return normal(pooled, float(np.sqrt(variance)), n=float(n1.sum() + n0.sum()))


def _sato(x1: Vector, n1: Vector, x0: Vector, n0: Vector, weight: Vector, pooled: float) -> float:
    total = n1 + n0
    p = (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / total**2
    q = (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * total)
    return float((pooled * p.sum() + q.sum()) / weight.sum() ** 2)
