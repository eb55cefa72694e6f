"""Data and provenance: what was audited, what was not measured and why, by which methods, on which machine."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from audit import store, wording
from audit.record import AuditRun
from audit.results import Table
from dashboard import runs, widgets
from dashboard.safe import inert
from reports import provenance
from reports.html import figures, sections

_OMITTED = ("What", "For whom", "Why not", "What would help")
FAMILIES = ("data", "leakage", "drift", "proxies")


def show(state: runs.Runs) -> None:
    """Integrity, data, omissions, methods, then every fact that repeats the audit."""
    run = state.run
    widgets.title("Data & provenance")
    _integrity(state.entry.folder)
    widgets.heading("Data")
    rows = [provenance.data_row(run, index) for index in range(len(run.data))]
    widgets.plain_table(("Name", "File", "Rows", "Columns by role", "SHA-256"), rows, "The data that was audited")
    for record in run.records:
        for item in record.outcome.evidence:
            if record.family in FAMILIES and isinstance(item, Table):
                widgets.table_view(figures.of_table(item, item.name))
    _omissions(run)
    _methods(run)
    _facts(run)


@st.cache_data(max_entries=64, show_spinner=False)
def _faults(folder: str, changed: int) -> list[str]:
    return store.verify_integrity(Path(folder))


def _integrity(folder: Path) -> None:
    faults = _faults(str(folder), runs.changed(folder))
    if faults:
        st.error("\n".join(f"- {inert(fault)}" for fault in faults), title="Changed since it was written", icon="")
    else:
        widgets.note("The result is as it was written: its content hashes to its id.")


def _omission(row: sections.OmissionRow) -> tuple[str, ...]:
    return row.what, row.who, row.detail, row.remedy


def _omissions(run: AuditRun) -> None:
    widgets.heading("What was not measured, and why")
    blocks = sections.of_omissions(run)
    if not blocks:
        st.markdown("Everything that was planned was measured.")
    for block in blocks:
        st.subheader(block.reason, anchor=False)
        alt = f"Not measured: {block.reason}"
        if block.rows:
            widgets.plain_table(_OMITTED, [_omission(row) for row in block.rows], alt)
        if block.group_rows:
            with st.expander(f"{len(block.group_rows):,} about single groups"):
                widgets.plain_table(_OMITTED, [_omission(row) for row in block.group_rows], f"{alt}, by group")
        if block.left_out:
            widgets.note(f"{block.left_out:,} more in the run folder.")
    for record in run.records:
        if record.traceback:
            with st.expander(f"Trace of the crash in {inert(record.check)}"):
                st.code(provenance.lines(record.traceback), language=None)


def _methods(run: AuditRun) -> None:
    widgets.heading("Methods")
    widgets.note("As the checks described themselves when they measured.")
    intervals = provenance.intervals(run)
    if intervals:
        with st.expander("Intervals used"):
            widgets.plain_table(("Name", "Method"), intervals, "Interval methods with their sources")
    if run.docs:
        by_name = {wording.label(check): text for check, text in sorted(run.docs.items())}
        widgets.method(by_name[widgets.pick("Check", list(by_name), "check")])


def _facts(run: AuditRun) -> None:
    widgets.heading("Provenance")
    widgets.plain_table(("What", "This run"), provenance.facts(run), "What is needed to repeat this audit")
    with st.expander("Specification as it was read"):
        st.code(provenance.spec_text(run), language="json")
    with st.expander("Packages"):
        widgets.plain_table(("Package", "Version"), provenance.packages(run), "Versions of packages")
    if run.notices:
        st.subheader("Notices", anchor=False)
        st.markdown("\n".join(f"- {inert(wording.text(notice))}" for notice in run.notices))
