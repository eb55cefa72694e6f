"""An in-toto Statement that says which model, on which data, met which limits: ready to be signed by other tools."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from audit import wording
from audit.policy import Finding, Verdict
from audit.record import AuditRun
from reports import selection
from reports.files import write_text

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def write(run: AuditRun, path: Path) -> None:
    """Write the statement of a run to ``path``, whole or not at all."""
    write_text(path, render(run))


def render(run: AuditRun) -> str:
    """The statement as JSON. Unsigned: signing is for a tool that holds a key."""
    return json.dumps(statement(run), indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"


def statement(run: AuditRun) -> dict[str, Any]:
    """Subjects are the model, the data and the measured content; the predicate is ``test-result/v0.1``.

    An inconclusive or unassessed limit that blocks has failed; one that does not block, and a waived one, has warned.
    """
    shelves: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for finding in run.findings:
        shelves[_shelf(run, finding)].append(finding.id)
    return {
        "_type": STATEMENT,
        "subject": _subjects(run),
        "predicateType": PREDICATE,
        "predicate": {
            "result": "FAILED" if run.exit_code else "WARNED" if shelves["warnedTests"] else "PASSED",
            "configuration": _configuration(run),
            **shelves,
        },
    }


def _shelf(run: AuditRun, finding: Finding) -> str:
    if finding.verdict is Verdict.PASS:
        return "passedTests"
    return "failedTests" if selection.blocks(run, finding) else "warnedTests"


def _subjects(run: AuditRun) -> list[dict[str, Any]]:
    named = [
        ("model:" + wording.label(run.model.path or run.model.name, 200), run.model.sha256),
        *(("data:" + wording.label(data.name), data.sha256) for data in run.data),
        ("audit:" + wording.label(run.name), run.id),
    ]
    return _resources(named)


def _configuration(run: AuditRun) -> list[dict[str, Any]]:
    packs = ((wording.label(pack), digest) for pack, digest in sorted(run.packs.items()))
    return _resources([("audit.toml", run.spec_sha256), *packs])


def _resources(named: list[tuple[str, str]]) -> list[dict[str, Any]]:
    # A resource without a digest proves nothing and is left out.
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in named if _DIGEST.fullmatch(digest)]
