"""A limit: what a measure must not exceed, for whom, and why. Its identity is derived, never typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from audit.results import Compare, Measurement, Omission, Scalar

Level = Literal["fail", "warn", "record"]
Contrast = Literal["pairs", "reference", "rest", "overall"]
State = Literal["new", "unchanged", "fixed", "absent"]

DEFAULT_DATA = "test"
MOST_LISTED = 20  # comparisons that a finding names
PACK_ID = re.compile(r"[^@]+@\d+")


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_ASSESSED = "not_assessed"


def _name(text: str) -> str:
    return quote(text, safe="._-", errors="surrogatepass")


def measure_id(measure: str, by: tuple[str, ...], compare: Compare, params: Mapping[str, Scalar], on: str) -> str:
    """``recall[k=10]/ratio@sex*race#train``: the one name of a limit, its JUnit case, its anchor and its waiver key.

    A named comparison ends in what it compares, which is not said twice: ``equalized_odds_difference@race``.
    """
    text = _name(measure)
    if params:
        text += "[" + ",".join(f"{_name(k)}={_name(str(v))}" for k, v in sorted(params.items())) + "]"
    if compare != "each" and not measure.endswith(f"_{compare}"):  # a named comparison says it already
        text += f"/{compare}"
    if by:
        text += "@" + "*".join(_name(column) for column in by)
    return text if on == DEFAULT_DATA else f"{text}#{_name(on)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One line of a policy. Bounds are in the measure's own unit; at least one of them, or level "record"."""

    measure: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    on: str = DEFAULT_DATA
    by: tuple[str, ...] = ()
    compare: Compare = "each"
    contrast: Contrast = "pairs"
    min: float | None = None
    max: float | None = None
    regress: float | None = None  # allowed worsening against the baseline run
    level: Level = "fail"
    why: str = ""
    clause: tuple[str, ...] = ()
    required: bool = False
    inconclusive: Literal["block", "warn"] | None = None  # None: as [gate] says
    underpowered: Literal["block", "list"] | None = None
    source: str = "audit.toml"  # or the pack's id
    line: int = 0  # of its [[limit]] header in that file, 0 if unknown

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))
        for name in ("min", "max", "regress"):
            if (bound := getattr(self, name)) is not None:
                object.__setattr__(self, name, float(bound))

    @property
    def id(self) -> str:
        return measure_id(self.measure, self.by, self.compare, self.params, self.on)


def demanded(limit: Limit) -> bool:
    """Whether somebody wrote this limit for this audit, so that it must be answered."""
    return limit.required or not PACK_ID.fullmatch(limit.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A finding that somebody has answered for until a date. Shown, never hidden."""

    limit: str
    reason: str
    owner: str
    expires: date
    bound: float | None = None  # waived only while the interval's far end stays within this


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One of the comparisons that a finding rests on: two groups, or a group and the bound."""

    groups: tuple[Mapping[str, str | None], ...]  # one (each) or two (difference, ratio), the second the reference
    value: float
    lower: float
    upper: float
    family_lower: float
    family_upper: float
    n: tuple[int, ...]
    powered: bool
    needed_n: int | None  # rows a group that would make it powered; None where it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A limit, judged. ``subject`` is the measurement (or the omission) that decided, the worst one."""

    limit: Limit
    verdict: Verdict
    subject: Measurement | Omission
    message: str  # one sentence: what was found, for whom, against which bound
    remedy: str  # what to do next
    comparison: Comparison | None = None  # the deciding one, where groups were compared
    assessed: int = 1  # comparisons with rows enough to pass
    comparisons: int = 1  # all of them
    rows_assessed: float = 1.0  # share of the rows in the powered comparisons
    blocking: tuple[Comparison, ...] = ()  # worst first, at most 20: what keeps it open or the other failures
    listed: tuple[Comparison, ...] = ()  # beside a pass, worst first, at most 20: those with too few rows to pass
    state: State = "new"
    waiver: Waiver | None = None
    needed_n: int | None = None  # rows (of the group concerned) that would decide it
    smallest_gap: float | None = None  # the smallest gap, or distance from the limit, this test set could have shown
    labels_to_flip: int | None = None  # wrong group labels among the two groups shown that could turn the verdict

    @property
    def id(self) -> str:
        return self.limit.id
