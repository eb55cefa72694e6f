"""What a run measured against its baseline, row by row, ready to be drawn: for the report and the dashboard alike."""

from __future__ import annotations

from audit import wording
from audit.record import AuditRun, Record
from audit.results import Measurement
from reports import selection
from reports.charts.changes import MAX_ROWS, Difference

FAMILY = "baseline"
BY_GROUP = "accuracy_change_from_baseline"
AXIS = "model minus baseline"
READING = (
    "How to read: each bar is the interval of one change on the same rows; grey ones include no change. A share that "
    "rises is no gain by itself: whether higher is better stands beside each measure."
)


def records(run: AuditRun) -> list[Record]:
    """The checks that compared something with the baseline on the test rows."""
    return [r for r in run.records if r.family == FAMILY and r.on == "test" and r.outcome.measurements]


def changes(run: AuditRun) -> tuple[Difference, ...]:
    """Every change over all rows, then that of accuracy for groups of one column, those that lose most first."""
    found = [m for record in records(run) for m in record.outcome.measurements if _is_change(m)]
    whole = [m for m in found if not m.slice and not m.params]
    groups = sorted((m for m in found if m.name == BY_GROUP and len(m.slice) == 1), key=lambda m: m.value)
    return tuple(_drawn(run, m) for m in (*whole, *groups)[:MAX_ROWS])


def _is_change(m: Measurement) -> bool:
    return "_change_" in m.name and m.unit == "1" and m.interval.kind == "sample"


def _drawn(run: AuditRun, m: Measurement) -> Difference:
    words = selection.measure_words(run, m.name).removesuffix(" from the baseline").removeprefix("change of ")
    return Difference(
        label=words.removeprefix("the ") if not m.slice else f"accuracy, {wording.slice_words(m.slice)}",
        value=m.value,
        lower=m.interval.lower,
        upper=m.interval.upper,
        shown=not m.interval.lower <= 0 <= m.interval.upper,
    )
