"""The report: one HTML file that stands alone, without script and without a single request."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit import wording
from audit.record import AuditRun
from reports import provenance, selection
from reports.charts.theme import DARK, LIGHT, variables
from reports.files import write_text
from reports.html import docs, sections
from reports.html.figures import Anchors

HEADINGS = (
    "Findings, worst first",
    "Results by group",
    "What was not measured, and why",
    "Methods",
    "Provenance",
)
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
    environment.globals["count"] = wording.count
    return environment


def _style() -> Markup:
    """The packaged style sheet with the colours of both modes; ours, so it is not escaped."""
    text = files("reports.html").joinpath("templates", "style.css").read_text(encoding="utf-8")
    return Markup(text.replace("/*light*/", variables(LIGHT)).replace("/*dark*/", variables(DARK)))


def _context(run: AuditRun) -> dict[str, Any]:
    anchors = Anchors(titles=dict.fromkeys(HEADINGS, 1))
    findings = selection.all_words(run)
    return {
        "policy": CONTENT_POLICY,
        "style": _style(),
        "run": run,
        "name": wording.label(run.name),
        "purpose": wording.text(run.purpose),
        "verdict": wording.status(run.verdict.value),
        "made": wording.moment(run.machine.created),
        "headline": selection.headline(run),
        "exit_reason": selection.exit_words(run),
        "worst": selection.worst(f for f in findings if f.blocks or f.status.key != "not_assessed"),
        "counts": selection.counts(run),
        "waived": [f for f in findings if f.waiver],
        "limits": selection.main_limits(run, run.findings),
        "open": [f for f in findings if f.status.key != "pass"],
        "passed": [f for f in findings if f.status.key == "pass"],
        "details": _details(run),
        "statuses": tuple(wording.STATUSES.values()),
        "groups": sections.of_groups(run, anchors),
        # What was not measured has a section of its own, so that an empty one would say nothing.
        "sections": [s for s in sections.of_families(run, anchors) if not s.empty],
        "omissions": sections.of_omissions(run),
        "methods": [(wording.label(check), docs.blocks(text)) for check, text in sorted(run.docs.items())],
        "intervals": provenance.intervals(run),
        "crashes": [(wording.label(r.check), provenance.lines(r.traceback)) for r in run.records if r.traceback],
        "facts": provenance.facts(run),
        "data_rows": [provenance.data_row(run, index) for index in range(len(run.data))],
        "packages": provenance.packages(run),
        "spec": provenance.spec_text(run),
        "notices": [wording.text(notice) for notice in run.notices],
    }


def _details(run: AuditRun) -> dict[str, list[tuple[str, str, str]]]:
    """By finding: the other comparisons that keep it from passing, as (who, value and interval, n)."""
    return {f.id: selection.comparisons(run, f, f.blocking) for f in run.findings if len(f.blocking) > 1}
