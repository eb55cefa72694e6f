"""Every finding, filtered, and one of them in detail: what it rests on and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from audit import wording
from audit.policy import Finding
from audit.record import AuditRun
from audit.results import Measurement
from dashboard import runs, widgets
from dashboard.safe import inert
from dashboard.views import evidence
from reports import grids, selection

ALL = "All"
LEVELS = {"fail": "Decides", "warn": "Warns", "record": "Records"}
_COLUMNS = ("Verdict", "Measure", "Who", "Measured", "Limit", "What to do")


def show(state: runs.Runs) -> None:
    """The filters, the table, the detail."""
    run = state.run
    widgets.title("Findings")
    widgets.crashes(run)
    if not run.findings:
        st.markdown("No limit was judged: audit.toml names none and uses no pack.")
        return
    found = _filtered(run)
    if not found:
        st.markdown("No finding fits these filters.")
        return
    rows = [_row(selection.words(run, finding)) for finding in found]
    widgets.table(_COLUMNS, rows, "Findings, worst first", key="findings")
    _one(run, found)


def _filtered(run: AuditRun) -> list[Finding]:
    left, right = st.columns(2)
    with left:
        words = widgets.segments("Verdict", [ALL, *(status.word for status, _ in selection.counts(run))], "show")
    with right:
        levels = [name for key, name in LEVELS.items() if any(f.limit.level == key for f in run.findings)]
        level = widgets.segments("Effect on the exit code", [ALL, *levels], "level")
    return [
        finding
        for finding in selection.ordered(run)
        if words in {ALL, selection.status(finding).word} and level in {ALL, LEVELS[finding.limit.level]}
    ]


def _row(f: selection.FindingWords) -> tuple[str, ...]:
    effect = "" if f.level == "fail" else f" ({LEVELS[f.level].lower()} only)"
    measured = f"**{inert(f.value)}** ({inert(f.uncertainty)})" if f.value else inert(f.uncertainty)
    next_step = f.waiver if f.status.key == "waived" else f.remedy
    return (
        widgets.mark(f.status) + effect,
        inert(wording.sentence(f.measure)),
        inert(f.who),
        measured,
        inert(wording.sentence(f.limit)),
        inert(wording.sentence(next_step)),
    )


def _one(run: AuditRun, found: Sequence[Finding]) -> None:
    widgets.heading("One finding")
    by_id = {wording.label(finding.id, 200): finding for finding in found}
    finding = by_id[widgets.pick("Finding", list(by_id), "finding")]
    words = selection.words(run, finding)
    st.subheader(f"{widgets.mark(words.status)} {inert(wording.sentence(words.measure))}", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        _facts(words)
    with right:
        _picture(run, finding)
    _comparisons(run, finding)
    _method(run, finding)


def _facts(words: selection.FindingWords) -> None:
    measured = f"{words.value} ({words.uncertainty})" if words.value else words.uncertainty
    facts = {
        "Measured": measured,
        "For whom": words.who,
        "Limit": wording.sentence(words.limit),
        "Because": words.why,
        "Clause": words.clause,
        "Said in full": words.message,
        "Comparisons": words.coverage,
        "Could have shown": words.sight,
        "What to do": words.remedy,
        "Waiver": words.waiver,
        "Against the baseline": words.state,
    }
    said = {"Said in full", "Could have shown", "What to do"}  # the reason stays as its author wrote it
    rows = [(name, wording.sentence(value) if name in said else value) for name, value in facts.items() if value]
    widgets.plain_table(("What", "This finding"), rows, "What this finding says")


def _picture(run: AuditRun, finding: Finding) -> None:
    """The gaps or the number against the limit, and the groups that they come from."""
    if isinstance(finding.subject, Measurement):
        evidence.against_limit(run, finding, finding.subject)
    grid = next((g for g in grids.grids(run) if _about(finding, g)), None)
    if grid is not None and finding.limit.compare != "each":
        evidence.groups(run, grid)


def _about(finding: Finding, grid: grids.Grid) -> bool:
    limit = finding.limit
    return (grid.name, set(grid.columns), grid.record.on) == (limit.measure, set(limit.by), limit.on) and (
        dict(grid.first.params) == dict(limit.params)
    )


def _comparisons(run: AuditRun, finding: Finding) -> None:
    shown = finding.blocking or finding.listed
    if not shown:
        return
    what = "that break or cross the limit" if finding.blocking else "with too few rows to tell"
    st.subheader(f"Comparisons {what}, worst first", anchor=False)
    said = selection.comparisons(run, finding, shown)
    rows = [
        (who, value, n, "yes" if c.powered else "no", f"{c.needed_n:,}" if c.needed_n is not None else "")
        for (who, value, n), c in zip(said, shown, strict=True)
    ]
    columns = ("Who", "Measured", "Rows", "Rows enough to pass", "Rows a group it would need")
    widgets.plain_table(columns, rows, "Comparisons behind this finding", key="comparisons")


def _method(run: AuditRun, finding: Finding) -> None:
    check = selection.note_of(run, finding.limit.measure).check
    if check not in run.docs:
        return
    with st.expander(f"How it is measured: {inert(check)}"):
        widgets.method(run.docs[check])
