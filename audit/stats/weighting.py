"""Rates and means of rows that do not count alike: weights, and rows that come in clusters.

A weighted rate is Wilson's on an effective size: the smaller of Kish's, (sum w)^2 / sum w^2, which is right where
weights have nothing to do with the outcome, and the linearised p (1 - p) / V, which is right where they have (Korn &
Graubard 1998, Survey Methodology 24). All of it follows from four sums over rows, so it merges and can be subtracted.

Rows of one patient, user or site are alike: the variance is that of the clusters' totals (Liang & Zeger 1986), with t
quantiles of one degree of freedom less than there are clusters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Formula, Method, Stack, Vector, normal_quantile, t_quantile
from audit.stats.means import FEWEST_CONSTANT, hall_limits
from audit.stats.proportions import wilson_limits

Codes = NDArray[np.intp]
_LEAST_UNITS = 1.5  # half a degree of freedom: the interval is as good as everything, and still finite


def weighted_rate(success: ArrayLike, weight: ArrayLike) -> Basis:
    """Share of the weight that lies on rows with success (0/1). Rows of weight 0 do not count.

    CheckError for negative weights. Raises Unavailable (undefined) where no row has weight.
    """
    y, w = np.asarray(success, dtype=float), checked_weights(weight)
    return weighted_rate_from_sums(float((w > 0).sum()), float(w.sum()), float(w @ w), float(w @ y), float(w * w @ y))


def weighted_rate_from_sums(n: float, w: float, w2: float, w_success: float, w2_success: float) -> Basis:
    """As ``weighted_rate``, from rows, sum of weights and of their squares, and both sums over successes."""
    if n < 1 or w <= 0:
        raise Unavailable("undefined", "a rate of rows without weight has no value", "give rows with a weight above 0")
    numbers = {"n": n, "w": w, "w2": w2, "w_success": min(w_success, w), "w2_success": min(w2_success, w2)}
    return Basis(method="weighted_wilson", numbers=numbers)


def clustered_rate(success: ArrayLike, cluster: ArrayLike, weight: ArrayLike | None = None) -> Basis:
    """A rate of rows that come in clusters (codes or names, shape (n,)), weighted where weights are given.

    Wilson's interval on n_eff = p (1 - p) / V, at most Kish's, with t quantiles. Where all rows have the same outcome
    the clusters cannot show how alike their rows are, and each counts as one row. Raises Unavailable: undefined
    without rows, insufficient data for a single cluster.
    """
    y, place, w = _rows(success, cluster, weight)
    p, _, sizes, spread = _cluster_totals(y, place, w)
    kish = float(w.sum() ** 2 / (w @ w))
    effective = p * (1 - p) / spread if 0 < p < 1 and spread > 0 else float(sizes.sum() ** 2 / (sizes @ sizes))
    numbers = {"n": float(y.size), "p": p, "n_effective": min(effective, kish), "clusters": _effective(sizes)}
    return Basis(method="clustered_wilson", numbers=numbers)


def selected(basis: Basis, tested: int) -> Basis:
    """A rate that was picked out of ``tested`` ones: its interval holds for all of them together (Bonferroni)."""
    if tested < 1:
        raise CheckError(f"a rate is picked out of at least 1, got {tested}")
    return Basis(method=f"selected_{basis.method}", numbers={**basis.numbers, "tested": float(tested)})


def weighted_mean(values: ArrayLike, weight: ArrayLike) -> Basis:
    """Weighted mean of finite values, by Hall's t on each row's contribution. Raises as ``clustered_rate``."""
    w = checked_weights(weight)
    x = np.asarray(values, dtype=float)[w > 0]
    return _contributions(x, np.arange(x.size), w[w > 0])


def clustered_mean(values: ArrayLike, cluster: ArrayLike, weight: ArrayLike | None = None) -> Basis:
    """Mean of rows that come in clusters, by Hall's t on each cluster's contribution. Raises as ``clustered_rate``."""
    return _contributions(*_rows(values, cluster, weight))


def _contributions(x: Vector, place: Codes, w: Vector) -> Basis:
    centre, total, sizes, spread = _cluster_totals(x, place, w)
    units = total.size
    sd = float(np.sqrt(spread * units))
    if sd <= 1e-14 * float(np.abs(x).max(initial=0.0)):
        if units < FEWEST_CONSTANT:
            found = f"all {units} values are equal ({centre:g}), which says nothing about their spread"
            raise Unavailable("insufficient_data", found, f"give at least {FEWEST_CONSTANT} values")
        sd = 0.0
    m2 = float(np.mean(total**2))
    skew = float(np.mean(total**3)) / m2**1.5 if sd > 0 and m2 > 0 else 0.0
    df = _effective(sizes)
    scale = np.sqrt(df / units)
    numbers = {"n": float(x.size), "units": df, "mean": centre, "sd": sd * scale, "skew": skew * scale}
    return Basis(method="linearised_hall_t", numbers=numbers)


def _effective(sizes: Vector) -> float:
    """How many units of equal size carry as much: a few heavy ones, not all, are the degrees of freedom."""
    return max(float(sizes.sum() ** 2 / (sizes @ sizes)), _LEAST_UNITS)


def _cluster_totals(x: Vector, place: Codes, w: Vector) -> tuple[float, Vector, Vector, float]:
    """Weighted mean; each cluster's weighted residual, its weight; and the variance of the mean over clusters."""
    clusters = int(place.max(initial=-1)) + 1
    if clusters < 2:
        found = "all rows belong to one cluster" if clusters else "there are no rows"
        reason = "insufficient_data" if clusters else "undefined"
        raise Unavailable(reason, f"{found}, which says nothing about others", "give rows of at least 2 clusters")
    weight = float(w.sum())
    centre = float(w @ x) / weight
    total = np.bincount(place, w * (x - centre), minlength=clusters)
    sizes = np.bincount(place, w, minlength=clusters)
    spread = clusters / (clusters - 1) * float(total @ total) / weight**2
    return centre, np.asarray(total, dtype=float), np.asarray(sizes, dtype=float), spread


