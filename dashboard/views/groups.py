"""One measure over the groups of one set of columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import streamlit as st

from audit import wording
from audit.record import AuditRun
from audit.results import Interval, Measurement, Reason
from audit.suppression import hides, too_few
from dashboard import runs, widgets
from dashboard.safe import inert
from dashboard.views import evidence
from reports import grids, selection
from reports.charts import groups as group_chart

GRID = Path("evidence") / "groups.parquet"  # every group; result.json keeps the judged and the extreme ones


def show(state: runs.Runs) -> None:
    """The selectors, then the chart beside the findings, then the table."""
    run = state.run
    widgets.title("Groups")
    found = grids.grids(run)
    if not found:
        st.markdown(
            "No result was split by groups: audit.toml names no group column, or no check that ran compares groups."
        )
        return
    grid = _chosen(run, found)
    if grid is None:
        return
    full = replace(grid, cells=_all_cells(run, state.entry.folder, grid))
    evidence.groups(run, full, numbers=False)
    widgets.note("A red square is a group wholly beyond the limit. A gap does not show why it is there.")
    _findings(run, grid)
    left_out = grids.left_out(run, grid.columns, grid)
    if left_out:
        st.markdown(f"Missing here: {inert('; '.join(left_out))}. The page Data & provenance says why.")
    widgets.heading("Numbers")
    alt = "The measure of each group, with its interval"
    widgets.numbers_table(group_chart.numbers(full.cells), alt, key="groups")


def _chosen(run: AuditRun, found: Sequence[grids.Grid]) -> grids.Grid | None:
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    with right:
        crossed = st.toggle("Intersections", key="crossed", bind="query-params")
    offered = [grid for grid in found if (len(grid.columns) > 1) == crossed]
    if not offered:
        st.markdown("No groups were crossed." if crossed else "Only intersections were measured: switch them on.")
        return None
    by_columns: dict[str, list[grids.Grid]] = {}
    order = {f.id: at for at, f in enumerate(selection.all_words(run))}
    for grid in sorted(
        offered, key=lambda grid: min((order[f.id] for f in grids.judged(run, grid)), default=len(order))
    ):
        by_columns.setdefault(" × ".join(wording.label(c, 40) for c in grid.columns), []).append(grid)
    with middle:
        columns = widgets.pick("By", list(by_columns), "by")
    by_title = {wording.sentence(grids.title(run, grid)): grid for grid in by_columns[columns]}
    with left:
        return by_title[widgets.pick("Measure", list(by_title), "measure")]


def _findings(run: AuditRun, grid: grids.Grid) -> None:
    for f in grids.judged(run, grid):
        value = f" **{inert(f.value)}** ({inert(f.uncertainty)})" if f.value else ""
        limit = f"{inert(wording.sentence(f.measure))}, limit: {inert(f.limit)}."
        st.markdown(f"{widgets.mark(f.status)} {limit}{value} {inert(f.who)}")


def _all_cells(run: AuditRun, folder: Path, grid: grids.Grid) -> tuple[Measurement, ...]:
    """Every group of the grid that may be shown: from the full table, where that holds more than the result does."""
    file = folder / GRID
    if not file.is_file():
        return grid.cells
    wanted = [
        ("check", "==", grid.record.check),
        ("data", "==", grid.record.on),
        ("measure", "==", grid.name),
        ("params", "==", json.dumps(dict(grid.first.params), sort_keys=True)),
        ("by", "==", "*".join(grid.columns)),
    ]
    try:
        rows = pyarrow.parquet.read_table(file, filters=wanted).to_pylist()
    except (OSError, pyarrow.ArrowInvalid):
        return grid.cells  # the result itself is whole; Data & provenance names the damaged file
    if hides(run):
        gone = [dict(o.slice) for _, o in run.omissions() if o.reason is Reason.SUPPRESSED and o.name == grid.name]
        rows = [row for row in rows if not too_few(row["n"]) and json.loads(row["slice"]) not in gone]
    if len(rows) <= len(grid.cells):
        return grid.cells
    return tuple(_cell(grid.first, row) for row in rows)


def _cell(like: Measurement, row: dict[str, object]) -> Measurement:
    numbers = {name: float(str(row[name])) for name in ("value", "lower", "upper", "level")}
    value = numbers.pop("value")
    interval = Interval(method=str(row["method"]), kind=like.interval.kind, **numbers)
    return replace(like, value=value, interval=interval, n=int(str(row["n"])), slice=json.loads(str(row["slice"])))
