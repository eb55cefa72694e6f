"""What a waiver covers, and what is said of one that has gone stale."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from audit.errors import SpecError
from audit.policy import Verdict, Waiver
from audit.policy.gate import waive, waiver_faults
from audit.policy.waivers import check_waivers, unmatched
from audit.spec import GateSpec
from tests.policy.worlds import a_limit, verdict_on

TODAY = date(2026, 11, 22)
GAP = a_limit(by=("sex",), compare="difference", max=0.1)
WIDE = verdict_on(GAP, {"f": (5000, 10000), "m": (6500, 10000)})  # 0.15, to 0.163


def waiver(**more: Any) -> Waiver:
    facts = {"limit": GAP.id, "reason": "known, RISK-412", "owner": "kim", "expires": TODAY + timedelta(days=30)}
    return Waiver(**{**facts, **more})


def covered(*waivers: Waiver, finding: Any = WIDE) -> bool:
    return waive([finding], waivers, TODAY)[0].waiver is not None


def test_it_covers_its_own_limit_and_no_other() -> None:
    assert WIDE.verdict is Verdict.FAIL
    assert covered(waiver())
    assert not covered(waiver(limit="accuracy/difference@race"))
    assert not covered(waiver(limit="accuracy/*"))


def test_it_holds_on_its_last_day_and_not_after() -> None:
    assert covered(waiver(expires=TODAY))
    assert not covered(waiver(expires=TODAY - timedelta(days=1)))


@pytest.mark.parametrize(("bound", "expected"), [(0.17, True), (0.16, False), (0.05, False)])
def test_its_bound_is_held_against_the_far_end_of_the_interval(bound: float, expected: bool) -> None:
    assert covered(waiver(bound=bound)) is expected


def test_its_bound_is_held_against_every_comparison_that_fails() -> None:
    noisy = verdict_on(GAP, {"f": (5000, 10000), "m": (6500, 10000), "x": (57, 100)})
    assert noisy.verdict is Verdict.FAIL
    assert all(c.family_lower > 0.1 for c in noisy.blocking)
    three = verdict_on(GAP, {"f": (5000, 10000), "m": (6500, 10000), "x": (730, 1000)})
    assert {round(c.value, 2) for c in three.blocking} >= {0.15, 0.23}
    assert not covered(waiver(bound=0.17), finding=three)
    assert covered(waiver(bound=0.27), finding=three)


def test_a_limit_with_two_bounds_is_waived_on_the_side_of_the_waiver_only() -> None:
    limit = a_limit(min=0.4, max=0.6)
    high, low = (verdict_on(limit, {"": (k, 1000)}) for k in (700, 300))
    for finding, bound, expected in ((high, 0.8, True), (low, 0.8, False), (low, 0.2, True), (high, 0.2, False)):
        assert covered(waiver(limit=limit.id, bound=bound), finding=finding) is expected


def test_a_pass_needs_no_waiver() -> None:
    passing = verdict_on(GAP, {"f": (5000, 10000), "m": (5000, 10000)})
    assert not covered(waiver(), finding=passing)
    assert waiver_faults([passing], [waiver()], TODAY) == [
        f'the waiver of "{GAP.id}" is no longer needed: the limit passes'
    ]


def test_expired_and_unmatched_ones_are_said() -> None:
    late, lost = waiver(expires=TODAY - timedelta(days=1)), waiver(limit="acuracy/difference@sex")
    said = " ".join(waiver_faults([WIDE], [late, lost], TODAY))
    assert "expired on 2026-11-21" in said
    assert '"acuracy/difference@sex" fits no limit' in said
    (first, second) = unmatched([lost, late], [GAP], TODAY)
    assert f'did you mean "{GAP.id}"' in first
    assert "renew it" in second


@pytest.mark.parametrize(
    ("waivers", "words"),
    [
        ([waiver(limit=str(i)) for i in range(4)], "4 waivers, and [gate] max_waivers allows 3"),
        ([waiver(expires=TODAY + timedelta(days=181))], "max_waiver_days allows 180 days"),
        ([waiver(), waiver()], "is waived twice"),
    ],
)
def test_too_many_too_long_or_two_of_one_limit_are_errors(waivers: list[Waiver], words: str) -> None:
    with pytest.raises(SpecError) as error:
        check_waivers(waivers, GateSpec(), TODAY)
    assert words in str(error.value)


def test_as_many_and_as_long_as_the_gate_allows_are_no_error() -> None:
    check_waivers([waiver(limit=str(i), expires=TODAY + timedelta(days=180)) for i in range(3)], GateSpec(), TODAY)
