"""JUnit XML: a limit is a test case, so that every CI system shows it without being taught."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from audit import wording
from audit.policy import Finding, Verdict
from audit.record import AuditRun
from reports import selection
from reports.files import write_text
from reports.selection import FindingWords


def write(run: AuditRun, path: Path) -> None:
    """Write the JUnit file of a run to ``path``, whole or not at all."""
    write_text(path, render(run))


def render(run: AuditRun) -> str:
    """One test suite. What fails or blocks is a failure, what could not be judged and blocks is an error.

    A waived finding, and one that only warns, is skipped with its message: seen in every CI system, blocking in none.
    """
    cases = [_case(run, finding) for finding in selection.ordered(run)]
    suite = ET.Element("testsuite", {"name": wording.label(run.name), "timestamp": wording.label(run.machine.created)})
    suite.extend(cases)
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", f"{run.machine.seconds:.3f}")
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(run: AuditRun, finding: Finding) -> ET.Element:
    words = selection.words(run, finding)
    family = selection.note_of(run, finding.limit.measure).check.partition(".")[0] or "audit"
    case = ET.Element(
        "testcase", {"classname": f"audit.{wording.label(family)}", "name": wording.label(finding.id, 400)}
    )
    tag = _outcome(finding, words)
    if tag:
        attributes = {"message": words.message or words.status.word}
        if tag != "skipped":
            attributes["type"] = words.status.key
        element = ET.SubElement(case, tag, attributes)
        element.text = _details(words)
    else:
        ET.SubElement(case, "system-out").text = _details(words)
    return case


def _outcome(finding: Finding, words: FindingWords) -> str:
    """The element that says how the case ended; empty for one that passed or was only recorded."""
    if finding.verdict is Verdict.PASS or finding.limit.level == "record":
        return ""
    if not words.blocks:
        return "skipped"
    return "error" if finding.verdict is Verdict.NOT_ASSESSED else "failure"


def _details(words: FindingWords) -> str:
    """What a reader of the CI log needs: measured, limit, for whom, why, what next."""
    measured = f"{words.value} ({words.uncertainty})" if words.value else words.uncertainty
    lines = (
        f"{words.status.word}: {words.measure}, {words.who}",
        f"measured: {measured}",
        f"limit: {words.limit}" + (f" ({words.why})" if words.why else ""),
        words.coverage,
        words.sight,
        words.waiver,
        f"next: {words.remedy}" if words.remedy else "",
    )
    return "\n".join(line for line in lines if line)
