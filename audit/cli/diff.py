"""Compare two runs, measure by measure and verdict by verdict."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit import store, wording
from audit.cli._comparing import Change, changes, same_words, sameness, verdicts
from audit.cli.summary import paint
from audit.policy import Finding
from audit.record import AuditRun
from audit.suppression import shown

SHOWN = 12
EPILOG = """Intervals of differences take the two runs as independent, since a run keeps no decision of a row; over the
same rows they are wider than need be. To compare two models row by row, audit one with the other as [model] baseline.

exit codes:
  0    the runs were compared
  2    they could not be"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="A", help="the run before: its folder, or a folder of runs")
    parser.add_argument("second", type=Path, metavar="B", help="the run after")
    parser.add_argument("--all", action="store_true", help="every measure and group, not only the largest changes")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(arguments: argparse.Namespace) -> int:
    first, second = (store.read(store.find_run(path)) for path in (arguments.first, arguments.second))
    if not arguments.json:
        first, second = shown(first), shown(second)
    found = changes(first, second, max(first.confidence, second.confidence))
    if arguments.json:
        print(json.dumps(_as_json(first, second, found), indent=1, allow_nan=False))
    else:
        print(_screen(first, second, found, everything=arguments.all))
    return 0


def _screen(first: AuditRun, second: AuditRun, found: Sequence[Change], *, everything: bool) -> str:
    lines = [_title("A", first), _title("B", second), f"  {same_words(sameness(first, second))}", ""]
    turned = verdicts(first, second)
    lines += [f"{wording.count(len(turned), 'verdict')} changed", *(_turned(*pair) for pair in turned), ""]
    moved = [change for change in found if change.value != 0]
    clear = sum(change.clear for change in moved)
    lines.append(f"{len(moved)} of {wording.count(len(found), 'measure')} moved, {clear} beyond their interval")
    lines += [_moved(change) for change in (moved if everything else moved[:SHOWN])]
    if len(moved) > SHOWN and not everything:
        lines.append(f"  and {len(moved) - SHOWN} more (--all shows them)")
    return "\n".join(lines)


def _title(mark: str, run: AuditRun) -> str:
    words = wording.status(run.verdict)
    verdict = paint(f"{words.glyph} {words.word}", words.key)
    return f"{mark}  {wording.label(run.name)}  {verdict}  {wording.label(run.model.name)}  {run.machine.created}"


def _turned(name: str, before: Finding | None, after: Finding | None) -> str:
    return f"  {wording.label(name, 200)}: {_state(before)} → {_state(after)}"


def _state(finding: Finding | None) -> str:
    if finding is None:
        return "no such limit"
    return wording.status(finding.verdict, waived=finding.waiver is not None).word


def _moved(change: Change) -> str:
    first, second = change.first, change.second
    where = f" for {wording.slice_words(first.slice)}" if first.slice else ""
    on = "" if change.on == "test" else f" on {change.on}"
    bounds = wording.interval(change.interval, first.unit, change.value)
    sign = "+" if change.value > 0 else ""
    moved = f"{sign}{wording.number(change.value, first.unit, change.interval.half_width)} ({bounds})"
    mark = "*" if change.clear else " "
    name = wording.measure_words(first.name, "", first.params)
    return f"{mark} {name}{where}{on}: {wording.value(first)} → {wording.value(second)}, {moved}"


def _as_json(first: AuditRun, second: AuditRun, found: Sequence[Change]) -> dict[str, Any]:
    return {
        "first": {"id": first.id, "name": first.name, "verdict": str(first.verdict)},
        "second": {"id": second.id, "name": second.name, "verdict": str(second.verdict)},
        "same": dict(sameness(first, second)),
        "verdicts": [
            {"id": name, "first": _verdict(before), "second": _verdict(after)}
            for name, before, after in verdicts(first, second)
        ],
        "measures": [_measure(change) for change in found],
    }


def _verdict(finding: Finding | None) -> str | None:
    return None if finding is None else str(finding.verdict)


def _measure(change: Change) -> dict[str, Any]:
    return {
        "measure": change.first.name,
        "on": change.on,
        "params": dict(change.first.params),
        "slice": dict(change.first.slice),
        "unit": change.first.unit,
        "first": change.first.value,
        "second": change.second.value,
        "difference": change.value,
        "lower": change.interval.lower,
        "upper": change.interval.upper,
        "level": change.interval.level,
        "n": [change.first.n, change.second.n],
    }
