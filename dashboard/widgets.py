"""What every page is made of: tables, charts with their conclusion, the verdict. Texts are inert before they go in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import pyarrow as pa
import streamlit as st

from audit import store, wording
from audit.record import AuditRun, Record
from audit.results import Omission, Reason
from dashboard.safe import inert
from reports import charts, selection
from reports.charts import Numbers, Palette, Spec
from reports.charts.spec import distinct
from reports.html import docs, figures
from reports.html.figures import TableView

ROWS = 30  # of a table on screen: more are paged, since a canvas table is closed to screen readers
COLOURS: Mapping[str, str] = {
    "pass": "green",
    "fail": "red",
    "inconclusive": "orange",  # as its box above and as in the report; glyph and word tell it from what is waived
    "not_assessed": "gray",
    "waived": "orange",
}
_ALERTS = {"pass": st.success, "fail": st.error, "inconclusive": st.warning, "not_assessed": st.info}


def palette() -> Palette:
    """The colours of charts that fit the theme that the reader has chosen."""
    return charts.DARK if st.context.theme.type == "dark" else charts.LIGHT


def title(words: str) -> None:
    st.title(words, anchor=False)


def heading(words: str) -> None:
    st.header(words, anchor=False)


def mark(status: wording.StatusWords) -> str:
    """Glyph and word of a verdict in its colour, as Markdown."""
    return f":{COLOURS[status.key]}[{status.glyph} **{status.word}**]"


def verdict(run: AuditRun) -> None:
    """The verdict of a run with the reason of its exit code."""
    status = wording.status(run.verdict.value)
    _ALERTS[run.verdict.value](
        inert(selection.exit_words(run)), title=f"{status.glyph} {selection.headline(run)}", icon=""
    )


def crashes(run: AuditRun) -> None:
    """Checks that could not run: never a pass, so they stand beside the verdict."""
    broken = [r for r in run.records if r.traceback]
    if broken:
        lines = [f"- {inert(r.check)}: {inert('; '.join(_fault(r, o) for o in r.outcome.omissions))}" for r in broken]
        st.warning("\n".join(lines), title=f"Could not run: {wording.count(len(broken), 'check')}", icon="")


def _fault(record: Record, o: Omission) -> str:
    return o.detail.removeprefix(f"{record.check}: ").removesuffix(".")


def damaged(entries: Sequence[store.RunEntry]) -> None:
    """Folders that hold a run which cannot be read, with their fault."""
    if entries:
        heading("Cannot be read")
        rows = [(inert(entry.folder.name), inert(entry.fault)) for entry in entries]
        table(("Folder", "Why"), rows, "Runs that cannot be read, with the reason", key="damaged")


def numbers_table(numbers: Numbers, alt: str, *, key: str = "") -> None:
    """The numbers behind a chart."""
    plain_table([wording.sentence(name) for name in numbers.columns], numbers.rows, alt, key=key)


def note(words: str) -> None:
    """A small, quieter line. Not st.caption: its grey is too faint to read for some."""
    if words:
        st.markdown(f":small[:gray[{inert(words)}]]")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], alt: str, *, key: str = "") -> None:
    """A table of Markdown cells that a screen reader can read; pages of 30 rows, in the URL under ``key``."""
    if not rows:
        note("Nothing to list.")
        return
    shown = rows if len(rows) <= ROWS or not key else _paged(rows, f"{key}_rows")
    names = distinct(columns)  # two columns of one name would be one
    cells = {name: [row[at] for row in shown] for at, name in enumerate(names)}
    st.table(pa.table(cells), border="horizontal", hide_index=True, hide_header=False, alt=alt)


def _paged(rows: Sequence[Sequence[str]], key: str) -> Sequence[Sequence[str]]:
    starts = range(0, len(rows), ROWS)
    names = {f"{start + 1} to {min(start + ROWS, len(rows))}": start for start in starts}
    with st.container(width=200):
        chosen = pick(f"Rows, of {len(rows):,}", list(names), key)
    return rows[names[chosen] : names[chosen] + ROWS]


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]], alt: str, *, key: str = "") -> None:
    """As table, of plain text that may hold names from the data."""
    table([inert(name) for name in columns], [[_cell(cell) for cell in row] for row in rows], alt, key=key)


def _cell(text: str) -> str:
    # In a code span a hash may break; elsewhere it would scroll inside its cell, out of reach of the keyboard.
    return f"`{text}`" if re.fullmatch("[0-9a-f]{40,64}", text) else inert(text)


def table_view(view: TableView) -> None:
    """A table of evidence with its note; its id is its place in the URL when it has pages."""
    st.subheader(inert(view.title), anchor=False)
    plain_table(view.columns, view.rows, view.title, key=view.id)
    if view.left_out:
        note(f"{wording.count(view.left_out, 'more row')} in the run folder.")
    if view.note:
        note(view.note)


def chart(spec: Spec, conclusion: str, numbers: Numbers | None = None) -> None:
    """A chart, the sentence that it shows (also its text alternative), and its numbers to open."""
    width: Literal["content", "stretch"] = "content" if "facet" in spec else "stretch"
    words = wording.sentence(conclusion)
    spec = _named_by_alt(spec)
    st.vega_lite_chart(spec, theme=None, width=width, alt=words)
    note(words)
    if numbers is not None and numbers.rows:
        with st.expander("Numbers"):
            numbers_table(numbers, f"Numbers: {words}")


def _named_by_alt(spec: Spec) -> Spec:
    """One picture, one name: alt says the conclusion, and no mark has a role that would want a name of its own."""
    config = {**spec.get("config", {}), "mark": {"aria": False}}
    return {**{key: value for key, value in spec.items() if key != "description"}, "config": config}


def evidence(item: figures.Drawn) -> None:
    """A curve, a ranking or a waterfall with its title, conclusion, reading help and numbers."""
    st.subheader(inert(wording.sentence(wording.label(item.title, 120))), anchor=False)
    chart(charts.figure(item, palette()), charts.describe(item), charts.numbers(item))
    note(figures.reading(item))


def method(docstring: str) -> None:
    """A check's own documentation."""
    for block in docs.blocks(docstring):
        lead = {"heading": "**{}**", "paragraph": "{}", "list": "- {}"}[block.kind]
        st.markdown("\n".join(lead.format(inert(line)) for line in block.lines))


