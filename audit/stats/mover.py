"""MOVER: the interval of a sum, a difference or a ratio from the intervals of its parts, which must be independent.

Zou & Donner (2008), Statistics in Medicine 27, 1693-1702 (sums, differences); Donner & Zou (2012), Statistical Methods
in Medical Research 21, 347-359 (ratios). With Wilson intervals the difference is method 10 of Newcombe (1998),
Statistics in Medicine 17, 873-890.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.errors import CheckError
from audit.results import Basis
from audit.stats.arrays import Estimates, Method, Stack, Vector
from audit.stats.proportions import exact_upper
from audit.stats.simultaneous import tail_of_each


def average(parts: Sequence[Basis], weights: Sequence[float] | None = None) -> Basis:
    """The sum of weight times part; equal weights 1/len(parts) where none are given. The parts are independent."""
    shares = [1 / len(parts)] * len(parts) if weights is None else list(weights)
    if not parts or len(shares) != len(parts):
        raise CheckError(f"average needs one weight a part, got {len(parts)} parts and {len(shares)} weights")
    numbers = {f"weight_{i}": float(weight) for i, weight in enumerate(shares)}
    return Basis(method="mover", numbers=numbers, parts=tuple(parts))


def least(parts: Sequence[Basis]) -> Basis:
    """The smallest of several, which was picked: its interval rests on those of all parts together (Šidák 1967)."""
    if not parts:
        raise CheckError("least needs at least one part, got none")
    return Basis(method="least", numbers={}, parts=tuple(parts))


def worst(parts: Sequence[Basis]) -> Basis:
    """The smallest of several values, such as the recalls of all classes, whatever the correlation of the parts.

    The true smallest lies below the smallest lower bound only if the bound of that very part is wrong, so the lower
    bounds need no correction (intersection-union, Berger 1982, Technometrics 24). It lies above the smallest upper
    bound if any one of them is wrong, so these hold all together (Šidák 1967). So far out in the tail the score bound
    of a rate of few rows misses far more often than it says; the exact one (Clopper & Pearson 1934) stands in for it.
    """
    if not parts:
        raise CheckError("worst needs at least one part, got none")
    return Basis(method="worst", numbers={}, parts=tuple(parts))


def difference_limits(a: Estimates, b: Estimates, *, rho: Vector | float = 0.0) -> Estimates:
    """a - b: the square root of the sum of squared distances to the nearer bounds (MOVER-D).

    ``rho``, from -1 to 0, is the correlation of their errors (Zou 2007, Psychological Methods 12, 399-413).
    """
    value = a.value - b.value
    lower = value - _longest_side(a.value - a.lower, b.upper - b.value, rho)
    upper = value + _longest_side(a.upper - a.value, b.value - b.lower, rho)
    return Estimates(value, lower, upper)


def _longest_side(a: Vector, b: Vector, rho: Vector | float) -> Vector:
    return np.asarray(np.hypot(a, b) if np.all(rho == 0) else np.sqrt(a * a + b * b - 2 * rho * a * b), dtype=float)


def ratio_limits(a: Estimates, b: Estimates, *, rho: Vector | float = 0.0) -> Estimates:
    """a / b for parts that are not negative (MOVER-R); infinite above where b may be 0. ``rho`` as for a - b."""
    a, b = (Estimates(part.value, np.maximum(part.lower, 0.0), part.upper) for part in (a, b))
    below, above = b.upper * (2 * b.value - b.upper), b.lower * (2 * b.value - b.lower)
    near, far = a.lower * (2 * a.value - a.lower), a.upper * (2 * a.value - a.upper)
    product = a.value * b.value
    low = product - rho * (a.value - a.lower) * (b.upper - b.value)
    high = product - rho * (a.upper - a.value) * (b.value - b.lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = a.value / b.value
        lower = near / (low + np.sqrt(np.maximum(low**2 - near * below, 0.0)))
        upper = (high + np.sqrt(np.maximum(high**2 - far * above, 0.0))) / above
    return Estimates(value, np.where(near <= 0, 0.0, lower), np.where(above <= 0, np.inf, upper))


def folded_gap(signed: Estimates) -> Estimates:
    """The absolute value of a signed difference: an interval that holds 0 becomes [0, the farther end]."""
    farther = np.maximum(np.abs(signed.lower), np.abs(signed.upper))
    nearer = np.minimum(np.abs(signed.lower), np.abs(signed.upper))
    crosses = (signed.lower <= 0) & (signed.upper >= 0)
    return Estimates(np.abs(signed.value), np.where(crosses, 0.0, nearer), farther)


def folded_ratio(ratios: Estimates) -> Estimates:
    """Smaller over larger, in [0, 1]; an interval that holds 1 becomes [the end farther from 1 as a ratio, 1]."""
    with np.errstate(divide="ignore"):
        inverse = Estimates(*(1 / bound for bound in ratios))
    crosses = (ratios.lower <= 1) & (ratios.upper >= 1)
    lower = np.minimum(ratios.lower, inverse.upper)
    upper = np.where(crosses, 1.0, np.minimum(ratios.upper, inverse.lower))
    return Estimates(np.minimum(ratios.value, inverse.value), lower, upper)


def _average(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    weights = [stack.numbers[f"weight_{i}"] for i in range(len(parts))]
    value = sum((w * part.value for w, part in zip(weights, parts, strict=True)), np.zeros(()))
    below = [w * np.where(w > 0, p.value - p.lower, p.value - p.upper) for w, p in zip(weights, parts, strict=True)]
    above = [w * np.where(w > 0, p.upper - p.value, p.lower - p.value) for w, p in zip(weights, parts, strict=True)]
    return Estimates(value, value - _root_of_squares(below), value + _root_of_squares(above))


def _least(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return Estimates(*(np.min(bounds, axis=0) for bounds in zip(*parts, strict=True)))


def _worst(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    together = tail_of_each(len(parts), tail)
    exact = [np.maximum(est.upper, exact_upper(part, together)) for est, part in zip(parts, stack.parts, strict=True)]
    smallest = _least(stack, parts, tail)
    return smallest._replace(upper=np.min(exact, axis=0))


def _root_of_squares(distances: list[Vector]) -> Vector:
    return np.asarray(np.sqrt(np.sum(np.square(distances), axis=0)), dtype=float)


def _difference(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return difference_limits(*parts, rho=_rho(stack))


def _ratio(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return folded_ratio(ratio_limits(*parts, rho=_rho(stack)))


def _rho(stack: Stack) -> Vector | float:
    """The lower correlation that either part says it has with others of its set; 0 where they say nothing."""
    said = [part.numbers["rho"] for part in stack.parts if "rho" in part.numbers]
    return np.asarray(np.minimum.reduce(said), dtype=float) if said else 0.0


METHODS = {
    "mover": Method(
        short="MOVER",
        words="MOVER interval of a weighted sum of independent parts (Zou & Donner 2008)",
        formula=_average,
    ),
    "mover_difference": Method(
        short="MOVER",
        words="MOVER interval of a difference of independent parts (Zou & Donner 2008)",
        formula=_difference,
    ),
    "mover_ratio": Method(
        short="MOVER",
        words="MOVER interval of a ratio of independent parts, smaller over larger (Donner & Zou 2012)",
        formula=_ratio,
    ),
    "worst": Method(
        short="smallest of the classes' intervals",
        words="the smallest lower bound of all, and the smallest of upper bounds that hold together, exact for rates "
        "(Berger 1982; Šidák 1967; Clopper & Pearson 1934)",
        formula=_worst,
        joint_above=True,
    ),
    "least": Method(
        short="smallest of simultaneous intervals",
        words="the smallest of several, by intervals that hold for all of them together (Šidák 1967)",
        formula=_least,
        joint=True,
    ),
}
