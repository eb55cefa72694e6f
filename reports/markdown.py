"""The step summary: one screen of Markdown, worst first, in which a name from the data can do nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from audit import wording
from audit.record import AuditRun
from reports import selection
from reports.files import write_text
from reports.selection import FindingWords

MAX_ROWS = 12  # one screen; the report holds the rest

# Look-alikes for what has a meaning in Markdown, HTML, a mention or a workflow command. Escaping is not enough: a
# mention is looked for after escapes are gone, and a workflow command before Markdown is read.
_LOOKALIKES = str.maketrans({"|": "∣", "`": "ˋ", ">": "›", "@": "＠", "&": "＆", "\\": "＼", "$": "＄"})
_MARKUP = re.compile(r"([*_~#\[\]!])")


def write(run: AuditRun, path: Path) -> None:
    """Write the summary of a run to ``path``, whole or not at all."""
    write_text(path, render(run))


def render(run: AuditRun) -> str:
    """The summary as Markdown. A pure function of the run."""
    findings = selection.all_words(run)
    parts = [
        f"## {wording.status(run.verdict.value).glyph} {selection.headline(run)} – {code(run.name)}",
        f"{plain(run.exit_reason).removesuffix('.')} (exit code {run.exit_code}).",
        " · ".join(f"{words.glyph} {words.word} {number}" for words, number in selection.counts(run)),
        _table([f for f in findings if f.status.key not in {"pass", "waived"}]),
        _list("Waived", [f"{plain(f.measure)}: {plain(f.waiver)}" for f in findings if f.waiver]),
        _list("What this audit could not see", [plain(words) for words in selection.main_limits(run, run.findings)]),
        _source(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def code(name: str) -> str:
    """A name from the data as a code span, the one place where Markdown reads nothing but characters."""
    return f"`{_defused(wording.label(name))}`"


def plain(words: str) -> str:
    """A sentence that may hold names from the data, with all markup taken out of it."""
    return _MARKUP.sub(r"\\\1", _defused(wording.text(words)))


def _defused(words: str) -> str:
    # "::" and "##[" begin workflow commands; "://" and "www." become links without being asked.
    # Taken together, so that what one replacement leaves cannot make what another looks for.
    words = words.translate(_LOOKALIKES)
    words = re.sub(r"<(?!\d)", "‹", words)  # "<0.001" opens no tag
    words = re.sub(r":(?=:)", ":\u2060", words)
    words = words.replace("://", ":\u2060//").replace("##", "#\u2060#")
    return re.sub(r"(?i)www\.", "www\u2060.", words)


def _table(findings: Sequence[FindingWords]) -> str:
    if not findings:
        return ""
    rows = ["| Verdict | Measure | Who | Measured | Limit | What to do |", "|---|---|---|---|---|---|"]
    rows += [_row(finding) for finding in findings[:MAX_ROWS]]
    left_out = len(findings) - MAX_ROWS
    more = f"\n\n{wording.count(left_out, 'more finding')} in the report." if left_out > 0 else ""
    return "\n".join(rows) + more


def _row(f: FindingWords) -> str:
    open_gate = "" if f.blocks else " (does not block)"
    level = {"warn": " (warning)", "record": " (record)"}.get(f.level, open_gate)
    measured = f"**{plain(f.value)}** ({plain(f.uncertainty)})" if f.value else plain(f.uncertainty)
    measured += f"; {plain(f.sight)}" if f.sight else ""
    cells = (f"{f.status.glyph} {f.status.word}{level}", plain(f.measure), code(f.who), measured, plain(f.limit))
    return "| " + " | ".join((*cells, plain(wording.sentence(f.remedy)))) + " |"


def _list(title: str, items: Sequence[str]) -> str:
    return f"**{title}**\n\n" + "\n".join(f"- {item}" for item in items) if items else ""


def _source(run: AuditRun) -> str:
    """Model, data and tool in one line: a summary is read far from its run folder."""
    data = ", ".join(f"{code(d.name)} {wording.count(d.rows, 'row')}, SHA-256 {code(d.sha256[:12])}" for d in run.data)
    model = (
        f"{code(run.model.name)}, SHA-256 {code(run.model.sha256[:12])}" if run.model.sha256 else code(run.model.name)
    )
    return f"Model {model}; data {data}; {plain(run.machine.tool)}; audit {code(run.id[:12])}."
