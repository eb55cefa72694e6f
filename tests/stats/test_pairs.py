import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlog1py, xlogy
from scipy.stats import binom

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import auc, complement, difference, f1, interval, mean, rate, ratio, root_mean, value
from audit.stats.bases import evaluate
from audit.stats.mover import difference_limits as newcombe
from audit.stats.proportions import wilson_limits
from audit.stats.score_tests import difference_limits, gap_limits, ratio_limits

Z = 1.959963984540054
counts = st.integers(1, 90).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_the_published_difference_56_of_70_and_48_of_80_is_reproduced() -> None:
    shown = interval(difference(rate(56, 70), rate(48, 80)), 0.95)
    assert (shown.lower, shown.upper) == pytest.approx((0.0528, 0.3382), abs=5e-5)


@pytest.mark.parametrize(
    ("a", "b", "published"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_1998_method_10_is_reproduced(
    a: tuple[int, int], b: tuple[int, int], published: tuple[float, float]
) -> None:
    found = newcombe(*(evaluate([rate(*count)], 0.025) for count in (a, b)))
    assert (found.lower[0], found.upper[0]) == pytest.approx(published, abs=6e-5)


def statistic(a: tuple[int, int], b: tuple[int, int], gap: float, *, as_ratio: bool) -> float:
    """The score statistic with the constrained maximum found by search instead of by formula."""
    (k1, n1), (k2, n2) = a, b
    low, high = (0.0, min(1.0, 1 / gap)) if as_ratio else (max(0.0, -gap), min(1.0, 1 - gap))

    def unlikeliness(p2: float) -> float:
        p1 = min(max(gap * p2 if as_ratio else p2 + gap, 0.0), 1.0)
        return -float(xlogy(k1, p1) + xlog1py(n1 - k1, -p1) + xlogy(k2, p2) + xlog1py(n2 - k2, -p2))

    p2 = minimize_scalar(unlikeliness, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    p1, weight = (gap * p2, gap) if as_ratio else (p2 + gap, 1.0)
    spread = (p1 * (1 - p1) / n1 + weight**2 * p2 * (1 - p2) / n2) * (n1 + n2) / (n1 + n2 - 1)
    miss = k1 / n1 - gap * k2 / n2 if as_ratio else k1 / n1 - k2 / n2 - gap
    return abs(miss) / spread**0.5 - Z


@settings(max_examples=40, deadline=None)
@given(counts, counts)
def test_difference_limits_equal_a_brute_force_search_of_the_constrained_likelihood(
    a: tuple[int, int], b: tuple[int, int]
) -> None:
    k1, n1, k2, n2 = np.array([*a, *b], dtype=float)[:, None]
    found = difference_limits(k1, n1, k2, n2, Z)
    for limit, end in ((found.lower[0], -1.0), (found.upper[0], 1.0)):
        if abs(limit - end) > 1e-6:
            edge = brentq(lambda gap: statistic(a, b, gap, as_ratio=False), limit - 1e-3, limit + 1e-3)
            assert limit == pytest.approx(edge, abs=1e-6)


@pytest.mark.parametrize(("a", "b"), [((8, 153), (88, 88)), ((10, 60), (20, 70)), ((3, 9), (30, 50)), ((5, 5), (7, 9))])
def test_ratio_limits_equal_a_brute_force_search_of_the_constrained_likelihood(
    a: tuple[int, int], b: tuple[int, int]
) -> None:
    k1, n1, k2, n2 = np.array([*a, *b], dtype=float)[:, None]
    found = ratio_limits(k1, n1, k2, n2, Z)
    for limit in (found.lower[0], found.upper[0]):
        edge = brentq(lambda gap: statistic(a, b, gap, as_ratio=True), limit * 0.99, limit * 1.01)
        assert limit == pytest.approx(edge, rel=1e-6)


@given(counts, counts)
def test_swapping_the_groups_negates_a_difference_and_leaves_a_ratio(a: tuple[int, int], b: tuple[int, int]) -> None:
    first, second = rate(*a), rate(*b)
    there, back = interval(difference(first, second), 0.9), interval(difference(second, first), 0.9)
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower), abs=1e-9)
    if a[0] + b[0] > 0:
        there, back = interval(ratio(first, second), 0.9), interval(ratio(second, first), 0.9)
        assert (there.lower, there.upper) == pytest.approx((back.lower, back.upper), abs=1e-7)
        assert 0 <= there.lower <= value(ratio(first, second)) <= there.upper <= 1


def grid_coverage(kind: str, n: int, m: int, p: float, q: float) -> float:
    i, j = (side.ravel().astype(float) for side in np.meshgrid(np.arange(n + 1), np.arange(m + 1), indexing="ij"))
    weight = binom.pmf(i, n, p) * binom.pmf(j, m, q)
    keep = weight > 1e-7
    i, j, weight = i[keep], j[keep], weight[keep]
    sizes = np.full_like(i, n), np.full_like(j, m)
    if kind != "ratio":
        limits = difference_limits if kind == "score" else gap_limits
        _, lower, upper = limits(i, sizes[0], j, sizes[1], Z)
        return float(weight[(lower <= p - q) & (p - q <= upper)].sum() / weight.sum())
    some = j > 0
    _, lower, upper = ratio_limits(i[some], sizes[0][some], j[some], sizes[1][some], Z)
    held = (lower <= p / q) & (p / q <= upper)
    # 0 successes below the line bound the ratio from below only: count it as held where the numerator allows it
    return float((weight[some][held].sum() + weight[~some].sum()) / weight.sum())


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_gaps_and_ratios_of_rates_cover_at_least_94_percent_from_20_rows(kind: str) -> None:
    sizes, rates = [(20, 20), (20, 100), (50, 50)], [(0.05, 0.05), (0.1, 0.3), (0.5, 0.5), (0.8, 0.6)]
    shares = [grid_coverage(kind, *size, *pair) for size in sizes for pair in rates]
    assert min(shares) >= 0.94
    assert np.mean(shares) <= 0.97


def test_of_rare_outcomes_the_score_test_alone_is_too_short_and_the_gap_is_not() -> None:
    """Exact: 1 of 20 beside 0 of 100 rejects no gap (z = 2.24), and has a chance of 3.6 % at rates of 0.02."""
    cells = [(20, 100, 0.02, 0.02), (50, 200, 0.02, 0.02), (100, 1000, 0.02, 0.02), (20, 1000, 0.02, 0.02)]
    assert grid_coverage("score", *cells[0]) == pytest.approx(0.9364, abs=1e-4)
    assert min(grid_coverage("difference", *cell) for cell in cells) >= 0.94


@given(st.integers(20, 400), st.integers(20, 400), st.data())
def test_newcombes_interval_stands_where_less_than_half_a_row_is_expected_and_nowhere_else(
    n: int, m: int, drawn: st.DataObject
) -> None:
    k, j = drawn.draw(st.integers(0, n)), drawn.draw(st.integers(0, m))
    table = tuple(np.array([float(number)]) for number in (k, n, j, m))
    rarer = min(k + j, n + m - k - j) / (n + m)
    sparse = newcombe(wilson_limits(*table[:2], Z), wilson_limits(*table[2:], Z))
    expected = sparse if min(n, m) * rarer < 0.5 else difference_limits(*table, Z)
    assert gap_limits(*table, Z) == expected


def test_the_ratio_of_two_zeros_is_undefined_and_of_a_negative_mean_not_applicable() -> None:
    with pytest.raises(Unavailable) as zero:
        ratio(rate(0, 9), rate(0, 5))
    with pytest.raises(Unavailable) as negative:
        ratio(mean(np.array([-1.0, -2.0])), rate(1, 5))
    assert (zero.value.reason, negative.value.reason) == ("undefined", "not_applicable")


@pytest.mark.parametrize("make", [mean, root_mean])
def test_the_rest_of_a_mean_equals_the_mean_of_the_rest(make: object) -> None:
    values = np.random.default_rng(3).gamma(2.0, size=400) + 1e3
    rest = complement(mean(values), mean(values[:150]))
    assert dict(rest.numbers) == pytest.approx(dict(mean(values[150:]).numbers), rel=1e-6)


def test_the_rest_of_counts_is_their_difference_and_ranks_have_none() -> None:
    assert complement(rate(10, 40), rate(4, 15)) == rate(6, 25)
    assert complement(f1(9, 5, 4), f1(2, 1, 4)) == f1(7, 4, 0)
    area = auc(np.arange(6.0), np.array([0, 0, 1, 0, 1, 1]))
    for total, part, reason in ((area, area, "not_applicable"), (rate(1, 4), rate(1, 4), "undefined")):
        with pytest.raises(Unavailable) as refusal:
            complement(total, part)
        assert refusal.value.reason == reason


def test_a_ratio_whose_interval_holds_one_ends_at_one() -> None:
    cases: list[Basis] = [ratio(rate(20, 40), rate(21, 40)), ratio(rate(0, 3), rate(1, 3))]
    assert [interval(case, 0.95).upper for case in cases] == [1.0, 1.0]
