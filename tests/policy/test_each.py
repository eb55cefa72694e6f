"""A bound on the value itself, overall or of every group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.policy import Verdict
from audit.policy.judge import judge
from audit.results import Reason
from audit.stats import assumption_range, exact, interval, rate
from tests.policy.worlds import a_limit, a_record, an_omission, measurements, of_basis, rules, verdict_on


@given(k=st.integers(0, 500), n=st.integers(500, 2000), bound=st.floats(0.01, 0.99))
def test_one_rate_passes_inside_fails_outside_and_is_open_otherwise(k: int, n: int, bound: float) -> None:
    found = interval(rate(k, n), 0.95)
    verdict = verdict_on(a_limit(max=bound), {"": (k, n)}).verdict
    expected = Verdict.PASS if found.upper <= bound else Verdict.FAIL if found.lower > bound else Verdict.INCONCLUSIVE
    assert verdict is expected


@given(k=st.integers(0, 300), bound=st.floats(0.05, 0.95))
def test_a_minimum_is_judged_as_a_maximum_of_the_complement(k: int, bound: float) -> None:
    low = verdict_on(a_limit(min=bound), {"": (k, 300)}).verdict
    high = verdict_on(a_limit(max=1 - bound), {"": (300 - k, 300)}).verdict
    assert low is high


def test_a_group_is_named_when_it_fails_and_the_worst_comes_first() -> None:
    found = verdict_on(a_limit(min=0.8, by=("sex",)), {"f": (300, 1000), "m": (950, 1000), "x": (100, 1000)})
    assert found.verdict is Verdict.FAIL
    assert dict(found.subject.slice) == {"sex": "x"}
    assert [dict(c.groups[0]) for c in found.blocking] == [{"sex": "x"}, {"sex": "f"}]


def test_a_failure_must_hold_over_all_groups_together() -> None:
    """One of 40 groups that lies just outside alone is chance: a single 95 % interval must not fail it."""
    cells: dict[str | None, tuple[float, float]] = {f"g{i}": (500, 1000) for i in range(39)}
    alone = verdict_on(a_limit(max=0.5, by=("sex",)), {"odd": (540, 1000)})
    together = verdict_on(a_limit(max=0.5, by=("sex",)), {**cells, "odd": (540, 1000)})
    assert alone.verdict is Verdict.FAIL
    assert together.verdict is Verdict.INCONCLUSIVE


def test_limits_of_a_level_share_one_error_and_limits_of_another_do_not() -> None:
    records = [a_record(measurements("accuracy", {"": (465, 1000)}))]
    fails = [a_limit(min=0.5), *(a_limit(min=0.5 - i / 100000) for i in range(1, 20))]
    warns = [a_limit(min=0.5), *(a_limit(min=0.5 - i / 100000, level="warn") for i in range(1, 20))]
    assert {f.verdict for f in judge(fails, records, rules())} == {Verdict.INCONCLUSIVE}
    one = next(f for f in judge(warns, records, rules()) if f.limit.level == "fail")
    assert one.verdict is Verdict.FAIL


@pytest.mark.parametrize(("underpowered", "expected"), [("block", Verdict.INCONCLUSIVE), ("list", Verdict.PASS)])
def test_a_group_too_small_to_pass_blocks_or_is_listed(underpowered: str, expected: Verdict) -> None:
    cells: dict[str | None, tuple[float, float]] = {"": (960, 1035), "f": (465, 500), "m": (465, 500), "x": (30, 35)}
    found = verdict_on(a_limit(min=0.85, by=("sex",)), cells, underpowered=underpowered)
    assert found.verdict is expected
    assert (found.assessed, found.comparisons) == (2, 3)
    assert found.rows_assessed == pytest.approx(1000 / 1035)


def test_the_limit_itself_may_say_what_small_groups_do() -> None:
    cells: dict[str | None, tuple[float, float]] = {"": (960, 1035), "f": (465, 500), "m": (465, 500), "x": (30, 35)}
    assert verdict_on(a_limit(min=0.85, by=("sex",), underpowered="list"), cells).verdict is Verdict.PASS


def test_when_no_group_could_have_shown_anything_nothing_passes() -> None:
    found = verdict_on(a_limit(min=0.9, by=("sex",)), {"f": (9, 10), "m": (10, 10)}, underpowered="list")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.assessed == 0


def test_a_group_that_could_not_be_measured_keeps_the_limit_open() -> None:
    cells: dict[str | None, tuple[float, float]] = {"f": (950, 1000), "m": (950, 1000)}
    found = verdict_on(a_limit(min=0.8, by=("sex",)), cells, [an_omission("x", n=500)])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.remedy == "collect it"
    assert found.comparisons == 3
    assert found.rows_assessed == pytest.approx(2000 / 2500)


def test_a_group_that_fails_wins_over_one_that_could_not_be_measured() -> None:
    assert verdict_on(a_limit(min=0.8, by=("sex",)), {"f": (10, 1000)}, [an_omission()]).verdict is Verdict.FAIL


@pytest.mark.parametrize(("value", "expected"), [(0.1, Verdict.PASS), (0.1000001, Verdict.FAIL)])
def test_a_census_has_two_verdicts(value: float, expected: Verdict) -> None:
    record = a_record([of_basis("overlap", exact(value), 3)])
    assert judge([a_limit("overlap", max=0.1)], [record], rules())[0].verdict is expected


def test_an_assumption_range_is_judged_as_it_was_given() -> None:
    record = a_record([of_basis("overlap", assumption_range(5.0, 2.0, 11.0, 0.95), 1)])
    for most, expected in ((11.0, Verdict.PASS), (10.0, Verdict.INCONCLUSIVE), (1.9, Verdict.FAIL)):
        assert judge([a_limit("overlap", max=most)], [record], rules())[0].verdict is expected


def test_what_was_not_measured_is_not_assessed_with_the_reason_of_its_check() -> None:
    whole = an_omission("", name="", reason=Reason.MISSING_INPUT)
    found = judge([a_limit(max=1)], [a_record([], [whole])], rules())[0]
    assert found.verdict is Verdict.NOT_ASSESSED
    assert found.message == whole.detail
    assert found.comparisons == 0


def test_a_packs_limit_is_listed_where_there_is_no_interval_and_dropped_where_the_question_makes_no_sense() -> None:
    limit = a_limit(max=1, source="default@1")
    for reason, listed in ((Reason.UNSUPPORTED, 1), (Reason.NOT_APPLICABLE, 0)):
        assert len(judge([limit], [a_record([], [an_omission("", name="", reason=reason)])], rules())) == listed


def test_a_limit_on_another_data_set_does_not_look_at_the_test_data() -> None:
    records = [a_record(measurements("accuracy", {"": (999, 1000)}))]
    assert judge([a_limit(min=0.5, on="train")], records, rules())[0].verdict is Verdict.NOT_ASSESSED


def test_a_limit_with_a_parameter_looks_at_that_parameter_only() -> None:
    plain = measurements("recall", {"": (999, 1000)})
    at_ten = measurements("recall", {"": (1, 1000)}, params={"k": 10})
    limits = [a_limit("recall", min=0.5), a_limit("recall", min=0.5, params={"k": 10})]
    by_id = {f.id: f.verdict for f in judge(limits, [a_record([*plain, *at_ten])], rules())}
    assert by_id == {"recall": Verdict.PASS, "recall[k=10]": Verdict.FAIL}


@given(k=st.integers(50, 400))
def test_the_rows_that_would_decide_do_decide_at_the_same_rate(k: int) -> None:
    found = verdict_on(a_limit(max=0.5), {"": (k, 450)})
    if found.verdict is Verdict.INCONCLUSIVE and found.needed_n is not None:
        n = found.needed_n
        assert verdict_on(a_limit(max=0.5), {"": (k / 450 * n, n)}).verdict is not Verdict.INCONCLUSIVE


def test_a_limit_without_a_bound_is_no_finding() -> None:
    assert judge([a_limit(level="record")], [a_record(measurements("accuracy", {"": (1, 2)}))], rules()) == ()


def test_the_smallest_distance_from_the_limit_stands_beside_every_verdict_on_a_value() -> None:
    for cell in ((990, 1000), (900, 1000), (800, 1000)):
        found = verdict_on(a_limit(min=0.9), {"": cell})
        assert found.smallest_gap == pytest.approx(2.8016 * (0.9 * 0.1 / 1000) ** 0.5, rel=0.02)
        assert "; the smallest distance from the limit that these rows could have shown is 0.027" in found.message


def test_a_count_of_all_there_is_has_no_smallest_distance() -> None:
    record = a_record([of_basis("overlap", exact(3.0), 10)])
    found = judge([a_limit("overlap", max=1)], [record], rules())[0]
    assert found.smallest_gap is None
    assert "smallest" not in found.message


def test_a_limit_that_leaves_out_the_params_of_its_measure_is_told_which_there_are() -> None:
    rates = measurements("accuracy", {"f": (90, 100)}, params={"variant": "int8"})
    other = measurements("accuracy", {"f": (90, 100)}, params={"variant": "pruned"})
    (found,) = judge([a_limit(min=0.5, by=("sex",))], [a_record([*rates, *other])], rules())
    assert found.verdict is Verdict.NOT_ASSESSED
    assert found.message.endswith('for no params, only for { variant = "int8" } and { variant = "pruned" }')
    assert found.remedy == 'give the limit params = { variant = "int8" }'
    (unknown,) = judge([a_limit(min=0.5, by=("race",))], [a_record([*rates, *other])], rules())
    assert unknown.remedy == rules().unmeasured
