from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CheckError, Unavailable
from audit.stats import (
    Tally,
    difference,
    interval,
    labels_to_flip,
    missing_label_bounds,
    rate,
    sensitivity_curve,
    wrong_label_bounds,
)


def tallies(most: int, least: int = 0) -> st.SearchStrategy[Tally]:
    return st.integers(least, most).flatmap(lambda n: st.builds(Tally, st.integers(0, n), st.just(n)))


def gap(a: tuple[int, int], b: tuple[int, int]) -> float:
    return a[0] / a[1] - b[0] / b[1]


@settings(max_examples=60)
@given(tallies(5, 1), tallies(5, 1), tallies(5))
def test_missing_labels_reach_both_bounds_and_no_assignment_goes_beyond(a: Tally, b: Tally, missing: Tally) -> None:
    gaps = []
    for s_a, s_b, f_a, f_b in product(
        range(missing.k + 1), range(missing.k + 1), *[range(missing.n - missing.k + 1)] * 2
    ):
        if s_a + s_b <= missing.k and f_a + f_b <= missing.n - missing.k:
            gaps.append(gap((a.k + s_a, a.n + s_a + f_a), (b.k + s_b, b.n + s_b + f_b)))
    found = missing_label_bounds(a, b, missing)
    assert (found.lower, found.upper) == pytest.approx((min(gaps), max(gaps)), abs=1e-12)


@settings(max_examples=60)
@given(tallies(6, 1), tallies(6, 1), st.integers(0, 12))
def test_wrong_labels_reach_both_bounds_and_no_relabelling_goes_beyond(a: Tally, b: Tally, wrong: int) -> None:
    gaps = []
    ranges = [range(size + 1) for size in (a.k, a.n - a.k, b.k, b.n - b.k)]
    for s_ab, f_ab, s_ba, f_ba in product(*ranges):
        n_a, n_b = a.n - s_ab - f_ab + s_ba + f_ba, b.n + s_ab + f_ab - s_ba - f_ba
        if s_ab + f_ab + s_ba + f_ba <= wrong and n_a and n_b:
            gaps.append(gap((a.k - s_ab + s_ba, n_a), (b.k + s_ab - s_ba, n_b)))
    found = wrong_label_bounds(a, b, wrong)
    assert (found.lower, found.upper) == pytest.approx((min(gaps), max(gaps)), abs=1e-12)


def test_no_missing_label_is_the_plain_interval() -> None:
    a, b = Tally(30, 100), Tally(50, 110)
    plain = interval(difference(rate(*a), rate(*b)), 0.95)
    for found in (missing_label_bounds(a, b, Tally(0, 0)), wrong_label_bounds(a, b, 0)):
        assert found.lower == found.upper == pytest.approx(gap(a, b))
        assert (found.interval.lower, found.interval.upper) == (plain.lower, plain.upper)
        assert found.interval.kind == "range"


@settings(max_examples=25)
@given(tallies(60, 5), tallies(60, 5))
def test_more_wrong_labels_leave_more_open(a: Tally, b: Tally) -> None:
    curve = sensitivity_curve(a, b, [0, 0.02, 0.1, 0.5])
    assert all(x.lower >= y.lower - 1e-12 and x.upper <= y.upper + 1e-12 for x, y in pairwise(curve))


@pytest.mark.parametrize(
    ("a", "b"),
    [(Tally(300, 1000), Tally(305, 1000)), (Tally(600, 1000), Tally(300, 900)), (Tally(300, 900), Tally(600, 1000))],
)
def test_one_label_fewer_than_the_number_to_flip_leaves_the_verdict(a: Tally, b: Tally) -> None:
    flip = labels_to_flip(a, b, 0.1)
    assert flip is not None
    passed = abs(gap(a, b)) < 0.1
    for wrong, turned in ((flip - 1, False), (flip, True)):
        found = wrong_label_bounds(a, b, wrong).interval
        if passed:
            assert (found.lower < -0.1 or found.upper > 0.1) == turned
    assert 0 < flip < 250
    assert labels_to_flip(b, a, 0.1) == flip


def test_a_verdict_that_is_open_has_nothing_to_flip() -> None:
    assert labels_to_flip(Tally(5, 20), Tally(9, 20), 0.1) is None


def test_groups_of_thousands_of_failures_are_relabelled_without_emptying_one() -> None:
    found = wrong_label_bounds(Tally(0, 5000), Tally(0, 20_000), 25_000)
    assert (found.lower, found.upper) == (0, 0)
    assert wrong_label_bounds(Tally(0, 5000), Tally(20_000, 20_000), 25_000).upper == 1


def test_impossible_tallies_and_groups_without_known_rows_are_refused() -> None:
    with pytest.raises(CheckError, match="0 <= k <= n"):
        wrong_label_bounds(Tally(3, 2), Tally(1, 2), 0)
    with pytest.raises(Unavailable, match="known rows"):
        missing_label_bounds(Tally(0, 0), Tally(1, 2), Tally(1, 2))
    with pytest.raises(Unavailable, match="without rows"):
        wrong_label_bounds(Tally(0, 0), Tally(1, 2), 1)
