"""What the ways of judging share: the rules of a run, and where a bound lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.policy.limits import Comparison, Limit
from audit.results import Basis, Measurement, MeasureNote, Omission, Record

Vector = NDArray[np.float64]
Key = tuple[tuple[str, str | None], ...]
"""A slice as something to look up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a run is judged."""

    confidence: float
    min_n: int
    underpowered: str  # "block" | "list", for limits that do not say
    measures: Mapping[str, MeasureNote]
    remedies: Mapping[str, str] = field(default_factory=dict)  # check id -> what reduces the risk
    reference: Mapping[str, str | None] = field(default_factory=dict)  # column -> its declared reference level
    baseline: Sequence[Record] | None = None  # of the run that `regress` compares with
    elsewhere: str = ""  # how the machine of the baseline run differs from this one; "" where it does not
    relabel: bool = False  # say how few wrong group labels could turn a verdict that somebody asked for
    unmeasured: str = "name the columns in groups, or correct the limit"  # what to do where a measurement is not there
    bounded: frozenset[str] = frozenset()  # data sets whose rows of unknown group are assigned in the worst way


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One limit with all that judging it takes."""

    limit: Limit
    found: Sequence[Measurement]
    omitted: Sequence[Omission]
    overall: Measurement | None
    note: MeasureNote
    rules: Rules
    alpha: float  # this limit's part of the family's error
    ends: Mapping[Key, tuple[Basis, Basis]] = field(default_factory=dict)  # lowest and highest, by group
    unknown: int = 0  # rows of unknown group that ``ends`` assigns, or that could not be assigned

    @property
    def blocks(self) -> bool:
        """Whether a comparison that could have shown nothing keeps the limit open."""
        return (self.limit.underpowered or self.rules.underpowered) == "block"

    @property
    def fix(self) -> str:
        """What to do about a failure."""
        return self.rules.remedies.get(self.note.check) or f"read: audit explain {self.note.check}"

    @property
    def name(self) -> str:
        return wording.measure_words(self.limit.measure, self.note.words, self.limit.params)

    @property
    def bounds(self) -> str:
        limit = self.limit
        return wording.limit_words(self.note.unit, lowest=limit.min, highest=limit.max, regress=limit.regress)


def inside(limit: Limit, lower: float, upper: float) -> bool:
    return (limit.min is None or lower >= limit.min) and (limit.max is None or upper <= limit.max)


def outside(limit: Limit, lower: float, upper: float) -> bool:
    return (limit.min is not None and upper < limit.min) or (limit.max is not None and lower > limit.max)


def excess(limit: Limit, value: float) -> float:
    """How far beyond the limit a value lies, negative inside: orders comparisons from the worst."""
    over = [] if limit.max is None else [value - limit.max]
    under = [] if limit.min is None else [limit.min - value]
    return max(over + under, default=0.0)


def excesses(limit: Limit, values: Vector) -> Vector:
    """As ``excess``, of many values at once."""
    over = [] if limit.max is None else [values - limit.max]
    under = [] if limit.min is None else [limit.min - values]
    return np.maximum.reduce(over + under) if over or under else np.zeros(len(values))


def nearest_bound(limit: Limit, value: float) -> float:
    """The bound that decides for this value."""
    bounds = [bound for bound in (limit.min, limit.max) if bound is not None]
    return min(bounds, key=lambda bound: abs(bound - value))


def share_of_rows(
    comparisons: Sequence[Comparison], found: Sequence[Measurement], omitted: Sequence[Omission]
) -> float:
    """Share of the denominators that lie in a group of some powered comparison."""
    powered = {key_of(g) for c in comparisons if c.powered for g in c.groups}
    total = sum(m.n for m in found) + sum(o.n for o in omitted)
    return sum(m.n for m in found if key_of(m.slice) in powered) / total if total else 0.0


def key_of(slice_: Mapping[str, str | None]) -> Key:
    return tuple(sorted(slice_.items()))
