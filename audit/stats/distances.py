"""How far the scores of two groups lie apart, over all thresholds at once.

Each distance is the largest mean difference of some family of functions of the score, so the true one exceeds the
observed one by no more than the normal error of a single mean, and falls short of it by no more than the expected
distance of two samples from the same source plus that error (Borell 1975 and Tsirelson, Ibragimov & Sudakov 1976 on
suprema of Gaussian processes). Both bounds are conservative.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Method, Stack, Vector, normal_quantile
from audit.stats.ranks import midranks, split

_BRIDGE = math.sqrt(math.pi / 2) * math.log(2)  # mean of the largest absolute value of a Brownian bridge
_FEWEST = 2


def kolmogorov_smirnov(a: ArrayLike, b: ArrayLike) -> Basis:
    """Largest difference of the two distribution functions: the largest gap in selection rate at any threshold."""
    x, y = _samples(a, b)
    _, f, g = _distribution_functions(x, y)
    unit = math.sqrt(1 / x.size + 1 / y.size)
    return _distance(float(np.abs(f - g).max()), _BRIDGE * unit, unit / 2, x.size + y.size, most=1.0)


def wasserstein(a: ArrayLike, b: ArrayLike) -> Basis:
    """Area between the two distribution functions, in the unit of the score (W1): for scores in 0..1 the mean gap."""
    x, y = _samples(a, b)
    width, f, g = _distribution_functions(x, y)
    noise = np.sqrt(f * (1 - f) / x.size + g * (1 - g) / y.size)
    se = math.sqrt(float(x.var(ddof=1)) / x.size + float(y.var(ddof=1)) / y.size)
    bias = math.sqrt(2 / math.pi) * float(noise @ width)
    return _distance(float(np.abs(f - g) @ width), bias, se, x.size + y.size)


def abroca(scores_a: ArrayLike, labels_a: ArrayLike, scores_b: ArrayLike, labels_b: ArrayLike) -> Basis:
    """Area between the ROC curves of two groups (Gardner, Brooks & Baker 2019): 0 where both rank equally well at every
    threshold. Raises Unavailable (undefined) where a group has one class.
    """
    a, b = split(scores_a, labels_a, "ABROCA"), split(scores_b, labels_b, "ABROCA")
    curves = [_roc(*group) for group in (a, b)]
    width, (left, right), level = _between(*curves)
    vertical = sum((r * (1 - r) / p.size for r, (p, _) in zip(level, (a, b), strict=True)), np.zeros(width.size))
    sideways = sum(_horizontal_noise(*curve, n.size) for curve, (_, n) in zip(curves, (a, b), strict=True))
    bias = math.sqrt(2 / math.pi) * (float(np.sqrt(vertical) @ width) + sideways)
    se = math.sqrt(sum(_area_variance(*group) for group in (a, b)))
    rows = sum(part.size for group in (a, b) for part in group)
    return _distance(float(_absolute_area(left, right) @ width), bias, se, rows, most=1.0)


def _samples(a: ArrayLike, b: ArrayLike) -> tuple[Vector, Vector]:
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if min(x.size, y.size) < _FEWEST:
        found = f"a distribution of {min(x.size, y.size)} scores says nothing of its spread"
        raise Unavailable("insufficient_data", found, f"give at least {_FEWEST} scores of each group")
    return x, y


def _distribution_functions(x: Vector, y: Vector) -> tuple[Vector, Vector, Vector]:
    """Widths between the distinct values of both samples, and both functions on each."""
    values = np.unique(np.concatenate([x, y]))
    f, g = (np.searchsorted(np.sort(one), values, side="right") / one.size for one in (x, y))
    return np.append(np.diff(values), 0.0), f, g


def _roc(positive: Vector, negative: Vector) -> tuple[Vector, Vector]:
    """False and true positive rates at every threshold, from (0, 0) to (1, 1)."""
    cuts = np.unique(np.concatenate([positive, negative]))[::-1]
    rates = [1 - np.searchsorted(np.sort(one), cuts, side="left") / one.size for one in (negative, positive)]
    return np.append(0.0, rates[0]), np.append(0.0, rates[1])


def _between(a: tuple[Vector, Vector], b: tuple[Vector, Vector]) -> tuple[Vector, tuple[Vector, Vector], list[Vector]]:
    """Pieces of the axis on which both curves are straight: widths, difference at both ends, and heights in the middle.

    Curves may jump at the ends of a piece, so they are read at its quarters and continued.
    """
    ends = np.unique(np.concatenate([a[0], b[0]]))
    width = np.diff(ends)
    first, third = ([np.interp(ends[:-1] + q * width, *curve) for curve in (a, b)] for q in (0.25, 0.75))
    one, two = first[0] - first[1], third[0] - third[1]
    middle = [(low + high) / 2 for low, high in zip(first, third, strict=True)]
    return width, (1.5 * one - 0.5 * two, 1.5 * two - 0.5 * one), middle


def _absolute_area(left: Vector, right: Vector) -> Vector:
    """Mean of |a straight line| from ``left`` to ``right``."""
    crosses = left * right < 0
    span = np.where(crosses, np.abs(left - right), 1.0)
    return np.where(crosses, (left**2 + right**2) / (2 * span), np.abs(left + right) / 2)


def _horizontal_noise(fpr: Vector, tpr: Vector, negatives: int) -> float:
    middle = (fpr[1:] + fpr[:-1]) / 2
    return float(np.sqrt(middle * (1 - middle) / negatives) @ np.diff(tpr))


def _area_variance(positive: Vector, negative: Vector) -> float:
    """DeLong's variance of the area under the curve; no smaller than that of half a row out of order."""
    ranks = midranks(np.concatenate([positive, negative]))
    above = (ranks[: positive.size] - midranks(positive)) / negative.size
    below = (ranks[positive.size :] - midranks(negative)) / positive.size
    least = 1 / (2 * min(positive.size, negative.size)) ** 2
    parts = [float(one.var(ddof=1)) / one.size if one.size > 1 else 0.25 for one in (above, below)]
    return max(sum(parts), least)


def _distance(value: float, bias: float, se: float, n: int, most: float | None = None) -> Basis:
    numbers = {"distance": value, "bias": bias, "se": se, "n": float(n)}
    return Basis(method="distance", numbers=numbers if most is None else {**numbers, "most": most})


def _limits(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    found, half = stack.numbers["distance"], normal_quantile(tail) * stack.numbers["se"]
    lower = np.maximum(found - np.maximum(stack.numbers["bias"] + half, 0.0), 0.0)
    upper = np.minimum(found + np.maximum(half, 0.0), stack.numbers.get("most", np.full_like(found, np.inf)))
    return Estimates(found, np.minimum(lower, found), np.maximum(upper, found))


METHODS = {
    "distance": Method(
        short="supremum bounds",
        words="bounds from the normal error of a mean and the distance expected by chance, conservative",
        formula=_limits,
        rows=("n",),
        counts=("n",),
        errors=("bias", "se"),
    )
}
