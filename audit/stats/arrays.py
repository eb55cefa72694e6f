"""Many bases as arrays, so that one formula serves one number, 5,000 groups and all their pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from audit.results import Basis, IntervalKind

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]
_STEPS = 60  # halvings: a border is exact to rounding


class Estimates(NamedTuple):
    """Values and their bounds, one entry a basis."""

    value: Vector
    lower: Vector
    upper: Vector


@dataclass(frozen=True, slots=True)
class Stack:
    """Bases of the same shape: every number is an array with one entry a basis."""

    method: str
    numbers: Mapping[str, Vector]
    parts: tuple[Stack, ...] = ()


# A formula: the stack, the estimates of its parts, and the probability left out in each tail.
Formula = Callable[[Stack, tuple[Estimates, ...], float], Estimates]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How one kind of basis becomes an interval, and how its numbers grow with the rows behind it."""

    short: str  # "Wilson"
    words: str  # "Wilson score interval (Wilson 1927)"
    formula: Formula
    kind: IntervalKind = "sample"
    rows: tuple[str, ...] = ()  # the numbers whose sum is the rows behind the value
    counts: tuple[str, ...] = ()  # numbers that grow in proportion to the rows
    errors: tuple[str, ...] = ()  # numbers that shrink with the square root of the rows
    joint: bool = False  # the intervals of its parts hold all together
    joint_above: bool = False  # their upper bounds alone do


Shape = tuple[str, tuple[str, ...], tuple["Shape", ...]]


def shape(basis: Basis) -> Shape:
    """What two bases must share to stand in one stack."""
    return basis.method, tuple(sorted(basis.numbers)), tuple(shape(part) for part in basis.parts)


def stack(bases: Sequence[Basis]) -> Stack:
    """Bases of one shape as arrays."""
    first = bases[0]
    return Stack(
        first.method,
        {name: np.array([basis.numbers[name] for basis in bases], dtype=float) for name in first.numbers},
        tuple(stack([basis.parts[i] for basis in bases]) for i in range(len(first.parts))),
    )


def normal_quantile(tail: float) -> float:
    """z with probability ``tail`` above it."""
    return float(-ndtri(tail))


def t_quantile(df: Vector, tail: float) -> Vector:
    """Student t with ``df`` degrees of freedom and probability ``tail`` above it."""
    return np.asarray(-stdtrit(df, tail), dtype=float)


def edge(rejected: Callable[[Vector], Mask], inside: Vector, outside: Vector) -> Vector:
    """The border between values that are kept (from ``inside``) and values that are rejected (towards ``outside``)."""
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        out = rejected(middle)
        inside, outside = np.where(out, inside, middle), np.where(out, middle, outside)
    return inside
