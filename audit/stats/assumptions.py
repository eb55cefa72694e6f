"""Numbers whose uncertainty is not sampling: a census, and a range that follows from assumptions."""

from __future__ import annotations

import numpy as np

from audit.errors import CheckError
from audit.results import Basis
from audit.stats.arrays import Estimates, Method, Stack, normal_quantile


def exact(value: float) -> Basis:
    """A number that was counted or computed, not estimated."""
    return Basis(method="exact", numbers={"value": float(value)})


def assumption_range(value: float, lower: float, upper: float, level: float) -> Basis:
    """A range that holds the value at ``level`` by assumption; at other levels it widens as a log-normal range would.

    Where ``lower`` is 0 or less the range has no logarithm: it then widens in proportion, and never below 0 if it
    was not below 0 as given.
    """
    if not lower <= value <= upper or not 0 < level < 1:
        raise CheckError(
            f"a range needs lower <= value <= upper, 0 < level < 1, got {lower}, {value}, {upper}, {level}"
        )
    numbers = {"value": float(value), "lower": float(lower), "upper": float(upper), "level": float(level)}
    return Basis(method="range" if lower > 0 else "linear_range", numbers=numbers)


def _exact(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    value = stack.numbers["value"]
    return Estimates(value, value, value)


def _stretch(stack: Stack, tail: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    own = np.array([normal_quantile((1 - level) / 2) for level in stack.numbers["level"]])
    return np.asarray(normal_quantile(tail) / own)


def _range(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    value, stretch = stack.numbers["value"], _stretch(stack, tail)
    lower = value * (stack.numbers["lower"] / value) ** stretch
    upper = value * (stack.numbers["upper"] / value) ** stretch
    return Estimates(value, np.minimum(lower, value), np.maximum(upper, value))


def _linear_range(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    value, stretch = stack.numbers["value"], _stretch(stack, tail)
    lower = value - (value - stack.numbers["lower"]) * stretch
    upper = value + (stack.numbers["upper"] - value) * stretch
    return Estimates(value, np.where(stack.numbers["lower"] >= 0, np.maximum(lower, 0.0), lower), upper)


METHODS = {
    "exact": Method(short="exact", words="exact: counted or computed, not estimated", formula=_exact, kind="exact"),
    "range": Method(
        short="range",
        words="range that follows from the assumptions, log-normal between levels",
        formula=_range,
        kind="range",
    ),
    "linear_range": Method(
        short="range",
        words="range that follows from the assumptions, linear between levels",
        formula=_linear_range,
        kind="range",
    ),
}
