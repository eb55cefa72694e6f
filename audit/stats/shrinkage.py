"""Rates of many small groups drawn towards each other, for ranking and for show; a verdict never rests on them.

A group of four rows with no error is not the best group there is. The rates are taken to come from one beta
distribution, fitted to all groups by maximum likelihood (empirical Bayes; Efron & Morris 1975, JASA 70, for the idea).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, betaln

from audit.counting import count
from audit.errors import CheckError, Unavailable
from audit.stats.arrays import Vector

_STRENGTHS = 2 * np.logspace(0, 7, 141)  # rows that the other groups may count for; fewer than two is no common shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """One entry a group; a group without trials gets what the others say. Bounds are of the posterior, at ``level``."""

    mean: Vector
    lower: Vector
    upper: Vector
    level: float
    centre: float  # of the common distribution
    strength: float  # rows of the group's own that weigh as much as all others together


def shrink(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> Shrunk:
    """Posterior rates of groups with ``k`` successes in ``n`` trials, shape (groups,) each.

    Raises Unavailable (insufficient_data) for fewer than 3 groups with trials.
    """
    hits, trials = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    if not np.all((hits >= 0) & (hits <= trials)):
        raise CheckError("every group needs 0 <= k <= n: correct the counts")
    seen = trials > 0
    if seen.sum() < 3:
        found = f"{count(int(seen.sum()), 'group')} with rows: nothing is known of how groups differ"
        raise Unavailable("insufficient_data", found, "give at least 3 groups with trials")
    centre, strength = _fit(hits[seen], trials[seen])
    a, b = hits + centre * strength, trials - hits + (1 - centre) * strength
    tail = (1 - level) / 2
    lower, upper = (np.asarray(betaincinv(a, b, share), dtype=float) for share in (tail, 1 - tail))
    return Shrunk(mean=a / (a + b), lower=lower, upper=upper, level=level, centre=centre, strength=strength)


def _fit(k: Vector, n: Vector) -> tuple[float, float]:
    """Centre and strength with the highest beta-binomial likelihood; the centre is a mean weighted with precision."""
    strength = _STRENGTHS[:, None]
    weight = n / (1 + (n - 1) / (strength + 1))
    # one pseudo-success among two keeps the distribution proper where no group has any
    centre = ((weight * (k / n)).sum(axis=1) + 0.5) / (weight.sum(axis=1) + 1)
    a, b = centre[:, None] * strength, (1 - centre[:, None]) * strength
    likelihood = (betaln(a + k, b + n - k) - betaln(a, b)).sum(axis=1)
    best = int(np.argmax(likelihood))
    return float(centre[best]), float(_STRENGTHS[best])
