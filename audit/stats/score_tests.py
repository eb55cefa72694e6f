"""Score intervals of the difference and the ratio of two independent rates.

Miettinen, O. & Nurminen, M. (1985), Comparative analysis of two rates, Statistics in Medicine 4, 213-226: the two
rates are estimated by maximum likelihood under the gap that is tested; the variance carries their factor N / (N - 1).

Where nearly nothing is expected in the smaller group the score interval of a gap is too short: one success in 20 rows
beside none in 100 already rejects that there is no gap (z = 2.24), and comes up in 3.6 % of tables at a rate of 0.02
each. This is exact, neither noise nor the factor, without which z = 2.25. Newcombe's interval is taken there.
"""

from __future__ import annotations

import numpy as np

from audit.stats import mover
from audit.stats.arrays import Estimates, Mask, Method, Stack, Vector, edge, normal_quantile
from audit.stats.mover import folded_ratio
from audit.stats.proportions import wilson_limits

SPARSE = 0.5  # rows of the rarer outcome expected in the smaller group, below which the score interval is too short


def constrained_by_difference(k1: Vector, n1: Vector, k2: Vector, n2: Vector, delta: Vector) -> tuple[Vector, Vector]:
    """Most likely rates with p1 - p2 = delta: the closed root of the likelihood cubic."""
    n, k = n1 + n2, k1 + k2
    quadratic = (n + n2) * delta - n - k
    linear = (n2 * delta - n - 2 * k2) * delta + k
    constant = k2 * delta * (1 - delta)
    c = quadratic / (3 * n)
    q = c**3 - quadratic * linear / (6 * n * n) + constant / (2 * n)
    p = np.where(q < 0, -1.0, 1.0) * np.sqrt(np.maximum(c * c - linear / (3 * n), 0.0))
    cubed = np.where(p == 0, 1.0, p**3)
    angle = (np.pi + np.arccos(np.clip(q / cubed, -1.0, 1.0))) / 3
    p2 = np.clip(2 * p * np.cos(angle) - c, np.maximum(0.0, -delta), np.minimum(1.0, 1 - delta))
    return p2 + delta, p2


def constrained_by_ratio(k1: Vector, n1: Vector, k2: Vector, n2: Vector, phi: Vector) -> tuple[Vector, Vector]:
    """Most likely rates with p1 = phi p2."""
    a, k = (n1 + n2) * phi, k1 + k2
    b = n1 * phi + k1 + n2 + k2 * phi
    p2 = 2 * k / (b + np.sqrt(np.maximum(b * b - 4 * a * k, 0.0)))
    p2 = np.minimum(p2, np.minimum(1.0, 1 / phi))
    return phi * p2, p2


def difference_limits(k1: Vector, n1: Vector, k2: Vector, n2: Vector, z: float) -> Estimates:
    """p1 - p2 with the deltas that the score test does not reject."""
    observed = k1 / n1 - k2 / n2
    factor = (n1 + n2) / (n1 + n2 - 1)

    def rejected(delta: Vector) -> Mask:
        p1, p2 = constrained_by_difference(k1, n1, k2, n2, delta)
        variance = (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * factor
        return (observed - delta) ** 2 > z * z * variance

    lower = edge(rejected, observed, np.full_like(observed, -1.0))
    return Estimates(observed, lower, edge(rejected, observed, np.full_like(observed, 1.0)))


def gap_limits(k1: Vector, n1: Vector, k2: Vector, n2: Vector, z: float) -> Estimates:
    """p1 - p2 by the score test, and by Newcombe's interval where the table is sparse.

    Over 63 pairs of sizes from 20 and rates the least coverage of a 95 % interval is 0.943, of the score test 0.936.
    """
    score = difference_limits(k1, n1, k2, n2, z)
    pooled = (k1 + k2) / (n1 + n2)
    sparse = np.minimum(n1, n2) * np.minimum(pooled, 1 - pooled) < SPARSE
    if not sparse.any():
        return score
    newcombe = mover.difference_limits(wilson_limits(k1, n1, z), wilson_limits(k2, n2, z))
    return Estimates(*(np.where(sparse, a, b) for a, b in zip(newcombe, score, strict=True)))


def ratio_limits(k1: Vector, n1: Vector, k2: Vector, n2: Vector, z: float) -> Estimates:
    """p1 / p2 (k2 > 0) with the ratios that the score test does not reject, searched on phi / (1 + phi)."""
    observed = (k1 / n1) / (k2 / n2)
    factor = (n1 + n2) / (n1 + n2 - 1)

    def rejected(share: Vector) -> Mask:
        phi = share / (1 - share)
        p1, p2 = constrained_by_ratio(k1, n1, k2, n2, phi)
        variance = (p1 * (1 - p1) / n1 + phi**2 * p2 * (1 - p2) / n2) * factor
        return (k1 / n1 - phi * k2 / n2) ** 2 > z * z * variance

    start = observed / (1 + observed)
    lower = edge(rejected, start, np.full_like(start, 1e-15))
    upper = edge(rejected, start, np.full_like(start, 1 - 1e-12))
    lower = np.where(k1 == 0, 0.0, lower / (1 - lower))
    return Estimates(observed, np.minimum(lower, observed), np.maximum(upper / (1 - upper), observed))


def _counts(stack: Stack) -> tuple[Vector, Vector, Vector, Vector]:
    a, b = (part.numbers for part in stack.parts)
    return a["k"], a["n"], b["k"], b["n"]


def _difference(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return gap_limits(*_counts(stack), normal_quantile(tail))


def _ratio(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    k1, n1, k2, n2 = _counts(stack)
    swap = k1 / n1 > k2 / n2
    small, large = (np.where(swap, k2, k1), np.where(swap, n2, n1)), (np.where(swap, k1, k2), np.where(swap, n1, n2))
    return folded_ratio(ratio_limits(*small, *large, normal_quantile(tail)))


METHODS = {
    "miettinen_nurminen": Method(
        short="Miettinen-Nurminen",
        words="score interval of the difference of two rates (Miettinen & Nurminen 1985); Newcombe's (1998) where less "
        "than half a row of the rarer outcome is expected in the smaller group",
        formula=_difference,
    ),
    "miettinen_nurminen_ratio": Method(
        short="Miettinen-Nurminen",
        words="score interval of the ratio of two rates, smaller over larger (Koopman 1984; Miettinen & Nurminen 1985)",
        formula=_ratio,
    ),
}
