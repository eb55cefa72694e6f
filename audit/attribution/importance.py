"""From contributions of rows to the importance of a column, with what its interval needs. The background is fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import mean, normal

from .explanation import Array, Explanation


def mean_absolute(explanation: Explanation, j: int) -> Basis:
    """Mean over rows of |phi_j|, in the explanation's unit; Unavailable for fewer than two rows."""
    return mean(np.abs(explanation.values[:, j]))


def share(explanation: Explanation, columns: Sequence[int]) -> Basis:
    """sum |phi| of these columns / sum over all: a ratio of means, with the influence of each row as its spread."""
    sizes = np.abs(explanation.values)
    each, total = sizes[:, list(columns)].sum(axis=1), sizes.sum(axis=1)
    if not total.any():
        raise Unavailable("undefined", "no column moves the output, so there is nothing to share", "nothing to do")
    value = float(each.sum() / total.sum())
    influence = (each - value * total) / total.mean()
    if not 0 < value < 1 or explanation.n < 2:
        return mean(value + influence)  # none or all of it in every row: no spread to put on a logit scale
    se = float(np.std(influence, ddof=1) / np.sqrt(explanation.n))
    return normal(value, se, df=explanation.n - 1, scale="logit", n=explanation.n)


RESAMPLES = 1000
BOOTSTRAP_BELOW = 500  # rows; above, the normal draws of the same maxima agree


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Simultaneous statements about the mean absolute contributions of d columns, each of shape (d,).

    ``lower`` and ``upper`` hold for all columns at once, ``best`` and ``worst`` rank for all columns at once (1 is the
    largest); ``top`` is the share of resamples of the rows in which a column is among the first three.
    """

    lower: Array
    upper: Array
    best: NDArray[np.int64]
    worst: NDArray[np.int64]
    top: Array


def ranked(sizes: Array, level: float, draw: np.random.Generator, first: int = 3) -> Ranked:
    """From |phi| of shape (n, d), n >= 2.

    Intervals: bootstrap-t with the quantiles of the largest and the smallest t over all columns, normal multipliers
    from 500 rows on. Ranks: a column ranks behind those that are larger by a max-T interval of all differences (Mogstad
    et al., Review of Economic Studies 91, 2024).
    """
    n, d = sizes.shape
    counts = draw.multinomial(n, np.full(n, 1 / n), RESAMPLES)
    means, spread = sizes.mean(axis=0), sizes.std(axis=0, ddof=1) / np.sqrt(n)
    again = counts @ sizes / n
    errors = spread if n >= BOOTSTRAP_BELOW else _errors_again(counts, sizes, again)
    t = np.divide(again - means, errors, out=np.zeros_like(again), where=errors > 0)
    high, low = np.quantile(t.max(axis=1), (1 + level) / 2), np.quantile(t.min(axis=1), (1 - level) / 2)
    larger = _larger(sizes, means, again, level)
    order = np.argsort(np.argsort(-again, axis=1, kind="stable"), axis=1, kind="stable")
    return Ranked(
        lower=np.maximum(means - high * spread, 0.0),
        upper=means - low * spread,
        best=1 + larger.sum(axis=0),
        worst=d - larger.sum(axis=1),
        top=(order < first).mean(axis=0),
    )


def _errors_again(counts: NDArray[np.int64], sizes: Array, again: Array) -> Array:
    n = len(sizes)
    return np.asarray(np.sqrt(np.maximum(counts @ sizes**2 / n - again**2, 0.0) / (n - 1)))


def _larger(sizes: Array, means: Array, again: Array, level: float) -> NDArray[np.bool_]:
    """Whether column j is larger than column k beyond doubt, shape (d, d), with one critical value for all pairs."""
    n, d = sizes.shape
    covariance = np.atleast_2d(np.cov(sizes, rowvar=False)) / n
    spread = np.sqrt(np.maximum(np.diag(covariance)[:, None] + np.diag(covariance) - 2 * covariance, 0.0))
    gap, moved = means[:, None] - means, again - means
    largest = np.zeros(len(again))
    for j in range(d):
        known = spread[j] > 0
        if known.any():
            t = (moved[:, [j]] - moved[:, known]) / spread[j, known]
            largest = np.maximum(largest, np.abs(t).max(axis=1))
    critical = np.quantile(largest, level)
    return np.asarray((gap > critical * spread) & (gap > 0))


def errors_by_source(explanation: Explanation) -> dict[str, float]:
    """What the importances may be off by, as shares of all importance: the rows that were drawn, the background rows
    that were drawn (where its halves were compared), and the sampling of coalitions or the quadrature."""
    sizes = np.abs(explanation.values)
    whole = float(sizes.mean(axis=0).sum()) or 1.0
    rows = sizes.std(axis=0, ddof=1).sum() / np.sqrt(explanation.n) if explanation.n > 1 else 0.0
    sampling = np.sqrt((explanation.standard_errors**2).sum(axis=0)).sum() / explanation.n
    found = {"rows": float(rows) / whole, "sampling": float(sampling) / whole}
    if explanation.halves is not None:
        sides = [np.abs(explanation.values + sign * explanation.halves).mean(axis=0) for sign in (1, -1)]
        found["background"] = float(np.abs(sides[0] - sides[1]).sum()) / 2 / whole
    return found
