"""The report: one HTML file that stands alone, without script and without a single request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit import wording
from audit.policy import Finding
from audit.record import AuditRun
from reports import selection
from reports.charts.theme import DARK, LIGHT, variables
from reports.files import write_text
from reports.html import docs, sections
from reports.html.figures import Anchors

CONTENT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write(run: AuditRun, path: Path) -> None:
    """Write the report of a run to ``path``, whole or not at all."""
    write_text(path, render(run))


def render(run: AuditRun) -> str:
    """The report as one HTML document. A pure function of the run: the same run gives the same bytes."""
    return _environment().get_template("page.html.j2").render(_context(run))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # Autoescape is switched on for every template, whatever its file is called.
    environment = Environment(
        loader=PackageLoader("reports.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["href"] = lambda anchor: "#" + quote(anchor, safe="/@*=[]._-")
    environment.filters["sentence"] = wording.sentence
    environment.filters["label"] = wording.label
    return environment


def _style() -> Markup:
    """The packaged style sheet with the colours of both modes; ours, so it is not escaped."""
    text = files("reports.html").joinpath("templates", "style.css").read_text(encoding="utf-8")
    return Markup(text.replace("/*light*/", variables(LIGHT)).replace("/*dark*/", variables(DARK)))


def _context(run: AuditRun) -> dict[str, Any]:
    anchors = Anchors()
    findings = selection.all_words(run)
    return {
        "policy": CONTENT_POLICY,
        "style": _style(),
        "run": run,
        "name": wording.label(run.name),
        "purpose": wording.text(run.purpose),
        "verdict": wording.status(run.verdict.value),
        "headline": selection.headline(run),
        "exit_reason": _exit_words(run),
        "worst": _worst(findings),
        "counts": selection.counts(run),
        "waived": [f for f in findings if f.waiver],
        "limits": selection.main_limits(run, run.findings),
        "open": [f for f in findings if f.status.key != "pass"],
        "passed": [f for f in findings if f.status.key == "pass"],
        "details": _details(run),
        "statuses": tuple(wording.STATUSES.values()),
        "groups": sections.of_groups(run, anchors),
        "sections": [s for s in sections.of_families(run, anchors) if not (s.id == "further" and s.empty)],
        "omissions": sections.of_omissions(run),
        "methods": [(wording.label(check), docs.blocks(text)) for check, text in sorted(run.docs.items())],
        "intervals": _intervals(run),
        "crashes": [(wording.label(r.check), _lines(r.traceback)) for r in run.records if r.traceback],
        "facts": _facts(run),
        "data_rows": [_data_row(run, index) for index in range(len(run.data))],
        "packages": [(wording.label(k), wording.label(v)) for k, v in sorted(run.machine.packages.items())],
        "spec": _lines(json.dumps(_plain(run.spec), indent=2, ensure_ascii=False, sort_keys=True, default=str)),
        "notices": [wording.text(notice) for notice in run.notices],
    }


def _exit_words(run: AuditRun) -> str:
    return f"Exit code {run.exit_code}: {wording.text(run.exit_reason).removesuffix('.')}."


def _worst(findings: tuple[selection.FindingWords, ...]) -> selection.FindingWords | None:
    return next((f for f in findings if f.status.key in {"fail", "inconclusive", "not_assessed"}), None)


def _details(run: AuditRun) -> dict[str, list[tuple[str, str, str]]]:
    """By finding: the other comparisons that keep it from passing, as (who, value and interval, n)."""
    return {finding.id: _blocking(run, finding) for finding in run.findings if len(finding.blocking) > 1}


def _blocking(run: AuditRun, finding: Finding) -> list[tuple[str, str, str]]:
    unit = "1" if finding.limit.compare == "ratio" else selection.note_of(run, finding.limit.measure).unit
    rows = []
    for c in finding.blocking:
        value = wording.number(c.value, unit, (c.upper - c.lower) / 2)
        span = f"{wording.level(run.confidence)} CI {wording.span(c.lower, c.upper, unit, c.value)}"
        n = " and ".join(f"{rows:,}" for rows in c.n)
        rows.append((wording.contrast_words(c.groups), f"{value} ({span})", f"n\u00a0=\u00a0{n}"))
    return rows


def _intervals(run: AuditRun) -> list[tuple[str, str]]:
    """Every interval that was used, short name and source."""
    pairs = {(wording.short_method(m.interval.method), wording.text(m.method)) for _, m in run.measurements()}
    return sorted(pair for pair in pairs if pair[0] and pair[1])


def _facts(run: AuditRun) -> list[tuple[str, str]]:
    """Name and value of what makes the audit traceable; times and machine stand last."""
    model, machine = run.model, run.machine
    threshold = "the model's own" if model.threshold is None else wording.bound(model.threshold, "1")
    seconds = wording.number(machine.seconds, "s")
    rows = [
        ("Audit", run.id),
        ("Model", f"{wording.label(model.name)} ({wording.label(model.kind)}, {wording.label(model.task)})"),
        ("Model file", f"{wording.label(model.path, 200) or 'none'}, {wording.count(model.bytes, 'byte')}"),
        ("Model SHA-256", model.sha256),
        ("Classes", wording.listed(wording.label(name, 40) for name in model.classes[:20])),
        ("Positive class", wording.label(model.positive) if model.positive is not None else ""),
        ("Decision threshold", threshold if model.task == "binary" else ""),
        ("Specification SHA-256", run.spec_sha256),
        *((f"Pack {wording.label(pack)}", digest) for pack, digest in sorted(run.packs.items())),
        ("Confidence", wording.level(run.confidence)),
        ("Seed", str(run.seed)),
        ("Compared with", run.baseline),
        ("Command", wording.text(machine.command)),
        ("Commit", wording.label(machine.commit) if machine.commit else ""),
        ("Tool", wording.label(machine.tool)),
        ("Python", wording.label(machine.python)),
        ("Platform", wording.label(machine.platform, 200)),
        ("Made", f"{wording.label(machine.created)}, in {seconds}"),
    ]
    return [(name, wording.text(str(value))) for name, value in rows if value]


def _data_row(run: AuditRun, index: int) -> tuple[str, ...]:
    data = run.data[index]
    roles = "; ".join(
        f"{wording.label(role)}: {wording.listed(wording.label(c, 40) for c in columns[:12])}"
        + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
        for role, columns in sorted(data.columns.items())
        if columns
    )
    path = wording.label(data.path, 200) if data.path else "in memory"
    return wording.label(data.name), path, f"{data.rows:,}", roles, wording.label(data.sha256)


def _lines(text: str) -> str:
    """Text of several lines, each made fit to be read, for a ``<pre>``."""
    shown = (line[: len(line) - len(line.lstrip(" "))] + wording.text(line.strip()) for line in text.split("\n"))
    return "\n".join(shown)


def _plain(value: Any) -> Any:
    """Read-only mappings as dicts, so that JSON can hold them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
