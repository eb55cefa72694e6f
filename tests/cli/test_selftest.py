"""audit selftest: it must say yes to this installation, and no to one whose gate or measures are broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from audit.policy import Finding, Verdict
from audit.policy.gate import Decision, ExitCode, decide
from audit.selftest import running
from audit.selftest.promises import PROMISES
from audit.selftest.worlds import WORLDS
from audit.spec.model import GateSpec
from tests.cli.conftest import Call


def test_every_world_is_told_from_its_twin(call: Call) -> None:
    found = call("selftest", "--rounds", "2", "--json")
    told = found.json()
    assert found.code == 0
    assert [world["fault"] for world in told["worlds"]] == [world.fault for world in WORLDS]
    assert all(world["found"] == 2 and world["unjudged"] == 0 for world in told["worlds"])
    assert told["promises"] == {promise.words: True for promise in PROMISES}


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.FAIL, Verdict.NOT_ASSESSED])
def test_a_gate_that_always_says_the_same_breaks_every_promise_of_a_world(
    verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "verdict_of", lambda *_: verdict)
    assert not any(one.kept for one in running.tried(20, 1, lambda _: None))


@pytest.fixture
def two_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "WORLDS", WORLDS[:2])


@pytest.mark.usefixtures("two_worlds")
def test_a_gate_that_passes_everything_ends_with_exit_1(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def passes(findings: Sequence[Finding], gate: GateSpec) -> Decision:
        return replace(decide(findings, gate), verdict=Verdict.PASS, exit_code=ExitCode.PASS)

    monkeypatch.setattr("audit.engine.decide", passes)
    found = call("selftest", "--rounds", "15", "--quiet")
    assert found.code == 1
    assert "✗ a check that crashes never passes" in found.out
    assert "✗ positives of one group are missed" in found.out


@pytest.mark.usefixtures("two_worlds")
def test_the_same_seed_draws_the_same_worlds(call: Call) -> None:
    first, second, other = (call("selftest", "--rounds", "1", "--seed", s, "--json").json() for s in (3, 3, 4))
    assert first == second
    assert first["seed"] != other["seed"]


def test_no_rounds_are_refused(call: Call) -> None:
    found = call("selftest", "--rounds", "0")
    assert found.code == 2
    assert "--rounds must be at least 1" in found.err
