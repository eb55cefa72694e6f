"""Measures over the groups of one set of columns: what belongs in one chart, with its limits and its whole."""

from __future__ import annotations

from dataclasses import dataclass

from audit import wording
from audit.record import AuditRun, Record
from audit.results import Measurement, Omission, Reason
from reports import selection
from reports.charts import LimitLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One measure over the groups of one set of columns."""

    record: Record
    name: str
    columns: tuple[str, ...]
    cells: tuple[Measurement, ...]

    @property
    def first(self) -> Measurement:
        return self.cells[0]


def grids(run: AuditRun) -> list[Grid]:
    """Every grid of a run, in the order in which it was measured."""
    cells: dict[tuple[object, ...], tuple[Record, list[Measurement]]] = {}
    for record, m in run.measurements():
        if m.slice and m.compare == "each":
            key = (record.check, record.on, m.name, tuple(sorted(m.params.items())), tuple(m.slice))
            cells.setdefault(key, (record, []))[1].append(m)
    return [
        Grid(record=record, name=members[0].name, columns=tuple(members[0].slice), cells=tuple(members))
        for record, members in cells.values()
    ]


def judged(run: AuditRun, grid: Grid) -> tuple[selection.FindingWords, ...]:
    """The findings about this grid, worst first."""
    return tuple(
        selection.words(run, finding)
        for finding in selection.ordered(run)
        if finding.limit.measure == grid.name
        and set(finding.limit.by) == set(grid.columns)
        and finding.limit.on == grid.record.on
        and dict(finding.limit.params) == dict(grid.first.params)
    )


def named(run: AuditRun, grid: Grid) -> frozenset[frozenset[tuple[str, str | None]]]:
    """The groups of this grid that a finding names."""
    about = [
        finding
        for finding in run.findings
        if finding.limit.measure == grid.name
        and set(finding.limit.by) == set(grid.columns)
        and finding.limit.on == grid.record.on
    ]
    listed = [c for f in about for c in (*f.blocking, *f.listed, *([f.comparison] if f.comparison else []))]
    slices = [*(finding.subject.slice for finding in about), *(group for c in listed for group in c.groups)]
    return frozenset(frozenset(one.items()) for one in slices)


def limit_lines(run: AuditRun, grid: Grid) -> list[LimitLine]:
    """The bounds on the value of each group; a bound on a gap has no place on the axis of the values."""
    lines = []
    for finding in run.findings:
        limit = finding.limit
        asked = (limit.measure, limit.compare, limit.on, dict(limit.params))
        if asked == (grid.name, "each", grid.record.on, dict(grid.first.params)) and (
            set(limit.by) == set(grid.columns)
        ):
            lines += [LimitLine(value=limit.min, side="min")] if limit.min is not None else []
            lines += [LimitLine(value=limit.max, side="max")] if limit.max is not None else []
    return lines


def overall(run: AuditRun, grid: Grid) -> Measurement | None:
    """The same measure over all rows."""
    for record, m in run.measurements():
        if (record.check, record.on, m.name) == (grid.record.check, grid.record.on, grid.name) and (
            not m.slice and m.compare == "each" and dict(m.params) == dict(grid.first.params)
        ):
            return m
    return None


def _is_of(o: Omission, grid: Grid) -> bool:
    """Whether an omission stands where a cell of the grid should be: of the same measure, class and the like."""
    return o.name == "" or (o.name == grid.name and dict(o.params) == dict(grid.first.params))


def title(run: AuditRun, grid: Grid) -> str:
    """``share selected``, with its parameters and, if it is not the test data, the data it was measured on."""
    words = selection.measure_words(run, grid.name, params=grid.first.params)
    return f"{words}, {on_words(grid.record)}" if on_words(grid.record) else words


def on_words(record: Record) -> str:
    """``on train``; empty for the test data, which needs no saying."""
    return "" if record.on == "test" else f"on {wording.label(record.on)}"


def left_out(run: AuditRun, columns: tuple[str, ...], of: Grid | None = None) -> tuple[str, ...]:
    """The groups of these columns that a grid lacks, or that any grid of them lacks; each named once, at most 20."""
    rows: dict[str, int] = {}
    for _, o in run.omissions():
        if tuple(o.slice) == columns and (of is None or _is_of(o, of)):
            name = wording.group_words(o.slice)
            rows[name] = max(-1 if o.reason is Reason.SUPPRESSED else o.n, rows.get(name, -1))
    return tuple(f"{name} ({'suppressed' if n < 0 else f'n = {n:,}'})" for name, n in rows.items())[:20]
