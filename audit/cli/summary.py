"""One screen of text about a run: the verdict, the worst findings with what to do, and where the report is."""

from __future__ import annotations

import os
import sys
import textwrap
from collections import Counter
from pathlib import Path

from audit import wording
from audit.policy import Finding, Verdict
from audit.policy.limits import demanded
from audit.policy.listed import beside_passes
from audit.record import AuditRun
from audit.suppression import shown

SHOWN = 8
WIDTH = 100
_COLOURS = {"fail": "31;1", "inconclusive": "33", "not_assessed": "35", "pass": "32", "waived": "36"}


def screen(run: AuditRun, folder: Path | None) -> str:
    """The summary that `audit run` prints; ``folder`` is None where nothing was written."""
    run = shown(run)
    counts = Counter(status_of(f) for f in run.findings)
    told = [f for f in run.findings if worth_telling(f)]
    lines = [_headline(run), _what(run), ""]
    for finding in told[:SHOWN]:
        lines += _finding(finding)
    if len(told) > SHOWN:
        lines += [f"  and {len(told) - SHOWN} more in the report", ""]
    lines += [_tally(run, counts), *_set_aside(run), _left_out(run)]
    if folder is not None:
        lines += ["", f"report   {folder / 'report.html'}", f"result   {folder / 'result.json'}"]
    return "\n".join(line for line in lines if line is not None)


def one_line(run: AuditRun, folder: Path) -> str:
    return f"{wording.status(run.verdict).word}: {run.exit_reason} (exit {run.exit_code}) {folder}"


def status_of(finding: Finding) -> str:
    return wording.status(finding.verdict, waived=finding.waiver is not None).key


def worth_telling(finding: Finding) -> bool:
    """What did not pass, unless a pack asked something that this case cannot answer."""
    if finding.verdict is Verdict.NOT_ASSESSED:
        return demanded(finding.limit)
    return finding.verdict is not Verdict.PASS


def _headline(run: AuditRun) -> str:
    words = wording.status(run.verdict)
    return (
        paint(f"{words.glyph} {words.word}", words.key)
        + f"  {wording.label(run.name)}: {run.exit_reason} (exit {run.exit_code})"
    )


def _what(run: AuditRun) -> str:
    test = run.data[0]
    groups = ", ".join(map(wording.label, test.columns.get("groups", ()))) or "no group chosen"
    return f"  {wording.label(run.model.name)}, {test.rows:,} test rows, groups: {groups}"


def _finding(finding: Finding) -> list[str]:
    words = wording.status(finding.verdict, waived=finding.waiver is not None)
    tag = "" if finding.limit.level == "fail" else f" ({finding.limit.level} only)"
    head = f"{paint(words.glyph, words.key)} {paint(words.word, words.key)}{tag}  {wording.label(finding.id, 200)}"
    lines = [head, *_wrapped(finding.message)]
    if finding.waiver is not None:
        lines += _wrapped(f"waived by {finding.waiver.owner} until {finding.waiver.expires}: {finding.waiver.reason}")
    return [*lines, *_wrapped(f"→ {finding.remedy}"), ""]


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(wording.text(words), WIDTH, initial_indent="    ", subsequent_indent="    ")


def _tally(run: AuditRun, counts: Counter[str]) -> str:
    told = [f"{counts[key]} {words.word.lower()}" for key, words in wording.STATUSES.items() if counts[key]]
    return f"{wording.count(len(run.findings), 'limit')}: {', '.join(told)}"


def _set_aside(run: AuditRun) -> list[str]:
    return textwrap.wrap(wording.text(beside_passes(run.findings)), WIDTH, subsequent_indent="    ")


def _left_out(run: AuditRun) -> str:
    omitted = [o for _, o in run.omissions()]
    crashed = sum(o.reason == "error" for o in omitted)
    words = f"{wording.count(len(omitted), 'thing')} could not be measured; the report says why and what would help"
    return (f"{wording.count(crashed, 'check')} crashed (run with --debug); " if crashed else "") + words


def paint(words: str, key: str) -> str:
    """Colour, where a person reads it and NO_COLOR is not set; the word always says it too."""
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return words
    return f"\x1b[{_COLOURS[key]}m{words}\x1b[0m"
