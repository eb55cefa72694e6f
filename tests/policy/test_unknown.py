"""missing = "bounds": every assignment of the rows of unknown group lies within what is judged."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.policy import Finding, Verdict
from audit.policy.judge import judge
from audit.results import MeasureNote
from audit.stats import Tally, average, interval, mean_from_sums, rate, value
from audit.stats.pairs import Basis
from tests.policy.worlds import NOTES, a_limit, a_record, measurements, of_basis, rules, verdict_on

BOUNDED = {"bounded": frozenset({"test"})}
KNOWN = {"f": (300, 1000), "m": (330, 1000)}


def gap(**more: Any) -> Any:
    return a_limit("selection_rate", by=("sex",), compare="difference", max=0.1, **more)


def judged(cells: Any, **more: Any) -> Finding:
    return verdict_on(more.pop("limit", gap()), {"": total(cells), **cells}, **{**BOUNDED, **more})


def total(cells: Any) -> tuple[int, int]:
    return sum(k for k, _ in cells.values()), sum(n for _, n in cells.values())


@given(st.integers(0, 4), st.integers(0, 4), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_the_gap_of_every_assignment_lies_inside_and_the_widest_is_reached(k: int, f: int, a: int, b: int) -> None:
    cells = {"f": (a, 10), "m": (b, 10)}
    found = judged({**cells, None: (k, k + f)} if k + f else cells)
    assert found.comparison is not None
    gaps = [
        (a + ka) / (10 + ka + fa) - (b + kb) / (10 + kb + fb)
        for ka, kb, fa, fb in product(range(k + 1), range(k + 1), range(f + 1), range(f + 1))
        if ka + kb <= k and fa + fb <= f
    ]
    assert all(found.comparison.lower - 1e-12 <= abs(g) <= found.comparison.upper + 1e-12 for g in gaps)
    if k + f:
        ends = [gap_of(Tally(a + k, 10 + k), Tally(b, 10 + f)), gap_of(Tally(a, 10 + f), Tally(b + k, 10 + k)),
                gap_of(Tally(a, 10), Tally(b, 10))]  # fmt: skip
        assert found.comparison.upper == pytest.approx(max(max(abs(e.lower), abs(e.upper)) for e in ends), abs=1e-12)


def gap_of(a: Tally, b: Tally) -> Any:
    return interval(Basis(method="mover_difference", numbers={}, parts=(rate(*a), rate(*b))), 0.95)


def test_a_gap_that_passes_among_the_known_is_open_when_the_unknown_could_make_it_and_the_remedy_is_to_ask() -> None:
    assert judged(KNOWN).verdict is Verdict.PASS
    found = judged({**KNOWN, None: (60, 200)})
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.subject.interval.kind == "range"  # type: ignore[union-attr]
    assert "the bounds hold whoever the 200 rows of unknown group are" in found.message
    assert found.remedy.startswith("find out the group of the 200 rows where it is unknown")
    assert found.comparisons == 1


def test_as_a_group_of_their_own_they_are_compared_like_any_other() -> None:
    found = verdict_on(gap(), {"": (690, 2200), **KNOWN, None: (60, 200)})
    assert found.comparisons == 3
    assert "unknown" not in found.message


def test_few_unknown_rows_take_no_pass_away_and_a_wide_gap_still_fails() -> None:
    assert judged({**KNOWN, None: (2, 5)}).verdict is Verdict.PASS
    assert judged({"f": (300, 1000), "m": (600, 1000), None: (10, 30)}).verdict is Verdict.FAIL


def test_the_smallest_gap_that_could_be_shown_grows_by_what_the_assignment_leaves_open() -> None:
    without, with_unknown = judged(KNOWN), judged({**KNOWN, None: (60, 200)})
    room = min(max((360 / 1060 - 0.3) + (0.33 - 330 / 1140), (390 / 1060 - 0.33) + (0.3 - 300 / 1140)), 1)
    assert with_unknown.smallest_gap == pytest.approx((without.smallest_gap or 0) + room, abs=1e-9)


def test_a_group_can_only_hold_the_unknown_rows_that_fit_it() -> None:
    """Of unknown race and known sex: they cannot belong to a group of the other sex."""
    cells = {("f", "x"): (30, 100), ("m", "x"): (35, 100), ("f", None): (10, 20)}
    made = [
        of_basis("selection_rate", rate(*cell), cell[1], {"sex": sex, "race": race})
        for (sex, race), cell in cells.items()
    ]
    limit = a_limit("selection_rate", by=("sex", "race"), compare="difference", max=0.1)
    found = judge([limit], [a_record(made)], rules(**BOUNDED))[0]
    assert found.comparison is not None
    ends = [gap_of(Tally(35, 100), Tally(*f)) for f in ((30, 110), (40, 110), (30, 100))]
    assert found.comparison.upper == pytest.approx(max(e.upper for e in ends))


@pytest.mark.parametrize("contrast", ["rest", "overall", "reference"])
def test_every_contrast_holds_what_it_held_among_the_known(contrast: str) -> None:
    limit = gap(contrast=contrast)
    alone, wide = judged(KNOWN, limit=limit), judged({**KNOWN, None: (60, 200)}, limit=limit)
    assert alone.comparison is not None
    assert wide.comparison is not None
    assert wide.comparison.upper > alone.comparison.upper + 0.01


def test_a_ratio_is_bounded_too() -> None:
    limit = a_limit("selection_rate", by=("sex",), compare="ratio", min=0.8)
    found = judged({**KNOWN, None: (60, 200)}, limit=limit)
    assert found.comparison is not None
    worst = (300 / 1140) / (390 / 1060)
    assert found.comparison.lower < worst < found.comparison.value
    assert found.smallest_gap is None


def test_the_rate_of_a_single_group_is_bounded_by_whom_it_could_hold() -> None:
    limit = a_limit("selection_rate", by=("sex",), min=0.25)
    assert judged(KNOWN, limit=limit).verdict is Verdict.PASS
    found = judged({**KNOWN, None: (20, 400)}, limit=limit)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.comparison is not None
    assert found.comparison.lower == pytest.approx(interval(rate(300, 1380), 0.95).lower)


def test_what_is_no_plain_rate_keeps_the_group_and_says_so() -> None:
    made = [of_basis("error", mean_from_sums(n, n * m, n * (m * m + 1), 0.0), n, {"sex": s})
            for s, n, m in (("f", 500, 0.1), ("m", 500, 0.2), (None, 60, 0.1))]  # fmt: skip
    found = judge([a_limit("error", by=("sex",), compare="difference", max=1)], [a_record(made)], rules(**BOUNDED))[0]
    assert found.comparisons == 3
    assert "60 rows of unknown group count as a group of their own" in found.message


def test_the_mean_of_two_rates_is_bounded_by_both_at_their_worst() -> None:
    note = MeasureNote(unit="1", better="none", words="mean", check="fairness.rates", of=("accuracy", "recall"),
                       compare="difference", combine="mean")  # fmt: skip
    cells = {"f": (300, 1000), "m": (330, 1000), None: (60, 200)}
    record = a_record([*measurements("accuracy", cells), *measurements("recall", {**cells, None: (30, 100)})])
    limit = a_limit("average_difference", by=("sex",), compare="difference", max=0.1)
    found = judge([limit], [record], rules(measures={**NOTES, "average_difference": note}, **BOUNDED))[0]
    high = average([rate(390, 1060), rate(360, 1030)])
    low = average([rate(300, 1140), rate(300, 1070)])
    assert found.comparison is not None
    assert found.comparison.upper > value(high) - value(low)
    assert found.verdict is Verdict.INCONCLUSIVE