def omissions(records: Sequence[Record], run: AuditRun) -> None:
    """What a page lacks, each with what would help; a question that does not apply is no lack."""
    lines: dict[str, None] = {}
    for record, o in ((r, o) for r in records for o in r.outcome.omissions):
        if o.reason is not Reason.NOT_APPLICABLE:
            what = wording.sentence(selection.measure_words(run, o.name)) if o.name else f"Check {record.check}"
            crashed = "could not run: " if o.reason is Reason.ERROR else ""
            remedy = wording.sentence(o.remedy.removesuffix("."))
            lines[f"- **{inert(what)}**: {crashed}{inert(_fault(record, o))}. {inert(remedy)}."] = None
    if lines:
        heading("Not measured")
        st.markdown("\n".join(lines))


def pick(label: str, options: Sequence[str], key: str) -> str:
    """One of ``options`` by a selector that stands in the URL; the first of them unless chosen."""
    _follow_default(key, options[0])
    return str(st.selectbox(label, options, key=key, bind="query-params"))


def segments(label: str, options: Sequence[str], key: str) -> str:
    """One of a few words of our own, side by side, in the URL."""
    return str(st.segmented_control(label, options, default=options[0], required=True, key=key, bind="query-params"))


def _follow_default(key: str, default: str) -> None:
    """Who has chosen nothing sees the first option, also when another control has changed which one that is.

    A default is not in the URL, so a selector that kept an old one would show what its link does not.
    """
    before = f"{key}: default"
    if before in st.session_state and st.session_state.get(key) == st.session_state[before]:
        st.session_state[key] = default
    st.session_state[before] = default
