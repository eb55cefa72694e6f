"""All runs, and the chosen one: its verdict, its worst finding, what it could not see."""

from __future__ import annotations

import streamlit as st

from audit import store, wording
from audit.errors import StoreError
from audit.record import AuditRun
from dashboard import runs, widgets
from dashboard.safe import inert
from reports import selection

REPORT = "report.html"


def show(state: runs.Runs) -> None:
    """The chosen run first, then every run."""
    run = state.run
    widgets.title(inert(run.name))
    facts = [run.purpose, run.model.name, *(f"{d.name}: {wording.count(d.rows, 'row')}" for d in run.data)]
    widgets.note(" · ".join([*filter(None, facts), wording.moment(run.machine.created)]))
    widgets.verdict(run)
    widgets.crashes(run)
    _counts(run)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _worst(run)
    with right:
        _unseen(run)
        _download(state)
    _all_runs(state)
    widgets.damaged(state.damaged)


def _counts(run: AuditRun) -> None:
    counts = selection.counts(run)
    for column, (status, number) in zip(st.columns(len(wording.STATUSES)), counts, strict=False):
        column.metric(widgets.mark(status), f"{number:,}", border=True)


def _worst(run: AuditRun) -> None:
    worst = selection.worst(selection.all_words(run))
    widgets.heading("Worst finding")
    if worst is None:
        st.markdown("Every limit is met on this data, or waived.")
        return
    st.markdown(f"{widgets.mark(worst.status)} {inert(wording.sentence(worst.measure))}, {inert(worst.who)}")
    if worst.value:
        st.markdown(f"**{inert(worst.value)}** ({inert(worst.uncertainty)}). Limit: {inert(worst.limit)}.")
    else:
        st.markdown(f"{inert(worst.uncertainty)}.")
    if worst.remedy:
        st.markdown(f"Next: {inert(worst.remedy)}.")


def _unseen(run: AuditRun) -> None:
    limits = selection.main_limits(run, run.findings)
    if limits:
        widgets.heading("What this audit could not see")
        st.markdown("\n".join(f"- {inert(sentence)}" for sentence in limits))


def _download(state: runs.Runs) -> None:
    report = state.entry.folder / REPORT
    if report.is_file() and not report.is_symlink():
        st.download_button(
            "Download report", report.read_bytes(), file_name=f"{state.entry.folder.name}.html", mime="text/html"
        )
    else:
        widgets.note(f"No {REPORT} in the run folder. Write it with: audit report {state.entry.folder.name}")


def _all_runs(state: runs.Runs) -> None:
    widgets.heading("All runs")
    rows = [_row(name, entry) for name, entry in state.named.items()]
    columns = ("Run", "Verdict", "Findings", "Worst finding", "Model", "When")
    widgets.table(columns, rows, "All runs, newest first, with their verdict and worst finding", key="runs")


def _row(name: str, entry: store.RunEntry) -> tuple[str, ...]:
    try:
        run = runs.load(entry)
    except StoreError as error:
        return inert(name), ":gray[**Cannot be read**]", "", inert(str(error)), inert(entry.model), _when(entry)
    counts = ", ".join(f"{number} {status.word.lower()}" for status, number in selection.counts(run))
    worst = selection.worst(selection.all_words(run))
    said = f"{wording.sentence(worst.measure)}, {worst.who}" if worst else "none"
    verdict = widgets.mark(wording.status(run.verdict.value))
    return inert(name), verdict, counts, inert(said), inert(entry.model), _when(entry)


def _when(entry: store.RunEntry) -> str:
    return inert(wording.moment(entry.created))
