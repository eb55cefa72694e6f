"""From findings to one verdict and one exit code."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from audit.policy import Finding, Verdict, Waiver
from audit.policy.gate import EXIT_CODES, ExitCode, decide, waive
from audit.policy.judge import judge, not_assessed
from audit.results import Reason
from audit.spec import GateSpec
from tests.policy.worlds import a_limit, a_record, an_omission, measurements, rules

BLOCK, WARN = GateSpec(), GateSpec(inconclusive="warn")


def passing(**more: Any) -> Finding:
    return finding((999, 1000), **more)


def failing(**more: Any) -> Finding:
    return finding((1, 1000), **more)


def open_(**more: Any) -> Finding:
    return finding((500, 1000), **more)


def finding(cell: tuple[int, int], **more: Any) -> Finding:
    return judge([a_limit(min=0.5, **more)], [a_record(measurements("accuracy", {"": cell}))], rules())[0]


def unanswered(reason: Reason = Reason.MISSING_INPUT, **more: Any) -> Finding:
    return not_assessed(a_limit(min=0.5, **more), an_omission("", reason=reason))


PACK: Any = {"source": "default@1"}


@pytest.mark.parametrize(
    ("findings", "gate", "code"),
    [
        ([passing()], BLOCK, 0),
        ([failing()], BLOCK, 1),
        ([open_()], BLOCK, 3),
        ([open_()], WARN, 0),
        ([open_(inconclusive="warn")], BLOCK, 0),
        ([open_(inconclusive="block")], WARN, 3),
        ([passing(), failing(level="warn")], BLOCK, 0),
        ([failing(level="warn")], BLOCK, 0),
        ([passing(), open_(level="warn")], BLOCK, 0),
        ([passing(), unanswered()], BLOCK, 2),
        ([passing(), unanswered(level="warn")], BLOCK, 0),
        ([passing(), unanswered(**PACK)], BLOCK, 0),
        ([passing(), unanswered(**PACK, required=True)], BLOCK, 2),
        ([passing(), unanswered(Reason.ERROR, **PACK)], BLOCK, 2),
        ([passing(), unanswered(Reason.ERROR)], WARN, 2),
        ([passing(), unanswered(source="company@2.toml")], BLOCK, 2),
        ([unanswered(**PACK)], BLOCK, 2),
        ([], BLOCK, 2),
        ([failing(), unanswered(), open_()], BLOCK, 1),
        ([unanswered(), open_()], BLOCK, 2),
    ],
)
def test_the_exit_code_is_that_of_the_design(findings: list[Finding], gate: GateSpec, code: int) -> None:
    decision = decide(findings, gate)
    assert decision.exit_code == code
    assert (decision.verdict is Verdict.PASS) == (code == 0)


def test_a_pack_limit_without_its_input_is_no_pass_in_the_count() -> None:
    assert decide([passing(), unanswered(**PACK)], BLOCK).reason.startswith("1 of 2 gated limits passes")


def test_the_reason_names_the_limit_that_was_not_answered() -> None:
    assert decide([passing(), unanswered()], BLOCK).reason == "accuracy was not assessed: all rows is undefined"


@pytest.mark.parametrize("made", [failing, open_])
def test_a_waived_finding_keeps_its_verdict_and_does_not_decide(made: Any) -> None:
    waiver = Waiver(limit="accuracy", reason="known, RISK-412", owner="kim", expires=date(2027, 1, 1))
    (found,) = waive([made()], [waiver], date(2026, 11, 22))
    assert found.verdict is made().verdict
    assert decide([found], BLOCK).exit_code == 0
    assert "1 waived" in decide([found], BLOCK).reason


def test_a_waiver_cannot_cover_what_was_not_assessed() -> None:
    waiver = Waiver(limit="accuracy", reason="known, RISK-412", owner="kim", expires=date(2027, 1, 1))
    (found,) = waive([unanswered()], [waiver], date(2026, 11, 22))
    assert found.waiver is None
    assert decide([found, passing()], BLOCK).exit_code == 2


def test_every_exit_code_is_explained() -> None:
    assert {int(code) for code, _ in EXIT_CODES} == {int(code) for code in ExitCode}


def test_a_failure_decides_whatever_else_there_is() -> None:
    others = [passing(), open_(), unanswered(), unanswered(Reason.ERROR, **PACK)]
    assert decide([*others, replace(failing(), state="unchanged")], WARN).exit_code == 1
