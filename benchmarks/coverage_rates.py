"""How often the 95 % interval of a rate or a mean holds the truth: exact for plain rates, simulated for the others.

The bootstrap of rows, which the field's libraries use, is shown beside it where it can be drawn in closed form.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from audit.results import Basis
from audit.stats import clustered_rate, mean, weighted_rate
from audit.stats.bases import evaluate
from audit.stats.proportions import wilson_limits
from benchmarks._figures import Result, result

SIZES = (20, 50, 100, 200, 500, 1000)
RATES = (0.02, 0.05, 0.1, 0.3, 0.5)
TIMES, Z = 2000, 1.959963984540054


def main() -> Result:
    ours, theirs = zip(*(both(n, p) for n in SIZES for p in RATES), strict=True)
    clusters = [clustered(c) for c in (10, 20, 50, 200)]
    weights = [weighted(n, 0.0) for n in (30, 100, 500)]
    tilted = [weighted(n, 1.0) for n in (30, 100, 500)]
    figures = {
        "rates, n >= 20: mean coverage": float(np.mean(ours)),
        "rates, n >= 20: least coverage": min(ours),
        "rates, bootstrap of rows: least coverage": min(theirs),
        "clusters of 10 rows: least coverage": min(clusters),
        "clusters of 10 rows: highest coverage": max(clusters),
        "weights: least coverage": min(weights),
        "weights that know the outcome: least coverage": min(tilted),
        "mean of half-normal errors, n = 20: coverage": coverage(lambda r: mean(np.abs(r.normal(size=20))), 0.7978846),
    }
    targets = {
        "rates, n >= 20: mean coverage": ">= 0.945",
        "rates, n >= 20: least coverage": ">= 0.92",
        "clusters of 10 rows: least coverage": ">= 0.94",
        "clusters of 10 rows: highest coverage": "<= 0.96",
        "weights: least coverage": ">= 0.94",
        "weights that know the outcome: least coverage": ">= 0.92",
        "mean of half-normal errors, n = 20: coverage": ">= 0.94",
    }
    return result("coverage_rates", figures, targets)


def both(n: int, p: float) -> tuple[float, float]:
    """Coverage of Wilson's interval and of the percentile bootstrap, exactly, over every count there can be."""
    k = np.arange(n + 1.0)
    chance = binom.pmf(k, n, p)
    _, lower, upper = wilson_limits(k, np.full(n + 1, float(n)), Z)
    low, high = binom.ppf(0.025, n, k / n) / n, binom.ppf(0.975, n, k / n) / n
    return float(chance[(lower <= p) & (p <= upper)].sum()), float(chance[(low <= p) & (p <= high)].sum())


def clustered(clusters: int) -> float:
    """Ten rows a cluster, intraclass correlation 0.2, rate 0.3."""
    place = np.repeat(np.arange(clusters), 10)

    def draw(rng: np.random.Generator) -> Basis:
        return clustered_rate(rng.random(place.size) < rng.beta(1.2, 2.8, clusters)[place], place)

    return coverage(draw, 0.3)


def weighted(n: int, tilt: float) -> float:
    """Log-normal weights with a standard deviation of 1; ``tilt`` moves those of successes."""

    def draw(rng: np.random.Generator) -> Basis:
        y = rng.random(n) < 0.3
        return weighted_rate(y, rng.lognormal(size=n) * np.exp(tilt * y))

    heavy = 0.3 * np.exp(tilt)
    return coverage(draw, float(heavy / (heavy + 0.7)))


def coverage(draw: Callable[[np.random.Generator], Basis], truth: float) -> float:
    rng = np.random.default_rng(7)
    found = evaluate([draw(rng) for _ in range(4 * TIMES)], 0.025)
    return float(np.mean((found.lower <= truth) & (truth <= found.upper)))
