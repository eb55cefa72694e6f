"""Ranges as factors around a figure, and how they combine: in log space, each side for itself.

A range is log-normal on each side of its figure: the bounds are its 5 % and 95 % points and the figure its median.
Where a range is symmetric in the logarithm this is the plain log-normal with sigma = ln(upper / lower) / 3.29.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from audit.errors import CheckError

LEVEL = 0.90
Z = 1.6448536269514722  # standard normal quantile of 0.95
DRAWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Factors at 90 %: the quantity lies between ``lower`` and ``upper`` times its figure."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not 0 < self.lower <= 1 <= self.upper:
            raise CheckError(f"a range needs 0 < lower <= 1 <= upper, got {self.lower} to {self.upper}")


EXACT = Range(lower=1.0, upper=1.0)


def combined(ranges: Sequence[Range]) -> Range:
    """The range of a product of independent factors: their log deviations add in squares."""
    return Range(
        lower=exp(-sqrt(sum(log(item.lower) ** 2 for item in ranges))),
        upper=exp(sqrt(sum(log(item.upper) ** 2 for item in ranges))),
    )


def inverse(around: Range) -> Range:
    """The range of one over the quantity."""
    return Range(lower=1 / around.upper, upper=1 / around.lower)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One summand: its figure, in any unit, and the range around it. Negative figures do not occur."""

    value: float
    range: Range


def draws(term: Term, generator: np.random.Generator) -> NDArray[np.float64]:
    """``DRAWS`` values of a term."""
    normal = generator.standard_normal(DRAWS)
    sigma = np.where(normal < 0, -log(term.range.lower), log(term.range.upper)) / Z
    return np.asarray(term.value * np.exp(sigma * normal))


def total(terms: Sequence[Term], generator: np.random.Generator) -> tuple[float, float, float]:
    """Value, lower and upper of a sum of independent terms: exact for one term, by simulation for several."""
    value = sum(term.value for term in terms)
    if len(terms) == 1:
        return value, value * terms[0].range.lower, value * terms[0].range.upper
    simulated = np.sum([draws(term, generator) for term in terms], axis=0)
    lower, upper = np.quantile(simulated, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, min(float(lower), value), max(float(upper), value)
