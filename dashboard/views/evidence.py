"""Charts that more than one page shows: the groups of a measure, and a finding against its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit import wording
from audit.policy import Comparison, Finding
from audit.record import AuditRun
from audit.results import Interval, Measurement
from dashboard import widgets
from reports import charts, grids, selection
from reports.charts import LimitLine
from reports.charts import groups as group_chart


def groups(run: AuditRun, grid: grids.Grid, *, numbers: bool = True) -> None:
    """A dot and an interval a group, the whole as a rule, the limit as another."""
    drawn(
        grid.cells,
        grids.limit_lines(run, grid),
        wording.sentence(grids.title(run, grid)),
        overall=grids.overall(run, grid),
        better=selection.note_of(run, grid.name).better,
        numbers=numbers,
    )


def drawn(
    cells: Sequence[Measurement],
    lines: Sequence[LimitLine],
    title: str,
    *,
    overall: Measurement | None = None,
    better: str = "none",
    numbers: bool = True,
) -> None:
    """The dot-and-interval chart with its conclusion and, unless the page shows them itself, its numbers."""
    spec = charts.figure_groups(cells, lines, title, overall=overall, better=better, palette=widgets.palette())
    conclusion = group_chart.describe(cells, title, overall=overall, better=better)
    widgets.chart(spec, conclusion, group_chart.numbers(cells) if numbers else None)


def against_limit(run: AuditRun, finding: Finding, subject: Measurement) -> None:
    """The number of a finding, or each of its comparisons, with the bounds of the limit."""
    limit = finding.limit
    listed = finding.blocking or ((finding.comparison,) if finding.comparison else ())
    cells = [_gap(subject, c) for c in listed if limit.compare != "each"] or [subject]
    bounds = ((limit.min, "min"), (limit.max, "max"))
    lines = [LimitLine(value=value, side=side) for value, side in bounds if value is not None]  # type: ignore[arg-type]
    title = wording.sentence(selection.measure_words(run, limit.measure, limit.compare, limit.params))
    drawn(cells, lines, title)


def _gap(subject: Measurement, c: Comparison) -> Measurement:
    """A comparison in the form that a chart of groups takes: its label is who was compared."""
    kind = subject.interval
    interval = Interval(lower=c.lower, upper=c.upper, level=kind.level, method=kind.method, kind=kind.kind)
    # The columns are the limit's, named beside the chart; without them the label has room for both groups.
    who = " vs ".join(wording.group_words(group) for group in c.groups)
    return replace(subject, value=c.value, interval=interval, n=sum(c.n), slice={"comparison": who})
