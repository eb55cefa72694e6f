"""Means and root mean squares, by Hall's transformed t.

Hall, P. (1992), On the removal of skewness by transformation, JRSS B 54, 221-228, with the monotone cubic:
the t statistic is corrected for the skewness of the values, in closed form and without resampling.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audit.counting import count
from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Method, Stack, Vector, t_quantile

FEWEST_CONSTANT = 30  # equal values fewer than this say nothing about the spread of the next one


def mean(values: Vector) -> Basis:
    """Mean of a vector of finite values. Raises Unavailable (insufficient_data) for fewer than two values."""
    return _moments(np.asarray(values, dtype=float), "hall_t")


def root_mean(squares: Vector) -> Basis:
    """Square root of the mean of values that are not negative, such as squared errors: RMSE."""
    squares = np.asarray(squares, dtype=float)
    if squares.size and squares.min() < 0:
        raise CheckError(f"root_mean needs values of at least 0 (squares), got {squares.min():g}")
    return _moments(squares, "root_hall_t")


def mean_from_sums(n: float, s1: float, s2: float, s3: float, shift: float = 0.0) -> Basis:
    """Mean from the sums of d, d^2 and d^3, where d = value - shift; choose a shift near the mean to keep digits."""
    if n < 2:
        raise _too_few(int(n))
    d = s1 / n
    m2 = max(s2 / n - d * d, 0.0)
    if m2 <= 1e-13 * d * d:  # below the rounding of the sums: the values are equal
        m2 = 0.0
    m3 = s3 / n - 3 * d * s2 / n + 2 * d**3
    return from_moments(n, shift + d, m2, m3)


def from_moments(n: float, centre: float, m2: float, m3: float, method: str = "hall_t") -> Basis:
    """Mean from the size, the mean and the second and third central moments (divisor n)."""
    if n < 2:
        raise _too_few(int(n))
    if m2 <= 0 and n < FEWEST_CONSTANT:
        raise Unavailable(
            "insufficient_data",
            f"all {n:g} values are equal ({centre:g}), which says nothing about their spread",
            f"give at least {FEWEST_CONSTANT} values",
        )
    sd = float(np.sqrt(m2 * n / (n - 1)))
    skew = float(m3 / m2**1.5) if m2 > 0 else 0.0
    return Basis(method=method, numbers={"n": float(n), "mean": float(centre), "sd": sd, "skew": skew})


def without(total: Basis, part: Basis) -> Basis:
    """The mean over the rows of ``total`` that are not in ``part`` (pairwise moments, Pébay 2008)."""
    n = total.numbers["n"] - part.numbers["n"]
    if n < 2:
        raise _too_few(int(n))
    centre = (total.numbers["n"] * total.numbers["mean"] - part.numbers["n"] * part.numbers["mean"]) / n
    all2, all3 = _sums_about(total, centre)
    part2, part3 = _sums_about(part, centre)
    m2, m3 = (all2 - part2) / n, (all3 - part3) / n
    # a difference of large sums: what lies below their rounding is no spread
    return from_moments(n, centre, m2 if m2 > 1e-13 * all2 / n else 0.0, m3, total.method)


def _sums_about(basis: Basis, centre: float) -> tuple[float, float]:
    """Sums of the squared and cubed distances of the rows from ``centre``."""
    n, sd, skew = basis.numbers["n"], basis.numbers["sd"], basis.numbers["skew"]
    d = basis.numbers["mean"] - centre
    sum2 = (n - 1) * sd * sd
    sum3 = n * skew * (sum2 / n) ** 1.5
    return sum2 + n * d * d, sum3 + 3 * d * sum2 + n * d**3


def _moments(values: Vector, method: str) -> Basis:
    if values.size < 2:
        raise _too_few(values.size)
    if np.ptp(values) == 0:
        return from_moments(values.size, float(values[0]), 0.0, 0.0, method)
    centre = float(np.mean(values))
    scale = float(np.max(np.abs(values - centre)))  # so that cubes of large values stay finite
    deviations = (values - centre) / scale
    m2, m3 = float(np.mean(deviations**2)), float(np.mean(deviations**3))
    sd = scale * float(np.sqrt(m2 * values.size / (values.size - 1)))
    return Basis(method=method, numbers={"n": float(values.size), "mean": centre, "sd": sd, "skew": m3 / m2**1.5})


def _too_few(n: int) -> Unavailable:
    rows = count(max(n, 0), "value")
    return Unavailable("insufficient_data", f"a mean of {rows} has no interval", "give at least 2 values")


def hall_limits(numbers: Mapping[str, Vector], tail: float) -> Estimates:
    """Invert g(T) = T + a T^2 / 3 + a^2 T^3 / 27 + a / 6 at the t quantiles, where a = skewness / sqrt(n)."""
    n, centre = numbers["n"], numbers["mean"]
    se = numbers["sd"] / np.sqrt(n)
    a = numbers["skew"] / np.sqrt(n)
    t = t_quantile(n - 1, tail)
    lower = centre - se * _inverse_cubic(t, a)
    upper = centre - se * _inverse_cubic(-t, a)
    return Estimates(centre, np.minimum(lower, centre), np.maximum(upper, centre))


def _inverse_cubic(x: Vector, a: Vector) -> Vector:
    """T with g(T) = x; the limit a -> 0 is x itself."""
    flat = np.abs(a) < 1e-9
    safe = np.where(flat, 1.0, a)
    return np.where(flat, x, 3 / safe * (np.cbrt(1 + safe * (x - safe / 6)) - 1))


def _mean(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return hall_limits(stack.numbers, tail)


def _root_mean(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return Estimates(*(np.sqrt(np.maximum(bound, 0.0)) for bound in hall_limits(stack.numbers, tail)))


METHODS = {
    "hall_t": Method(
        short="Hall's t",
        words="t interval corrected for skewness (Hall 1992)",
        formula=_mean,
        rows=("n",),
        counts=("n",),
    ),
    "root_hall_t": Method(
        short="Hall's t",
        words="square root of the t interval, corrected for skewness, of the mean square (Hall 1992)",
        formula=_root_mean,
        rows=("n",),
        counts=("n",),
    ),
}
