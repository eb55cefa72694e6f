"""Where a run came from: what is needed to repeat it and to know that it is about the model in use. Plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from audit import wording
from audit.record import AuditRun


def facts(run: AuditRun) -> list[tuple[str, str]]:
    """Name and value of what makes the audit traceable; times and machine stand last."""
    model, machine = run.model, run.machine
    seconds, judged = wording.number(machine.seconds, "s"), wording.level(run.judged_confidence)
    rows = [
        ("Audit", run.id),
        ("Model", f"{wording.label(model.name)} ({wording.label(model.kind)}, {wording.label(model.task)})"),
        ("Model file", f"{wording.label(model.path, 200) or 'none'}, {wording.count(model.bytes, 'byte')}"),
        ("Model SHA-256", model.sha256),
        ("Classes", wording.listed(wording.label(name, 40) for name in model.classes[:20])),
        ("Positive class", wording.label(model.positive) if model.positive is not None else ""),
        ("Decision threshold", _threshold(run)),
        ("Specification SHA-256", run.spec_sha256),
        *((f"Pack {wording.label(pack)}", digest) for pack, digest in sorted(run.packs.items())),
        ("Confidence", wording.level(run.confidence)),
        *([("Look at this test data", f"{run.look.index}, {judged} intervals")] if run.look else []),
        ("Seed", str(run.seed)),
        ("Compared with", run.baseline),
        ("Command", wording.text(machine.command)),
        ("Commit", wording.label(machine.commit) if machine.commit else ""),
        ("Tool", wording.label(machine.tool)),
        ("Python", wording.label(machine.python)),
        ("Platform", wording.label(machine.platform, 200)),
        ("Made", f"{wording.label(machine.created)}, in {seconds}"),
        ("Taken over from an interrupted audit", _resumed(machine.resumed)),
    ]
    return [(name, wording.text(str(value))) for name, value in rows if value]


def _resumed(names: tuple[str, ...]) -> str:
    """What was measured before the interruption, from inputs that hash the same."""
    shown = wording.listed(wording.label(name) for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _threshold(run: AuditRun) -> str:
    """Where a probability is decided: one number, one a label where they differ; nothing where there is no such cut."""
    said = (run.spec.get("model") or run.spec.get("data", {}).get("test", {})).get("threshold")
    if run.model.task == "multilabel" and isinstance(said, list | tuple):
        pairs = zip(run.model.classes, said, strict=False)
        return ", ".join(f"{wording.bound(float(cut), '1')} for {wording.label(name, 40)}" for name, cut in pairs)
    if run.model.task not in {"binary", "multilabel"}:
        return ""
    return "the model's own" if run.model.threshold is None else wording.bound(run.model.threshold, "1")


def data_row(run: AuditRun, index: int) -> tuple[str, ...]:
    data = run.data[index]
    roles = "; ".join(
        f"{wording.label(role)}: {wording.listed(wording.label(c, 40) for c in columns[:12])}"
        + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
        for role, columns in sorted(data.columns.items())
        if columns
    )
    path = wording.label(data.path, 200) if data.path else "in memory"
    return wording.label(data.name), path, f"{data.rows:,}", roles, wording.label(data.sha256)


def lines(text: str) -> str:
    """Text of several lines, each made fit to be read, for a ``<pre>``."""
    shown = (line[: len(line) - len(line.lstrip(" "))] + wording.text(line.strip()) for line in text.split("\n"))
    return "\n".join(shown)


def _plain(value: Any) -> Any:
    """Read-only mappings as dicts, so that JSON can hold them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def spec_text(run: AuditRun) -> str:
    """The specification as it was read, as JSON fit to be shown."""
    return lines(json.dumps(_plain(run.spec), indent=2, ensure_ascii=False, sort_keys=True, default=str))


def packages(run: AuditRun) -> list[tuple[str, str]]:
    """Name and version of every package that took part."""
    return [(wording.label(k), wording.label(v)) for k, v in sorted(run.machine.packages.items())]


def intervals(run: AuditRun) -> list[tuple[str, str]]:
    """Every interval that was used, short name and source."""
    pairs = {(wording.short_method(m.interval.method), wording.text(m.method)) for _, m in run.measurements()}
    return sorted(pair for pair in pairs if pair[0] and pair[1])
