"""Two runs side by side: what differs, measure by measure, with the interval of the difference."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from audit import wording
from audit.errors import StoreError
from audit.record import AuditRun
from audit.results import Table
from dashboard import comparing, runs, widgets
from dashboard.comparing import Change
from dashboard.safe import inert
from reports import paired
from reports.charts import changes as change_chart
from reports.charts.spec import distinct
from reports.html import figures

OVERALL, GROUPS = "All rows", "Groups"


def show(state: runs.Runs) -> None:
    """The second selector, what is not the same, then measures, findings and attributions."""
    widgets.title("Compare")
    _baseline(state.run)
    others = [name for name in state.named if name != state.chosen]
    if not others:
        st.markdown("There is one run only. Make another with: audit run")
        return
    others.sort(key=lambda name: _unlike(state, name))
    earlier = widgets.pick("Compared with (before)", others, "before")
    try:
        before = runs.load(state.named[earlier])
    except StoreError as error:
        st.text(str(error))
        return
    if not _hashes(before).items() & _hashes(state.run).items():
        widgets.note("The two runs share no data: a difference may come from the rows and not from the model.")
    _inputs(before, state.run)
    found = comparing.changes(before, state.run, state.run.confidence)
    _turned(before, state.run)
    _changes(before, state.run, found)
    _drifts(before, state.run)


def _baseline(run: AuditRun) -> None:
    """What the run itself compared: the model with its baseline, on the same rows."""
    found = paired.records(run)
    if not found:
        return
    widgets.heading("Against the model now in use, on the same rows")
    drawn = paired.changes(run)
    if drawn:
        widgets.chart(change_chart.figure_changes(drawn, paired.AXIS, widgets.palette()), change_chart.describe(drawn))
        widgets.note(paired.READING)
    for item in (item for record in found for item in record.outcome.evidence if isinstance(item, Table)):
        widgets.table_view(figures.of_table(item, item.name))
    widgets.heading("Against another run")


def _unlike(state: runs.Runs, name: str) -> tuple[bool, bool]:
    """Runs over the same data stand first, then those of the same name: between them a change says most."""
    entry = state.named[name]
    try:
        same_data = _hashes(runs.load(entry)).items() & _hashes(state.run).items()
    except StoreError:
        same_data = set()
    return not same_data, entry.name != state.run.name


def _inputs(before: AuditRun, after: AuditRun) -> None:
    """Which inputs are the same: two runs differ for a reason."""
    sides = (before, after)
    rows = [
        ("Verdict", *(wording.status(run.verdict.value).word for run in sides), ""),
        ("Made", *(wording.moment(run.machine.created) for run in sides), ""),
        ("Model", *(f"{wording.label(run.model.name, 60)}, {run.model.sha256[:12]}" for run in sides), _same(
            before.model.sha256 == after.model.sha256)),
        ("Data", *(_data(run) for run in sides), _same(_hashes(before) == _hashes(after))),
        ("Specification", *(run.spec_sha256[:12] for run in sides), _same(before.spec_sha256 == after.spec_sha256)),
        ("Packs", *(wording.listed(sorted(run.packs)) for run in sides), _same(before.packs == after.packs)),
    ]  # fmt: skip
    widgets.plain_table(("What", "Before", "After", "The same"), rows, "What went into the two runs")


def _same(equal: bool) -> str:
    return "yes" if equal else "no"


def _hashes(run: AuditRun) -> dict[str, str]:
    return {data.name: data.sha256 for data in run.data}


def _data(run: AuditRun) -> str:
    return wording.listed(f"{wording.label(d.name)} {d.sha256[:12]}, {wording.count(d.rows, 'row')}" for d in run.data)


def _turned(before: AuditRun, after: AuditRun) -> None:
    widgets.heading("Findings that read differently")
    found = comparing.turned(before, after)
    if not found:
        st.markdown("None: every finding has the verdict that it had before.")
        return
    rows = [
        (inert(t.measure), inert(t.id), *(widgets.mark(s) if s else "not judged" for s in (t.before, t.after)))
        for t in found
    ]
    widgets.table(("Measure", "Limit", "Before", "After"), rows, "Findings whose verdict changed", key="turned")


def _changes(before: AuditRun, after: AuditRun, found: Sequence[Change]) -> None:
    widgets.heading("Measures")
    scope = widgets.segments("Of", [OVERALL, GROUPS], "scope")
    shown = [c for c in found if bool(c.after.slice) == (scope == GROUPS)]
    if not shown:
        st.markdown("No measure of this kind was taken in both runs.")
        return
    drawn = [_drawn(c) for c in shown if c.sampled and c.after.unit == "1"]
    if drawn:
        spec = change_chart.figure_changes(drawn, "after minus before", widgets.palette())
        widgets.chart(spec, change_chart.describe(drawn))
    same_rows = _hashes(before) == _hashes(after)
    independent = (
        " The rows are the same, so the intervals are wider than they need be; [model] baseline compares row by row."
        if same_rows
        else ""
    )
    chance = wording.number(len(shown) * (1 - after.confidence), "1", 1.0)
    widgets.note(
        f"Each interval is a {wording.level(after.confidence)} interval of its own and takes the runs as independent: "
        f"of {len(shown):,}, about {chance} would lie on one side of zero by chance.{independent}"
    )
    columns = ("Measure", "Who", "Before", "After", "After − before", "Reading")
    widgets.plain_table(
        columns, [_row(c) for c in shown], "Measures of both runs, clearest change first", key="changes"
    )


def _row(c: Change) -> tuple[str, ...]:
    half = c.interval.half_width if c.interval is not None else None
    change = wording.number(c.value, c.after.unit, half)
    span = f" ({wording.interval(c.interval, c.after.unit, c.value)})" if c.interval is not None else ""
    before, after = (f"{wording.value(m)}, n = {m.n:,}" for m in (c.before, c.after))
    return c.measure, c.who, before, after, change + span, c.reading


def _drawn(c: Change) -> change_chart.Difference:
    bounds = c.interval
    lower, upper = (bounds.lower, bounds.upper) if bounds is not None else (c.value, c.value)
    label = c.measure if not c.after.slice else f"{c.measure}: {wording.group_words(c.after.slice)}"
    return change_chart.Difference(label=label, value=c.value, lower=lower, upper=upper, shown=c.shown)


def _drifts(before: AuditRun, after: AuditRun) -> None:
    found = comparing.drifts(before, after)
    if not found:
        return
    widgets.heading("What the models rely on")
    names = distinct(drift.title for drift in found)
    chosen = widgets.pick("Explanation", names, "ranking") if len(names) > 1 else names[0]
    drift = found[names.index(chosen)]
    st.markdown(f"Of the first {drift.top} before, {drift.common} are among the first {drift.top} after.")
    columns = (wording.sentence(drift.what), "Rank before", "Value before", "Rank after", "Value after")
    widgets.plain_table(columns, drift.rows, f"Ranks of each {drift.what} before and after", key="drift")
