"""Limits, and records with known rates to judge them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.errors import Unavailable
from audit.policy import Finding, Limit
from audit.policy.judge import judge
from audit.policy.options import Rules
from audit.results import Basis, Measurement, MeasureNote, Omission, Outcome, Reason, Record
from audit.stats import measured, rate

NOTES = {
    name: MeasureNote(unit="1", better=better, words=name.replace("_", " "), check="fairness.rates")
    for name, better in (
        ("accuracy", "higher"),
        ("error", "lower"),
        ("selection_rate", "none"),
        ("recall", "higher"),
        ("overlap", "lower"),
    )
}
Cell = tuple[float, float]  # k of n


def a_limit(measure: str = "accuracy", **more: Any) -> Limit:
    return Limit(measure=measure, **more)


def measurements(name: str, cells: Mapping[str | None, Cell], column: str = "sex", **more: Any) -> list[Measurement]:
    """One rate k of n for each level of ``column``; the level "" is all rows."""
    return [of_basis(name, rate(*cell), int(cell[1]), _slice(column, level), **more) for level, cell in cells.items()]


def of_basis(
    name: str, basis: Basis, n: int, slice: Mapping[str, str | None] | None = None, **more: Any
) -> Measurement:
    return measured(name=name, basis=basis, level=0.95, n=n, unit="1", slice=slice or {}, **more)


def _slice(column: str, level: str | None) -> dict[str, str | None]:
    return {} if level == "" else {column: level}


def an_omission(level: str | None = "x", *, name: str = "accuracy", n: int = 3, **more: Any) -> Omission:
    reason = more.pop("reason", Reason.UNDEFINED)
    slice_ = _slice("sex", level)
    return Omission(
        name=name,
        reason=reason,
        detail=f"{level or 'all rows'} is undefined",
        remedy="collect it",
        slice=slice_,
        n=n,
        **more,
    )


def a_record(
    found: Sequence[Measurement], omitted: Sequence[Omission] = (), *, on: str = "test", check: str = "fairness.rates"
) -> Record:
    outcome = Outcome(measurements=tuple(found), omissions=tuple(omitted))
    return Record(check=check, family="fairness", on=on, cost="instant", outcome=outcome)


def rules(**more: Any) -> Rules:
    return Rules(**{"confidence": 0.95, "min_n": 30, "underpowered": "block", "measures": NOTES, **more})


def verdict_on(
    limit: Limit, cells: Mapping[str | None, Cell], omitted: Sequence[Omission] = (), **more: Any
) -> Finding:
    """The finding on one limit over these rates."""
    record = a_record(measurements(limit.measure, cells), omitted)
    return judge([limit], [record], rules(**more))[0]


def may_be_had(basis: Any) -> bool:
    try:
        basis()
    except Unavailable:
        return False
    return True
