"""Markdown, JUnit, SARIF, the statement and the command: what CI systems read."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import store
from audit.errors import UsageError
from audit.policy import Finding, Verdict
from audit.record import AuditRun
from reports import attestation, command, junit, markdown, sarif, selection
from reports.html import page
from tests.reports.hostile import hostile
from tests.reports.runs import rich

NAMES = st.lists(st.text(max_size=80), min_size=3, max_size=6)
SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemas" / "sarif-schema-2.1.0.json"


def changed(run: AuditRun, place: int, **changes: Any) -> AuditRun:
    """The run with one finding changed."""
    findings = list(run.findings)
    findings[place] = replace(findings[place], **changes)
    return replace(run, findings=tuple(findings))


def only(run: AuditRun, *verdicts: Verdict) -> AuditRun:
    return replace(run, findings=tuple(f for f in run.findings if f.verdict in verdicts))


# Order and blocking


def test_what_blocks_comes_first_then_the_verdict_decides() -> None:
    shown = [(selection.blocks(rich(), f), selection.status(f).key) for f in selection.ordered(rich())]
    assert shown == [
        (True, "fail"),
        (True, "inconclusive"),
        (False, "inconclusive"),
        (False, "not_assessed"),
        (False, "waived"),
        (False, "pass"),
        (False, "pass"),
    ]


def test_an_open_limit_blocks_as_the_gate_says_and_as_it_says_itself() -> None:
    run, place = rich(), 2
    assert selection.blocks(run, run.findings[place])
    lenient = replace(run, spec={"gate": {"inconclusive": "warn"}})
    assert not selection.blocks(lenient, run.findings[place])
    strict: Finding = replace(run.findings[place], limit=replace(run.findings[place].limit, inconclusive="block"))
    assert selection.blocks(lenient, strict)


def test_a_written_limit_that_was_not_assessed_blocks_and_a_packs_does_not() -> None:
    run = rich()
    place = next(i for i, f in enumerate(run.findings) if f.verdict is Verdict.NOT_ASSESSED)
    assert not selection.blocks(run, run.findings[place])
    written = changed(run, place, limit=replace(run.findings[place].limit, source="audit.toml"))
    assert selection.blocks(written, written.findings[place])


# Markdown


def assert_defused(text: str) -> None:
    assert not re.search(r"[<](?!\d)|@|::|##\[|://|www\.|[\x00-\x09\x0b-\x1f\ud800-\udfff\u202a-\u202e]", text)
    for line in text.splitlines():
        assert line.count("`") % 2 == 0
        if line.startswith("|"):
            assert line.count("|") == 7
        assert not line.startswith("::")


def test_the_summary_of_a_hostile_run_holds_nothing_that_markdown_or_a_runner_would_act_on() -> None:
    assert_defused(markdown.render(hostile()))


@settings(max_examples=60, deadline=None)
@given(NAMES)
def test_any_names_at_all_are_defused_in_markdown(names: list[str]) -> None:
    assert_defused(markdown.render(hostile(tuple(names))))


def test_markup_outside_a_code_span_is_escaped() -> None:
    assert markdown.plain("![x](y) *a* _b_ # c") == r"\!\[x\](y) \*a\* \_b\_ \# c"


def test_the_summary_is_one_screen_worst_first_with_interval_and_n() -> None:
    text = markdown.render(rich())
    assert text.startswith("## ✗ Fails: 1 of 6 limits not met – `mortgage`\n")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert "0.269" in rows[1]
    assert "0.198 to 0.340, n\u00a0=\u00a01,878" in rows[1]
    assert len(text.splitlines()) < 40
    many = replace(rich(), findings=rich().findings[1:2] * 30)
    assert "18 more findings in the report." in markdown.render(many)


# JUnit


def cases(run: AuditRun) -> dict[str, ET.Element]:
    root = ET.fromstring(junit.render(run).encode("utf-8"))
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def test_each_verdict_becomes_the_outcome_that_ci_understands() -> None:
    found = cases(rich())
    outcomes = {name: [e.tag for e in case if e.tag != "system-out"] for name, case in found.items()}
    assert outcomes == {
        "selection_rate/difference@race": ["failure"],
        "true_positive_rate/difference@race*sex": ["failure"],
        "calibration_slope": ["skipped"],
        "train_test_overlap": ["skipped"],
        "duplicate_rows": ["skipped"],
        "roc_auc": [],
        "selection_rate/ratio@sex": [],
    }
    assert found["true_positive_rate/difference@race*sex"][0].attrib["type"] == "inconclusive"


def test_a_limit_that_must_be_answered_and_was_not_is_an_error() -> None:
    run = rich()
    place = next(i for i, f in enumerate(run.findings) if f.verdict is Verdict.NOT_ASSESSED)
    written = changed(run, place, limit=replace(run.findings[place].limit, source="audit.toml"))
    assert [e.tag for e in cases(written)["train_test_overlap"]] == ["error"]


def test_the_totals_of_the_suite_are_those_of_its_cases() -> None:
    suite = next(ET.fromstring(junit.render(rich()).encode()).iter("testsuite"))
    totals = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": 7, "failures": 2, "errors": 0, "skipped": 3}


@settings(max_examples=60, deadline=None)
@given(NAMES)
def test_any_names_at_all_leave_junit_readable(names: list[str]) -> None:
    text = junit.render(hostile(tuple(names)))
    assert len(list(ET.fromstring(text.encode("utf-8")).iter("testcase"))) == 2
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text)


# SARIF


def log(run: AuditRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sarif.render(run))
    return found


def test_sarif_has_the_shape_of_the_standard() -> None:
    for run in (rich(), hostile(), replace(rich(), findings=())):
        found = log(run)
        assert found["version"] == "2.1.0"
        (only_run,) = found["runs"]
        rules = [rule["id"] for rule in only_run["tool"]["driver"]["rules"]]
        assert len(rules) == len(set(rules))
        for result in only_run["results"]:
            assert result["ruleId"] in rules
            assert result["message"]["text"]
            assert result["kind"] in {"fail", "open"}
            assert (result["level"] == "none") == (result["kind"] != "fail")
            location = result["locations"][0]["physicalLocation"]
            assert location["artifactLocation"]["uri"] == "audit.toml"
            assert location["region"]["startLine"] >= 1
            assert list(result["partialFingerprints"]) == ["limitId/v1"]
        if SCHEMA.is_file():
            jsonschema.validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_sarif_points_at_the_line_of_the_limit_and_holds_only_what_is_not_met_or_open() -> None:
    results = {r["partialFingerprints"]["limitId/v1"]: r for r in log(rich())["runs"][0]["results"]}
    assert set(results) == {
        "selection_rate/difference@race",
        "true_positive_rate/difference@race*sex",
        "calibration_slope",
        "duplicate_rows",
    }
    failed = results["selection_rate/difference@race"]
    assert failed["locations"][0]["physicalLocation"]["region"]["startLine"] == 31
    assert (failed["kind"], failed["level"]) == ("fail", "error")
    assert "suppressions" not in failed
    (suppression,) = results["duplicate_rows"]["suppressions"]
    assert suppression["status"] == "accepted"
    assert "Kim Okafor" in suppression["justification"]


def test_sarif_gives_a_state_only_where_there_is_a_baseline() -> None:
    assert not [r for r in log(rich())["runs"][0]["results"] if "baselineState" in r]
    states = {r.get("baselineState") for r in log(rich(baseline="ab" * 32))["runs"][0]["results"]}
    assert states == {"new"}


@settings(max_examples=60, deadline=None)
@given(NAMES)
def test_any_names_at_all_leave_sarif_and_the_statement_plain_json(names: list[str]) -> None:
    run = hostile(tuple(names))
    for text in (sarif.render(run), attestation.render(run)):
        assert json.loads(text)
        assert text.isascii()
        assert not re.search(r"\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]..", text)


# The statement


def test_the_statement_names_the_model_the_data_and_the_audit_by_hash() -> None:
    found = attestation.statement(rich())
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert [s["digest"]["sha256"][:2] for s in found["subject"]] == ["ab", "cd", "7c"]
    assert [c["name"] for c in found["predicate"]["configuration"]] == ["audit.toml", "default@1"]


def test_every_limit_is_on_exactly_one_list_and_an_open_one_is_never_passed() -> None:
    predicate = attestation.statement(rich())["predicate"]
    listed = predicate["passedTests"] + predicate["warnedTests"] + predicate["failedTests"]
    assert sorted(listed) == sorted(f.id for f in rich().findings)
    assert "true_positive_rate/difference@race*sex" in predicate["failedTests"]
    assert set(predicate["passedTests"]) == {"roc_auc", "selection_rate/ratio@sex"}


@pytest.mark.parametrize(
    ("verdicts", "exit_code", "result"),
    [
        ((Verdict.PASS,), 0, "PASSED"),
        ((Verdict.PASS, Verdict.NOT_ASSESSED), 0, "WARNED"),
        ((Verdict.PASS, Verdict.FAIL), 1, "FAILED"),
        ((Verdict.PASS,), 2, "FAILED"),
    ],
)
def test_the_result_of_the_statement_follows_the_exit_code(
    verdicts: tuple[Verdict, ...], exit_code: int, result: str
) -> None:
    run = replace(only(rich(), *verdicts), exit_code=exit_code)
    assert attestation.statement(run)["predicate"]["result"] == result


def test_a_model_without_a_hash_is_no_subject() -> None:
    run = rich(model=replace(rich().model, sha256=""))
    assert [s["name"] for s in attestation.statement(run)["subject"]] == ["data:test", "audit:mortgage"]


# The command


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that reads as the rich run: what the store does is tested where the store is."""
    monkeypatch.setattr(store, "read", lambda path: rich(findings=rich().findings[:2], records=()))
    return tmp_path


@pytest.mark.parametrize(
    ("chosen", "usual", "writer"),
    [
        ("html", "report.html", page),
        ("markdown", "summary.md", markdown),
        ("junit", "junit.xml", junit),
        ("sarif", "audit.sarif", sarif),
        ("statement", "statement.json", attestation),
    ],
)
def test_each_format_is_written_under_its_usual_name(
    stored: Path, chosen: str, usual: str, writer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(str(stored), "--as", chosen) == 0
    expected = writer.render(rich(findings=rich().findings[:2], records=()))
    assert (stored / usual).read_text(encoding="utf-8") == expected
    assert capsys.readouterr().out == f"{stored / usual}\n"


def test_an_out_that_is_a_folder_is_refused_by_name(stored: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; give a file"):
        call(str(stored), "--as", "markdown", "--out", str(stored))


def test_out_says_where_and_the_run_folder_is_left_alone(stored: Path) -> None:
    (stored / "elsewhere").mkdir()
    call(str(stored), "--as", "junit", "--out", str(stored / "elsewhere" / "x.xml"))
    assert [p.name for p in stored.rglob("*.xml")] == ["x.xml"]
