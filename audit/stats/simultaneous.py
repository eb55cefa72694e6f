"""Critical values and p-values for many comparisons at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from audit.stats.arrays import Vector, normal_quantile

_STEPS = 60
_NODES, _EDGE = 257, 9.0  # quadrature points, and the range of z beyond which nothing is left


def simultaneous_z(comparisons: int, alpha: float) -> float:
    """z of two-sided intervals that all hold with probability 1 - alpha, whatever their correlation (Šidák 1967)."""
    return normal_quantile(tail_of_each(comparisons, alpha / 2))


def tail_of_each(comparisons: int, tail: float) -> float:
    """What each of several two-sided intervals leaves out in a tail so that together they leave out twice ``tail``."""
    return -math.expm1(math.log1p(-2 * tail) / max(comparisons, 1)) / 2


def tukey_z(groups: int, alpha: float) -> float:
    """z for the gaps of all pairs of ``groups``: the studentized range at infinite df, over sqrt 2 (Tukey-Kramer; with
    unequal sizes conservative, Hayter 1984).
    """
    if groups < 2:
        return normal_quantile(alpha / 2)
    low, high = 0.0, 60.0
    z, step = np.linspace(-_EDGE, _EDGE, _NODES, retstep=True)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _range_tail(middle, groups, z) * step > alpha else (low, middle)
    return high / math.sqrt(2)


def _range_tail(q: float, groups: int, z: Vector) -> float:
    """P(range of ``groups`` standard normals > q) = integral of k phi(z) {Phi(z)^(k-1) - [Phi(z) - Phi(z-q)]^(k-1)}.

    The sum over the points z, before their distance: for a smooth integrand that dies out at both ends it converges
    faster than any power of the distance.
    """
    density = groups * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    log_all = (groups - 1) * np.log(ndtr(z))
    share = ndtr(z - q) / ndtr(z)
    missing = -np.expm1((groups - 1) * np.log1p(-np.minimum(share, 1 - 1e-16)))
    return float(np.sum(density * np.exp(log_all) * missing))


def holm(p: ArrayLike) -> Vector:
    """p-values adjusted step-down so that any of them below alpha errs with probability alpha at most (Holm 1979)."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> Vector:
    """p-values adjusted step-up: of those below q, a share of q is expected to be false (Benjamini & Hochberg 1995).

    For exploration only: unlike Holm's it does not keep the chance of any false finding small.
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(-values, kind="stable")
    steps = np.minimum.accumulate(values[order] * values.size / np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
