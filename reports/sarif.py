"""SARIF 2.1.0: what is not met or not decided, at the line of audit.toml that asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit import wording
from audit.policy import Finding, Verdict
from audit.record import AuditRun
from reports import selection
from reports.files import write_text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"fail": "error", "warn": "warning", "record": "note"}


def write(run: AuditRun, path: Path) -> None:
    """Write the SARIF file of a run to ``path``, whole or not at all."""
    write_text(path, render(run))


def render(run: AuditRun) -> str:
    """One run. Fails and inconclusive limits are results; what could not be judged is a notification of the tool."""
    findings = selection.ordered(run)
    shown = [f for f in findings if f.verdict in {Verdict.FAIL, Verdict.INCONCLUSIVE}]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(run, shown)},
                "results": [_result(run, f) for f in shown],
                "invocations": [_invocation(run, findings)],
                "automationDetails": {"id": f"audit/{wording.label(run.name)}/"},
                "columnKind": "unicodeCodePoints",
            }
        ],
    }
    return json.dumps(log, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"


def _driver(run: AuditRun, shown: list[Finding]) -> dict[str, Any]:
    name, _, version = run.machine.tool.partition(" ")
    measures = sorted({finding.limit.measure for finding in shown})
    return {
        "name": wording.label(name),
        "version": wording.label(version or "0"),
        "rules": [_rule(run, measure) for measure in measures],
    }


def _rule(run: AuditRun, measure: str) -> dict[str, Any]:
    note = selection.note_of(run, measure)
    words = wording.sentence(selection.measure_words(run, measure))
    text = f"{words} ({wording.BETTER.get(note.better, 'no direction is better')})"
    rule = {"id": wording.label(measure), "shortDescription": {"text": words}, "fullDescription": {"text": text}}
    docs = run.docs.get(note.check, "").strip()
    return {**rule, "help": {"text": "\n".join(map(wording.text, docs.split("\n")))}} if docs else rule


def _result(run: AuditRun, finding: Finding) -> dict[str, Any]:
    words = selection.words(run, finding)
    failed = finding.verdict is Verdict.FAIL
    result: dict[str, Any] = {
        "ruleId": wording.label(finding.limit.measure),
        "kind": "fail" if failed else "open",
        # The standard asks for level "none" wherever kind is not "fail".
        "level": _LEVELS[finding.limit.level] if failed else "none",
        "message": {"text": _message(words)},
        "locations": [_location(finding)],
        "partialFingerprints": {"limitId/v1": finding.id},
        "properties": {
            "blocks": words.blocks,
            "who": words.who,
            "measured": words.value,
            "interval": words.uncertainty,
        },
    }
    if run.baseline and finding.state in {"new", "unchanged"}:
        result["baselineState"] = finding.state
    if finding.waiver is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": words.waiver}]
    return result


def _message(words: selection.FindingWords) -> str:
    parts = (words.message or words.status.word, wording.sentence(words.remedy))
    return ". ".join(part.removesuffix(".") for part in parts if part) + "."


def _location(finding: Finding) -> dict[str, Any]:
    # A pack's limit has no line in the user's repository: it points at the head of the file that chose the pack.
    own = finding.limit.line if "@" not in finding.limit.source else 1
    return {
        "physicalLocation": {"artifactLocation": {"uri": "audit.toml"}, "region": {"startLine": max(own, 1)}},
        "logicalLocations": [{"name": finding.id, "kind": "member"}],
    }


def _invocation(run: AuditRun, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {
        "executionSuccessful": run.exit_code != 2,
        "exitCode": run.exit_code,
        "exitCodeDescription": wording.text(run.exit_reason),
        "toolExecutionNotifications": [
            {
                "level": "error" if selection.blocks(run, finding) else "warning",
                "message": {"text": f"{finding.id}: {wording.text(finding.message)}"},
                "descriptor": {"id": "not_assessed"},
            }
            for finding in findings
            if finding.verdict is Verdict.NOT_ASSESSED
        ],
    }
