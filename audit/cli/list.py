"""List the checks, the measures, what checks may ask for, the packs of limits, or the runs in a folder."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from audit.errors import UsageError

Row = Mapping[str, str]
KINDS = ("checks", "measures", "inputs", "packs", "runs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", choices=KINDS, default="checks", help="default: checks")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="of runs: where they lie; default: audits")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(arguments: argparse.Namespace) -> int:
    if arguments.folder is not None and arguments.kind != "runs":
        raise UsageError(f'{arguments.kind} lie in no folder: only "audit list runs DIR" takes one')
    rows = _rows(arguments.kind, arguments.folder or Path("audits"))
    print(json.dumps(rows, indent=1) if arguments.json else _table(rows, arguments.kind))
    return 0


def _rows(kind: str, folder: Path) -> Sequence[Row]:
    match kind:
        case "packs":
            return _packs()
        case "runs":
            return _runs(folder)
        case "inputs":
            return _inputs()
        case "measures":
            return _measures()
        case _:
            return _checks()


def _checks() -> list[Row]:
    from audit.registry import GIVEN, find

    return [
        {
            "check": info.id,
            "cost": info.cost,
            "needs": ", ".join(name for name in info.inputs if name not in GIVEN) or "data",
            "summary": info.summary,
        }
        for info in sorted(find().checks.values(), key=lambda info: info.id)
    ]


def _measures() -> list[Row]:
    from audit.registry import find

    return [
        {
            "measure": name,
            "unit": note.unit,
            "better": note.better,
            "params": ", ".join(f"{param}: {kind}" for param, kind in note.params.items()),
            "check": note.check,
            "words": note.words,
        }
        for name, note in sorted(find().notes.items())
    ]


def _inputs() -> list[Row]:
    from audit.registry import find

    return [
        {
            "input": info.name,
            "made of": ", ".join(info.inputs),
            "requires": "; ".join(
                key if value is True else f"{key}: {', '.join(map(str, value))}" for key, value in info.requires.items()
            ),
        }
        for info in sorted(find().inputs.values(), key=lambda info: info.name)
    ]


def _packs() -> list[Row]:
    from audit.policy.packs import load_pack, pack_names

    packs = [load_pack(name) for name in pack_names()]
    return [
        {
            "pack": pack.id,
            "fail": str(sum(limit.level == "fail" for limit in pack.limits)),
            "warn": str(sum(limit.level == "warn" for limit in pack.limits)),
            "title": pack.title,
        }
        for pack in packs
    ]


def _runs(folder: Path) -> list[Row]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of runs: name one, or make a run with 'audit run'")
    from audit.store import list_runs

    return [
        {
            "created": entry.created,
            "name": entry.name,
            "verdict": entry.verdict or "unreadable",
            "exit": str(entry.exit_code),
            "model": entry.model,
            "folder": str(entry.folder) + (f" ({entry.fault})" if entry.fault else ""),
        }
        for entry in list_runs(folder)
    ]


def _table(rows: Sequence[Row], kind: str) -> str:
    """Columns as wide as they need; the last one takes what is left of the line."""
    if not rows:
        return f"no {kind}"
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names[:-1]]
    room = max(24, shutil.get_terminal_size((120, 24)).columns - sum(widths) - 2 * len(widths))
    last = names[-1]
    lines = [[*names[:-1], last], *([*(row[n] for n in names[:-1]), _cut(row[last], room, kind)] for row in rows)]
    return "\n".join("  ".join(_padded(line, widths)).rstrip() for line in lines)


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [*(word.ljust(width) for word, width in zip(line, widths, strict=False)), line[-1]]


def _cut(words: str, room: int, kind: str) -> str:
    """A path is shown whole, so that it can be copied."""
    return words if len(words) <= room or kind == "runs" else words[: room - 1] + "…"
