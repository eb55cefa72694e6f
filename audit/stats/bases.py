"""One door to every method: the interval of any basis at any level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from audit.errors import CheckError, nearest
from audit.results import Basis, Compare, Interval, IntervalKind, Measurement, Scalar
from audit.stats import (
    assumptions,
    calibration,
    distances,
    inequality,
    means,
    mover,
    paired,
    paired_measures,
    proportions,
    ranks,
    score_tests,
    transformed,
    weighting,
)
from audit.stats.arrays import Estimates, Method, Shape, Stack, shape, stack
from audit.stats.simultaneous import tail_of_each

METHODS: Mapping[str, Method] = MappingProxyType(
    assumptions.METHODS
    | calibration.METHODS
    | distances.METHODS
    | inequality.METHODS
    | means.METHODS
    | mover.METHODS
    | paired.METHODS
    | paired_measures.METHODS
    | proportions.METHODS
    | ranks.METHODS
    | score_tests.METHODS
    | transformed.METHODS
    | weighting.METHODS
)
_ANY_TAIL = 0.025  # for questions about the value alone
_NO_NUMBERS: Mapping[str, Scalar] = MappingProxyType({})
_NO_SLICE: Mapping[str, str | None] = MappingProxyType({})


def method(name: str) -> Method:
    """The method of that name. Raises CheckError with the nearest name."""
    if name not in METHODS:
        raise CheckError(f'no interval method "{name}"{nearest(name, METHODS)}: use a function of audit.stats')
    return METHODS[name]


def estimates(stacked: Stack, tail: float) -> Estimates:
    """Values and bounds that leave the probability ``tail`` out on each side."""
    how = method(stacked.method)
    together = tail_of_each(len(stacked.parts), tail) if how.joint or how.joint_above else tail
    parts = tuple(estimates(part, together) for part in stacked.parts)
    if how.joint_above:
        alone = [estimates(part, tail).lower for part in stacked.parts]
        parts = tuple(part._replace(lower=lower) for part, lower in zip(parts, alone, strict=True))
    return how.formula(stacked, parts, tail)


def evaluate(bases: Sequence[Basis], tail: float) -> Estimates:
    """As ``estimates``, for bases of any mixture of methods, in their order."""
    result = Estimates(*(np.empty(len(bases)) for _ in range(3)))
    for places in _by_shape(bases).values():
        group = estimates(stack([bases[i] for i in places]), tail)
        for target, source in zip(result, group, strict=True):
            target[places] = source
    return result


def _by_shape(bases: Sequence[Basis]) -> dict[Shape, list[int]]:
    places: dict[Shape, list[int]] = {}
    for i, basis in enumerate(bases):
        places.setdefault(shape(basis), []).append(i)
    return places


def interval(basis: Basis, level: float) -> Interval:
    """The interval of a basis at ``level``, between 0 and 1."""
    return _intervals([basis], level)[0][1]


def _intervals(bases: Sequence[Basis], level: float) -> list[tuple[float, Interval]]:
    """Values and intervals in one pass: some intervals are searched for."""
    if not 0 < level < 1:
        raise CheckError(f"a level lies between 0 and 1, got {level}")
    found = evaluate(bases, (1 - level) / 2)
    return [
        (
            number,
            Interval(lower=lower, upper=upper, level=level, method=method(basis.method).short, kind=_kind(basis)),
        )
        for basis, number, lower, upper in zip(bases, *(numbers.tolist() for numbers in found), strict=True)
    ]


def _kind(basis: Basis) -> IntervalKind:
    """Of a compound: what its least certain part is."""
    kinds = {_kind(part) for part in basis.parts} or {method(basis.method).kind}
    if "range" in kinds:
        return "range"
    return "exact" if kinds == {"exact"} else "sample"


def value(basis: Basis) -> float:
    """The number itself."""
    return float(evaluate([basis], _ANY_TAIL).value[0])


def rows(basis: Basis) -> float:
    """The rows behind a basis, over all its parts; 0 where that is not known."""
    own = method(basis.method).rows
    if own:  # parts of the same rows are not counted beside them
        return sum(basis.numbers.get(name, 0.0) for name in own)
    return sum(rows(part) for part in basis.parts)


def method_words(basis: Basis) -> str:
    """How the interval was made, with its source, as a reader of a report sees it."""
    return method(basis.method).words


def scaled(basis: Basis, factor: float) -> Basis:
    """The basis that ``factor`` times as many rows would have given, had nothing else changed."""
    how = method(basis.method)
    numbers = dict(basis.numbers)
    for name in how.counts:
        if name in numbers:
            numbers[name] *= factor
    for name in how.errors:
        numbers[name] /= factor**0.5
    return Basis(method=basis.method, numbers=numbers, parts=tuple(scaled(part, factor) for part in basis.parts))


def measured(
    *,
    name: str,
    basis: Basis,
    level: float,
    n: int,
    unit: str,
    slice: Mapping[str, str | None] = _NO_SLICE,
    compare: Compare = "each",
    params: Mapping[str, Scalar] = _NO_NUMBERS,
    columns: tuple[str, ...] = (),
) -> Measurement:
    """A measurement whose value, interval and method follow from its basis."""
    asked = Asked(name=name, basis=basis, n=n, unit=unit, slice=slice, compare=compare, params=params, columns=columns)
    return measured_together([asked], level)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a measurement is to be, before its value and interval are made."""

    name: str
    basis: Basis
    n: int
    unit: str
    slice: Mapping[str, str | None] = field(default_factory=dict)
    compare: Compare = "each"
    params: Mapping[str, Scalar] = field(default_factory=dict)
    columns: tuple[str, ...] = ()


def measured_together(asked: Sequence[Asked], level: float) -> list[Measurement]:
    """Many measurements, all intervals in one pass: thousands of groups take as long as a few."""
    found = _intervals([one.basis for one in asked], level)
    return [
        Measurement(
            name=one.name,
            value=number,
            interval=bounds,
            basis=one.basis,
            n=one.n,
            unit=one.unit,
            method=method_words(one.basis),
            slice=one.slice,
            compare=one.compare,
            params=one.params,
            columns=one.columns,
        )
        for one, (number, bounds) in zip(asked, found, strict=True)
    ]
