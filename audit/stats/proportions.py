"""Rates k/n and F1, by Wilson's score interval.

Wilson, E. B. (1927), JASA 22, 209-212. Brown, Cai & DasGupta (2001), Statistical Science 16, 101-133, for its coverage.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, ndtri

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Method, Stack, Vector, normal_quantile


def rate(k: float, n: float) -> Basis:
    """``k`` successes in ``n`` trials; both may be effective sizes, so need not be whole.

    Raises Unavailable (undefined) where there are no trials.
    """
    if n == 0:
        raise Unavailable("undefined", "a rate of 0 trials has no value", "give rows that the rate is about")
    if n < k <= n * (1 + 1e-9):
        k = n  # weighted sums round
    if not 0 <= k <= n:
        raise CheckError(f"a rate needs 0 <= k <= n, got k = {k:g}, n = {n:g}")
    return Basis(method="wilson", numbers={"k": float(k), "n": float(n)})


def rate_beyond(k: float, n: float, expected: float) -> Basis:
    """How far a rate of ``k`` in ``n`` lies above an expected one that is known, such as the mean of the scores."""
    return Basis(method="shifted_wilson", numbers={**rate(k, n).numbers, "expected": float(expected)})


def selected_rate(k: float, n: float, tested: int) -> Basis:
    """A rate that was picked out of ``tested`` ones: its interval holds for all of them together (Bonferroni)."""
    if tested < 1:
        raise CheckError(f"a rate is picked out of at least 1, got {tested}")
    return Basis(method="selected_wilson", numbers={**rate(k, n).numbers, "tested": float(tested)})


def f1(tp: float, fp: float, fn: float) -> Basis:
    """F1 = 2 J / (1 + J), where J = tp / (tp + fp + fn) is a share of the rows that are positive or called so.

    Raises Unavailable (undefined) where no row is positive or called positive.
    """
    if min(tp, fp, fn) < 0:
        raise CheckError(f"counts must not be negative, got tp = {tp:g}, fp = {fp:g}, fn = {fn:g}")
    if tp + fp + fn == 0:
        raise Unavailable("undefined", "F1 has no value: no row is positive or predicted positive", "give such rows")
    return Basis(method="f1_wilson", numbers={"tp": float(tp), "fp": float(fp), "fn": float(fn)})


def f1_from_jaccard(jaccard: Basis) -> Basis:
    """F1 = 2 J / (1 + J) where the Jaccard index J has an interval of its own, such as that of a clustered rate."""
    return Basis(method="f1_jaccard", numbers={}, parts=(jaccard,))


def wilson_limits(k: Vector, n: Vector, z: float | Vector) -> Estimates:
    """Solutions p of |k/n - p| = z sqrt(p (1 - p) / n)."""
    p = k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    lower = np.where(k == 0, 0.0, np.minimum(np.maximum(centre - half, 0.0), p))
    upper = np.where(k == n, 1.0, np.maximum(np.minimum(centre + half, 1.0), p))
    return Estimates(p, lower, upper)


def _rate(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return wilson_limits(stack.numbers["k"], stack.numbers["n"], normal_quantile(tail))


def _shifted(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return Estimates(*(bound - stack.numbers["expected"] for bound in _rate(stack, parts, tail)))


def _selected(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    z = -ndtri(tail / stack.numbers["tested"])
    return wilson_limits(stack.numbers["k"], stack.numbers["n"], np.asarray(z, dtype=float))


def _f1(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    tp = stack.numbers["tp"]
    jaccard = wilson_limits(tp, tp + stack.numbers["fp"] + stack.numbers["fn"], normal_quantile(tail))
    return _f1_of(jaccard)


def _f1_jaccard(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return _f1_of(parts[0])


def _f1_of(jaccard: Estimates) -> Estimates:
    return Estimates(*(2 * bound / (1 + bound) for bound in jaccard))


def exact_upper(stack: Stack, tail: float) -> Vector:
    """The upper bound that leaves out at most ``tail`` (Clopper & Pearson 1934) of a rate, a clustered one (on its
    effective size, Korn & Graubard 1998) or an F1; 0, which bounds nothing, for any other basis.
    """
    numbers = stack.numbers
    if stack.method == "wilson":
        return _clopper_pearson(numbers["k"], numbers["n"], tail)
    if stack.method == "clustered_wilson":
        n = numbers["n_effective"]
        return _clopper_pearson(numbers["p"] * n, n, tail)
    if stack.method == "f1_wilson":
        tp = numbers["tp"]
        jaccard = _clopper_pearson(tp, tp + numbers["fp"] + numbers["fn"], tail)
        return np.asarray(2 * jaccard / (1 + jaccard), dtype=float)
    return np.zeros_like(next(iter(numbers.values()))) if numbers else np.zeros(1)


def _clopper_pearson(k: Vector, n: Vector, tail: float) -> Vector:
    """The rate at which so few successes or fewer have the probability ``tail``."""
    whole = k >= n
    return np.where(whole, 1.0, betaincinv(k + 1, np.where(whole, 1.0, n - k), 1 - tail))


def pooled_rate(k: Vector, n: Vector) -> Vector:
    """A rate moved towards 1/2 by four pseudo-trials (Agresti & Coull 1998), so that 0 of 3 is not a sure 0."""
    return np.asarray((k + 2) / (n + 4), dtype=float)


METHODS = {
    "wilson": Method(
        short="Wilson",
        words="Wilson score interval (Wilson 1927)",
        formula=_rate,
        rows=("n",),
        counts=("k", "n"),
    ),
    "shifted_wilson": Method(
        short="Wilson, less the expected rate",
        words="Wilson score interval of the observed rate (Wilson 1927), less the expected rate",
        formula=_shifted,
        rows=("n",),
        counts=("k", "n"),
    ),
    "selected_wilson": Method(
        short="Wilson, simultaneous",
        words="Wilson score interval that holds for all rates it was picked out of together (Wilson 1927; Bonferroni)",
        formula=_selected,
        rows=("n",),
        counts=("k", "n"),
    ),
    "f1_jaccard": Method(
        short="interval of the Jaccard index",
        words="the interval of J = TP / (TP + FP + FN), mapped by F1 = 2 J / (1 + J)",
        formula=_f1_jaccard,
    ),
    "f1_wilson": Method(
        short="Wilson on the Jaccard index",
        words="Wilson score interval of J = TP / (TP + FP + FN), mapped by F1 = 2 J / (1 + J) (Wilson 1927)",
        formula=_f1,
        rows=("tp", "fp", "fn"),
        counts=("tp", "fp", "fn"),
    ),
}
