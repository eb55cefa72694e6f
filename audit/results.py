"""What a check may return: measurements, omissions and evidence.

Standard library only, frozen and finite: a NaN or an infinity is refused where it is made, because a number that is
not one must be said in words (an :class:`Omission`), never hidden in a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from audit.errors import CheckError

Scalar = str | int | float | bool
Compare = Literal["each", "difference", "ratio"]
IntervalKind = Literal["sample", "range", "exact"]
Combine = Literal["worst", "mean", "mean_gap"]
"""Of a named comparison of several measures: the worst of their gaps, the gap of their mean, the mean of their gaps."""

_EMPTY: Mapping[str, Scalar] = MappingProxyType({})


def _require_finite(owner: str, **numbers: float) -> None:
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise CheckError(f"{owner}.{name} must be a finite number, got {number}: return an Omission instead")


def _to_floats(instance: object, *names: str) -> None:
    """Numbers of any library as Python's own: only those can be written down."""
    for name in names:
        object.__setattr__(instance, name, float(getattr(instance, name)))


def _freeze(instance: object, name: str) -> None:
    """Replace a mapping attribute by a read-only copy, so that a frozen dataclass is frozen all through."""
    object.__setattr__(instance, name, MappingProxyType(dict(getattr(instance, name))))


class Reason(StrEnum):
    """Why something was not measured."""

    NOT_APPLICABLE = "not_applicable"  # the question makes no sense for this model
    UNDEFINED = "undefined"  # a zero denominator, a single class
    INSUFFICIENT_DATA = "insufficient_data"
    UNSUPPORTED = "unsupported"  # it makes sense, and there is no interval for rows that were drawn like these
    SUPPRESSED = "suppressed"  # too few people to show without naming them
    WITHHELD = "withheld"  # measured, and not trustworthy or not allowed to be shown
    MISSING_INPUT = "missing_input"  # the case does not hold what the check needs
    SKIPPED = "skipped"  # engine only: the plan left it out
    ERROR = "error"  # engine only: the check crashed


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of a number: a sampling interval, an assumption range, or exact (a census)."""

    lower: float
    upper: float
    level: float
    method: str
    kind: IntervalKind = "sample"

    def __post_init__(self) -> None:
        _to_floats(self, "lower", "upper", "level")
        _require_finite("Interval", lower=self.lower, upper=self.upper, level=self.level)
        if self.lower > self.upper:
            raise CheckError(f"Interval.lower {self.lower} lies above upper {self.upper}")

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The sufficient numbers of a measurement and the method that turns them into an interval at any level.

    ``parts`` holds the bases that a compound measure is made of (two groups of a gap, the classes of a mean).
    """

    method: str
    numbers: Mapping[str, float]
    parts: tuple[Basis, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", {name: float(number) for name, number in self.numbers.items()})
        _require_finite(f"Basis({self.method})", **self.numbers)
        _freeze(self, "numbers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A number that carries its interval, n, unit and method. ``n`` of a rate is its denominator."""

    name: str
    value: float
    interval: Interval
    basis: Basis
    n: int
    unit: str
    method: str
    slice: Mapping[str, str | None] = field(default_factory=dict)  # empty: all rows; None: the value is missing
    compare: Compare = "each"
    params: Mapping[str, Scalar] = field(default_factory=dict)  # only those that differ from the default
    columns: tuple[str, ...] = ()  # table columns that it is about beyond those of the slice (a feature, a proxy)

    def __post_init__(self) -> None:
        _to_floats(self, "value")
        object.__setattr__(self, "n", int(self.n))
        _require_finite(f"Measurement({self.name})", value=self.value)
        _freeze(self, "slice")
        _freeze(self, "params")


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """What could not be measured, why, and what would help."""

    name: str  # the measure; "" where the whole check is meant
    reason: Reason
    detail: str
    remedy: str
    slice: Mapping[str, str | None] = field(default_factory=dict)
    params: Mapping[str, Scalar] = field(default_factory=dict)
    n: int = 0  # rows (or trials) there were

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", int(self.n))
        _freeze(self, "slice")
        _freeze(self, "params")


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """Numbers of a picture or a map: C order, little endian."""

    shape: tuple[int, ...]
    dtype: Literal["uint8", "float32"]
    data: bytes

    def __post_init__(self) -> None:
        expected = math.prod(self.shape) * {"uint8": 1, "float32": 4}[self.dtype]
        if len(self.data) != expected:
            raise CheckError(f"Array of shape {self.shape} {self.dtype} needs {expected} bytes, got {len(self.data)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a curve. ``lower``/``upper`` are pointwise bounds; ``n`` the rows behind each point."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    n: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, number in (("x", float), ("y", float), ("lower", float), ("upper", float), ("n", int)):
            object.__setattr__(self, name, tuple(map(number, getattr(self, name))))
        for name in ("y", "lower", "upper", "n"):
            values = getattr(self, name)
            if values and len(values) != len(self.x):
                raise CheckError(f"Series({self.label}).{name} has {len(values)} points, x has {len(self.x)}")
        for values in (self.x, self.y, self.lower, self.upper):
            if not all(map(math.isfinite, values)):
                raise CheckError(f"Series({self.label}) holds a number that is not finite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Lines over a common axis: a reliability diagram, a ROC curve, a sensitivity curve."""

    kind: Literal["curve"] = "curve"
    name: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    diagonal: bool = False  # draw y = x as the reference
    note: str = ""  # what it shows and what it does not show, one or two sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of plain values; None is an empty cell.

    ``people`` names the columns that count whom a row is about: what is about one or two is not shown to everyone.
    """

    kind: Literal["table"] = "table"
    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar | None, ...], ...]
    note: str = ""
    people: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not set(self.people) <= set(self.columns[1:]):
            raise CheckError(f"Table({self.name}): people must name columns after the first, got {self.people}")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise CheckError(f"Table({self.name}): a row has {len(row)} cells for {len(self.columns)} columns")
            if any(isinstance(cell, float) and not math.isfinite(cell) for cell in row):
                raise CheckError(f"Table({self.name}) holds a number that is not finite")
            strange = [cell for cell in row if cell is not None and not isinstance(cell, Scalar)]
            if strange:
                raise CheckError(f"Table({self.name}): a cell is text, a number or a truth, got {type(strange[0])}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedItem:
    """One dot of a ranking with its interval."""

    label: str
    value: float
    lower: float
    upper: float

    def __post_init__(self) -> None:
        _to_floats(self, "value", "lower", "upper")
        _require_finite(f"RankedItem({self.label})", value=self.value, lower=self.lower, upper=self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Dots with intervals, largest first: global importance of features.

    ``what`` is what one item stands for, in the singular, and ``quantity`` what its value is: charts say both.
    """

    kind: Literal["ranking"] = "ranking"
    name: str
    title: str
    unit: str
    level: float
    method: str
    n: int
    items: tuple[RankedItem, ...]
    note: str = ""
    what: str = "column"
    quantity: str = "mean contribution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one column added to one output; ``error`` is the standard error of its computation, 0 if exact."""

    label: str
    shown: str  # the column's value, as a person reads it
    value: float
    error: float = 0.0

    def __post_init__(self) -> None:
        _to_floats(self, "value", "error")
        _require_finite(f"Contribution({self.label})", value=self.value, error=self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """From the base value to one output, contribution by contribution. About a row: kept only if rows may be."""

    kind: Literal["waterfall"] = "waterfall"
    name: str
    title: str
    unit: str
    base: float
    output: float
    items: tuple[Contribution, ...]
    completeness: float  # (sum of contributions) - (output - base)
    method: str
    note: str = ""

    def __post_init__(self) -> None:
        _to_floats(self, "base", "output", "completeness")
        _require_finite(f"Waterfall({self.name})", base=self.base, output=self.output, completeness=self.completeness)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMap:
    """A picture and what each pixel contributed to one output. About a row: kept only if rows may be.

    ``pixels`` is height x width x channels (1 or 3) uint8; ``attributions`` height x width float32, signed.
    """

    kind: Literal["image_map"] = "image_map"
    name: str
    title: str
    pixels: Array
    attributions: Array
    method: str
    target: str  # the class that is explained
    completeness: float | None  # relative error of the sum; None where the method promises none
    signed: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMap:
    """A text as its tokens, and what each contributed to one output. About a row: kept only if rows may be."""

    kind: Literal["text_map"] = "text_map"
    name: str
    title: str
    tokens: tuple[str, ...]
    weights: tuple[float, ...]  # signed, one a token
    method: str
    target: str  # the class that is explained
    completeness: float | None  # relative error of the sum; None where the method promises none
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(map(float, self.weights)))
        if len(self.tokens) != len(self.weights):
            raise CheckError(f"TextMap({self.name}) has {len(self.tokens)} tokens and {len(self.weights)} weights")
        if not all(map(math.isfinite, self.weights)):
            raise CheckError(f"TextMap({self.name}) holds a weight that is not finite")


Evidence = Curve | Table | Ranking | Waterfall | ImageMap | TextMap
ROW_EVIDENCE = (Waterfall, ImageMap, TextMap)  # shows a single row of the data


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that a check returns. An empty one is refused: silence is not an answer."""

    measurements: tuple[Measurement, ...] = ()
    omissions: tuple[Omission, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    notices: tuple[str, ...] = ()  # licences and attributions of data of others that the numbers rest on

    def __post_init__(self) -> None:
        if not (self.measurements or self.omissions or self.evidence):
            raise CheckError("a check returned an empty Outcome: return an Omission that says why there is nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureNote:
    """What a measure is, as its check declared it when it was measured."""

    unit: str
    better: str  # "higher" | "lower" | "none" | "zero" | "one"
    words: str  # how a person reads it: "share selected"
    check: str
    params: Mapping[str, str] = field(default_factory=dict)
    of: tuple[str, ...] = ()  # a named comparison: the measures whose gaps or ratios it is made of
    compare: Compare = "each"  # how a named comparison compares groups
    combine: Combine = "worst"


EXPLAINED = "output"
"""The unit of a measure whose measurements are in the unit of what is explained, such as log-odds: they say which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One check run once: on which data, with which parameters, and what it returned."""

    check: str  # "fairness.group_rates"
    family: str  # "fairness"
    on: str  # "test"
    cost: str
    outcome: Outcome
    params: Mapping[str, Scalar] = field(default_factory=dict)
    traceback: str = ""  # of a crash; shown under --debug and in the report's appendix


def spent_alpha(alpha: float, index: int) -> float:
    """What the look of that index, from 1, may err with."""
    return 6 * alpha / (math.pi * index) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: its place among all looks at the set, and the digest of those before it, which are inputs of the run.

    Looking again with the same model gives the same look, so the run repeats to the byte.
    """

    index: int
    before_sha256: str

    def alpha(self, alpha: float) -> float:
        return spent_alpha(alpha, self.index)

    def confidence(self, confidence: float) -> float:
        """The level of two-sided intervals at this look, for a first level of ``confidence`` without a ledger."""
        return 1 - self.alpha(1 - confidence)
