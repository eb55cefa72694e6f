"""What training used: how it is known, with its range, and against other runs of the same name."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from audit import wording
from audit.errors import StoreError
from audit.record import AuditRun, Record
from audit.results import Measurement, Table
from dashboard import runs, widgets
from reports import charts, estimates, selection
from reports.charts import energy as ranges
from reports.html import figures

FAMILIES = ("energy", "efficiency")
MAX_RUNS = 12


def show(state: runs.Runs) -> None:
    """Amounts, how they are known, what-if tables, other runs, and what could not be had."""
    run = state.run
    widgets.title("Energy")
    records = _records(run)
    measured = [m for record in records for m in record.outcome.measurements if not m.slice]
    if not records:
        st.markdown('No energy check ran. Give [training] record = "training.json", written by audit track.')
        return
    _amounts(run, measured)
    for (_, title), rows in estimates.charted(run, records).items():
        widgets.heading("How it is known")
        _chart(rows, wording.sentence(title))
        widgets.note("The bar is the range that the assumptions leave open; it is no sampling interval.")
    _against_others(state, measured)
    for item in (item for record in records for item in record.outcome.evidence if isinstance(item, Table)):
        widgets.table_view(figures.of_table(item, item.name))
    widgets.omissions(records, run)


def _records(run: AuditRun) -> list[Record]:
    return [record for record in run.records if record.family in FAMILIES]


def _amounts(run: AuditRun, measured: Sequence[Measurement]) -> None:
    if measured:
        rows = [(_words(run, m), wording.value(m), wording.uncertainty(m)) for m in measured]
        columns = ("Measure", "Measured", "Range, n, method")
        widgets.plain_table(columns, rows, "What training used, with its range")


def _words(run: AuditRun, m: Measurement) -> str:
    return wording.sentence(selection.measure_words(run, m.name, m.compare, m.params))


def _chart(rows: Sequence[charts.Estimate], title: str) -> None:
    spec = charts.figure_estimates(rows, title, widgets.palette())
    widgets.chart(spec, ranges.describe(rows, title), ranges.numbers(rows))


def _against_others(state: runs.Runs, measured: Sequence[Measurement]) -> None:
    """The same amounts in other runs of this name, newest first."""
    others = [name for name, entry in state.named.items() if entry.name == state.run.name][:MAX_RUNS]
    ranged = [m for m in measured if m.interval.kind == "range"]
    if len(others) < 2 or not ranged:
        return
    widgets.heading("Against other runs of this name")
    names = {wording.sentence(_words(state.run, m)): m for m in ranged}
    wanted = names[widgets.pick("Amount", list(names), "amount")]
    rows = [estimate for name in others for estimate in _of_run(state, name, wanted)]
    _chart(rows, _words(state.run, wanted))


def _of_run(state: runs.Runs, name: str, wanted: Measurement) -> list[charts.Estimate]:
    try:
        run = runs.load(state.named[name])
    except StoreError:
        return []  # listed with its fault on the overview
    when = wording.moment(run.machine.created) + (" (this run)" if name == state.chosen else "")
    found = (m for record in _records(run) for m in record.outcome.measurements)
    return [
        ranges.of_measurement(m, when)
        for m in found
        if (m.name, m.unit, dict(m.params), m.slice) == (wanted.name, wanted.unit, dict(wanted.params), wanted.slice)
    ]