def _rows(values: ArrayLike, cluster: ArrayLike, weight: ArrayLike | None) -> tuple[Vector, Codes, Vector]:
    """Values, cluster codes without gaps, and weights, of the rows with weight."""
    x, named = np.asarray(values, dtype=float), np.asarray(cluster)
    w = np.ones(x.size) if weight is None else checked_weights(weight)
    kept = w > 0
    place = np.unique(named[kept], return_inverse=True)[1]
    return x[kept], place, w[kept]


def checked_weights(weight: ArrayLike) -> Vector:
    """The weights if they are finite and not negative, else CheckError."""
    w = np.asarray(weight, dtype=float)
    if w.size and not (w.min() >= 0 and np.isfinite(w).all()):
        raise CheckError(
            f"weights are finite and at least 0, got {w.min():g} to {w.max():g}: correct the weight column"
        )
    return w


def _weighted(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    w, w2, hit, hit2 = (stack.numbers[name] for name in ("w", "w2", "w_success", "w2_success"))
    p = hit / w
    variance = ((1 - p) ** 2 * hit2 + p**2 * (w2 - hit2)) / w**2
    kish = w**2 / w2
    with np.errstate(divide="ignore", invalid="ignore"):
        linearised = np.where((p > 0) & (p < 1), p * (1 - p) / variance, kish)
    n = np.minimum(kish, linearised)
    return wilson_limits(p * n, n, normal_quantile(tail))


def _clustered(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    p, n = stack.numbers["p"], stack.numbers["n_effective"]
    return wilson_limits(p * n, n, t_quantile(stack.numbers["clusters"] - 1, tail))


def _selected_weighted(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return _each(_weighted, stack, parts, tail)


def _selected_clustered(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return _each(_clustered, stack, parts, tail)


def _each(formula: Formula, stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    """Rates that were picked out of equally many share a tail."""
    result = Estimates(*(np.empty(stack.numbers["tested"].size) for _ in range(3)))
    for tested in np.unique(stack.numbers["tested"]):
        at = stack.numbers["tested"] == tested
        one = Stack(stack.method, {name: numbers[at] for name, numbers in stack.numbers.items()})
        for target, source in zip(result, formula(one, parts, tail / float(tested)), strict=True):
            target[at] = source
    return result


def _linearised(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return hall_limits({**stack.numbers, "n": stack.numbers["units"]}, tail)


METHODS = {
    "weighted_wilson": Method(
        short="Wilson on the effective size",
        words="Wilson score interval on the effective size of the weights, the smaller of Kish's and the linearised "
        "(Korn & Graubard 1998)",
        formula=_weighted,
        rows=("n",),
        counts=("n", "w", "w2", "w_success", "w2_success"),
    ),
    "clustered_wilson": Method(
        short="Wilson on the effective size",
        words="Wilson score interval on the effective size of the clusters, t quantiles (Liang & Zeger 1986; Korn & "
        "Graubard 1998)",
        formula=_clustered,
        rows=("n",),
        counts=("n", "n_effective", "clusters"),
    ),
    "selected_weighted_wilson": Method(
        short="Wilson on the effective size, simultaneous",
        words="Wilson score interval on the effective size of the weights (Korn & Graubard 1998) that holds for all "
        "rates it was picked out of together (Bonferroni)",
        formula=_selected_weighted,
        rows=("n",),
        counts=("n", "w", "w2", "w_success", "w2_success"),
    ),
    "selected_clustered_wilson": Method(
        short="Wilson on the effective size, simultaneous",
        words="Wilson score interval on the effective size of the clusters, t quantiles (Liang & Zeger 1986), that "
        "holds for all rates it was picked out of together (Bonferroni)",
        formula=_selected_clustered,
        rows=("n",),
        counts=("n", "n_effective", "clusters"),
    ),
    "linearised_hall_t": Method(
        short="Hall's t on contributions",
        words="t interval corrected for skewness (Hall 1992) of the contributions of rows or clusters",
        formula=_linearised,
        rows=("n",),
        counts=("n", "units"),
    ),
}
