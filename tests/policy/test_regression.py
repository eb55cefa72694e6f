"""A bound on how much worse a measure may be than in the baseline run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.policy import Verdict
from audit.policy.judge import judge
from audit.results import Measurement
from audit.stats import assumption_range, difference, interval, rate
from tests.policy.worlds import Cell, a_limit, a_record, measurements, of_basis, rules


def judged(limit: object, now: dict[str | None, Cell], before: dict[str | None, Cell], name: str = "accuracy"):  # type: ignore[no-untyped-def]
    baseline = [a_record(measurements(name, before))]
    return judge([limit], [a_record(measurements(name, now))], rules(baseline=baseline))[0]  # type: ignore[list-item]


@given(now=st.integers(300, 900), before=st.integers(300, 900))
def test_it_passes_when_the_far_end_of_the_worsening_stays_within_the_margin(now: int, before: int) -> None:
    found = interval(difference(rate(before, 1000), rate(now, 1000)), 0.95)
    verdict = judged(a_limit(regress=0.02), {"": (now, 1000)}, {"": (before, 1000)}).verdict
    expected = Verdict.PASS if found.upper <= 0.02 else Verdict.FAIL if found.lower > 0.02 else Verdict.INCONCLUSIVE
    assert verdict is expected


def test_a_measure_that_is_better_lower_worsens_by_rising() -> None:
    limit = a_limit("error", regress=0.02)
    assert judged(limit, {"": (900, 1000)}, {"": (100, 1000)}, "error").verdict is Verdict.FAIL
    assert judged(limit, {"": (100, 1000)}, {"": (900, 1000)}, "error").verdict is Verdict.PASS


def test_the_worsening_is_shown_with_its_sign() -> None:
    found = judged(a_limit(regress=0.02), {"": (700, 1000)}, {"": (900, 1000)})
    assert isinstance(found.subject, Measurement)
    assert found.subject.value == pytest.approx(0.2)


def test_it_says_that_two_runs_are_compared_unpaired_and_what_would_tell_more() -> None:
    found = judged(a_limit(regress=0.02), {"": (870, 1000)}, {"": (880, 1000)})
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the baseline run, unpaired" in found.message
    assert isinstance(found.subject, Measurement)
    assert "unpaired" in found.subject.method
    assert "[model] baseline" in found.remedy


def test_each_group_is_compared_with_itself() -> None:
    limit = a_limit(by=("sex",), regress=0.05)
    found = judged(limit, {"f": (500, 1000), "m": (900, 1000)}, {"f": (900, 1000), "m": (500, 1000)})
    assert found.verdict is Verdict.FAIL
    assert dict(found.subject.slice) == {"sex": "f"}


def test_a_group_that_the_baseline_lacks_keeps_the_limit_open() -> None:
    limit = a_limit(by=("sex",), regress=0.05)
    assert judged(limit, {"f": (900, 1000), "m": (1, 2)}, {"f": (900, 1000)}).verdict is Verdict.INCONCLUSIVE


def test_without_a_baseline_it_is_not_assessed() -> None:
    found = judge([a_limit(regress=0.02)], [a_record(measurements("accuracy", {"": (9, 10)}))], rules())[0]
    assert found.verdict is Verdict.NOT_ASSESSED
    assert "--baseline" in found.remedy


def test_a_baseline_without_the_measure_is_not_assessed() -> None:
    assert judged(a_limit(regress=0.02), {"": (9, 10)}, {"f": (1, 2)}).verdict is Verdict.NOT_ASSESSED


@pytest.mark.parametrize(
    ("now", "expected"),
    [(5000, Verdict.FAIL), (9000, Verdict.PASS), (8000, Verdict.FAIL)],
    ids=["below the bound", "as before", "above the bound, and worse than before"],
)
def test_a_bound_beside_regress_is_judged_too(now: int, expected: Verdict) -> None:
    limit = a_limit(min=0.6, regress=0.02)
    before: dict[str | None, Cell] = {"": (4900 if now == 5000 else 9000, 10000)}
    assert judged(limit, {"": (now, 10000)}, before).verdict is expected


def test_a_bound_beside_regress_does_not_pass_without_a_baseline() -> None:
    limit = a_limit(min=0.6, regress=0.02)
    good = a_record(measurements("accuracy", {"": (9000, 10000)}))
    bad = a_record(measurements("accuracy", {"": (1000, 10000)}))
    assert judge([limit], [good], rules())[0].verdict is Verdict.NOT_ASSESSED
    assert judge([limit], [bad], rules())[0].verdict is Verdict.FAIL


def an_energy(boundary: str) -> Measurement:
    found = of_basis("error", assumption_range(1.0, 0.9, 1.1, 0.9), 1)
    return replace(found, interval=replace(found.interval, method=f"counter rung, {boundary} boundary"))


@pytest.mark.parametrize(("before", "expected"), [("chip", Verdict.PASS), ("system", Verdict.NOT_ASSESSED)])
def test_a_range_is_never_compared_with_one_that_is_known_in_another_way(before: str, expected: Verdict) -> None:
    baseline = [a_record([an_energy(before)])]
    limit = a_limit("error", regress=5.0)
    (found,) = judge([limit], [a_record([an_energy("chip")])], rules(baseline=baseline))
    assert found.verdict is expected
    assert (f"{before} boundary" in found.message) is (expected is Verdict.NOT_ASSESSED)


@pytest.mark.parametrize(("cost", "elsewhere", "verdict"), [
    ("timing", "another CPU", Verdict.NOT_ASSESSED), ("timing", "", Verdict.PASS),
    ("predict", "another CPU", Verdict.PASS),
])  # fmt: skip
def test_a_time_is_never_held_against_that_of_another_machine(cost: str, elsewhere: str, verdict: Verdict) -> None:
    before = replace(a_record(measurements("accuracy", {"": (800, 1000)})), cost=cost)
    now = a_record(measurements("accuracy", {"": (900, 1000)}))
    (found,) = judge([a_limit(regress=0.02)], [now], rules(baseline=[before], elsewhere=elsewhere))
    assert found.verdict is verdict
    assert ("timed on another machine (another CPU)" in found.message) is (verdict is Verdict.NOT_ASSESSED)
