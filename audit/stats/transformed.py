"""Estimates with a standard error, on the scale where they are close to normal; R squared among them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.special import expit

from audit.counting import count
from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Mask, Method, Stack, Vector, normal_quantile, t_quantile
from audit.stats.means import FEWEST_CONSTANT

Scale = Literal["identity", "log", "logit"]
_METHOD = {"identity": "t", "log": "log_t", "logit": "logit_t"}
_LARGEST = 700.0  # exp of more than this overflows


def normal(estimate: float, se: float, df: float = math.inf, *, scale: Scale = "identity", n: float = 0) -> Basis:
    """An estimate with its standard error, both in the measure's own unit.

    ``scale`` is where the interval is symmetric: "log" for positive values, "logit" for shares; the standard error
    is carried there by the delta method. ``n`` is the rows behind it, 0 where that is not known.
    """
    if se < 0 or df <= 0:
        raise CheckError(f"normal needs se >= 0 and df > 0, got se = {se:g}, df = {df:g}")
    if (scale == "log" and estimate <= 0) or (scale == "logit" and not 0 < estimate < 1):
        inside = "above 0" if scale == "log" else "between 0 and 1"
        raise Unavailable("undefined", f"an interval on the {scale} scale needs a value {inside}", "give more rows")
    numbers = {"estimate": float(estimate), "se": float(se)}
    if math.isfinite(df):
        numbers["df"] = float(df)
    if n > 0:
        numbers["n"] = float(n)
    return Basis(method=_METHOD[scale], numbers=numbers)


def r_squared(y: Vector, prediction: Vector) -> Basis:
    """R squared = 1 - SSE / SST of vectors of n finite values.

    log(1 - R2) = log SSE - log SST is close to normal; its standard error is the jackknife's, in closed form: without
    row i, SSE loses e_i^2 and SST loses d_i^2 n / (n - 1), with e = y - prediction and d = y - mean(y).
    """
    y, prediction = np.asarray(y, dtype=float), np.asarray(prediction, dtype=float)
    if y.size < 3:
        few = f"R squared of {count(y.size, 'row')} has no interval"
        raise Unavailable("insufficient_data", few, "give at least 3 rows")
    if np.ptp(y) == 0:
        raise Unavailable("undefined", "R squared has no value: the target is constant", "give rows that differ")
    scale = float(np.max(np.abs(y - y.mean())))
    errors, deviations = ((y - prediction) / scale) ** 2, ((y - y.mean()) / scale) ** 2
    if errors.sum() == 0:
        return _perfect(y.size)
    log_ratio = math.log(errors.sum() / deviations.sum())
    without = _log_without(errors, 1.0) - _log_without(deviations, y.size / (y.size - 1))
    se = math.sqrt((y.size - 1) * float(np.var(without)))
    return Basis(method="r_squared_t", numbers={"log_ratio": log_ratio, "se": se, "n": float(y.size)})


def relative_mean(values: Vector, own: Mask) -> Basis:
    """Mean of the rows ``own`` over the mean of all, of ``values``, shape (n,), that are not negative.

    t on the log scale, so that both bounds lie above 0. The standard error is the jackknife's: without a row, the mean
    of all and, where it is one of its own, the mean above it are others. Raises Unavailable: insufficient data for
    fewer than two own rows, undefined where all of these are 0.
    """
    size = int(own.sum())
    if size < 2:
        raise Unavailable("insufficient_data", f"{size} of these rows have no spread", "give at least 2 of them")
    if values[own].sum() <= 0:
        raise Unavailable("undefined", "the value is 0 in every one of these rows", "give rows where it is not")
    ratio = float(values[own].mean() / values.mean())
    change = -_log_mean_changes(values)
    change[own] += _log_mean_changes(values[own])
    se = math.sqrt((size - 1) / size * float(change @ change))
    return normal(ratio, ratio * se, df=size - 1, scale="log", n=size)


def _log_mean_changes(values: Vector) -> Vector:
    """How the logarithm of the mean changes when each row is left out."""
    return np.asarray(_log_without(values, 1.0) - math.log(len(values) - 1) - math.log(values.mean()), dtype=float)


def _log_without(terms: Vector, weight: float) -> Vector:
    """Logarithm of the sum less ``weight`` times each of its terms; floored where one term makes up all of it."""
    total = float(terms.sum())
    return np.asarray(np.log(np.maximum(total - weight * terms, 1e-12 * total)), dtype=float)


def _perfect(n: int) -> Basis:
    if n < FEWEST_CONSTANT:
        raise Unavailable(
            "insufficient_data",
            f"the predictions equal the target in all rows (n = {n}), too few to say how far that holds",
            f"give at least {FEWEST_CONSTANT} rows",
        )
    return normal(1.0, 0.0, n=n)


def _quantile(stack: Stack, tail: float) -> Vector | float:
    return t_quantile(stack.numbers["df"], tail) if "df" in stack.numbers else normal_quantile(tail)


def _identity(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    estimate = stack.numbers["estimate"]
    half = _quantile(stack, tail) * stack.numbers["se"]
    return Estimates(estimate, estimate - half, estimate + half)


def _log(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    estimate = stack.numbers["estimate"]
    half = _quantile(stack, tail) * stack.numbers["se"] / estimate
    factor = np.exp(np.minimum(half, _LARGEST - np.abs(np.log(estimate))))
    return Estimates(estimate, estimate / factor, estimate * factor)


def _logit(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return logit_limits(stack.numbers["estimate"], stack.numbers["se"], _quantile(stack, tail))


def logit_limits(p: Vector, se: Vector, quantile: Vector | float) -> Estimates:
    """Symmetric on the logit scale: expit(logit p -+ quantile se / (p (1 - p)))."""
    centre, half = np.log(p / (1 - p)), quantile * se / (p * (1 - p))
    return Estimates(p, np.minimum(expit(centre - half), p), np.maximum(expit(centre + half), p))


def _r_squared(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    centre = stack.numbers["log_ratio"]
    half = t_quantile(stack.numbers["n"] - 1, tail) * stack.numbers["se"]
    largest = np.minimum(centre + half, _LARGEST)
    return Estimates(1 - np.exp(centre), 1 - np.exp(largest), 1 - np.exp(centre - half))


def _method(short: str, words: str, formula: Callable[[Stack, tuple[Estimates, ...], float], Estimates]) -> Method:
    return Method(short=short, words=words, formula=formula, rows=("n",), counts=("n", "df"), errors=("se",))


METHODS = {
    "t": _method("t", "t interval from the standard error; normal where no degrees of freedom are given", _identity),
    "log_t": _method("t on the log scale", "t interval on the log scale, delta method", _log),
    "logit_t": _method("t on the logit scale", "t interval on the logit scale, delta method", _logit),
    "r_squared_t": _method(
        "t on log(1 - R²)", "t interval of log SSE - log SST, standard error by jackknife", _r_squared
    ),
}
