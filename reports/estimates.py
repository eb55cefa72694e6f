"""Which estimates of energy and carbon stand in one chart."""

from __future__ import annotations

from collections.abc import Iterable

from audit.record import AuditRun, Record
from audit.results import Table
from reports import selection
from reports.charts import Estimate, energy

Charted = dict[tuple[str, str], list[Estimate]]


def charted(run: AuditRun, records: Iterable[Record]) -> Charted:
    """By (unit, title): every way in which the energy is known; where there is no such table, each range measured."""
    outcomes = [record.outcome for record in records]
    rungs = [e for o in outcomes for t in o.evidence if isinstance(t, Table) for e in energy.of_table(t)]
    ranges = [m for o in outcomes for m in o.measurements if m.interval.kind == "range" and not m.slice]
    if rungs:
        named = next((m.name for m in ranges if m.unit == "kWh"), "energy")
        return {("kWh", selection.measure_words(run, named)): rungs}
    result: Charted = {}
    for m in ranges:
        words = selection.measure_words(run, m.name, params=m.params)
        result.setdefault((m.unit, words), []).append(energy.of_measurement(m, words))
    return result
