"""Any measure of two models on the same rows: oracles, coverage, and no certainty where nothing differs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binomtest

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats import (
    auc,
    average,
    interval,
    least,
    mcnemar,
    paired_auc,
    paired_difference,
    paired_predictive_value,
    paired_root_mean,
    rate,
    value,
)
from audit.stats.bases import rows, scaled
from tests.stats.coverage import coverage

Z = 1.959963985


def delong_variance(first: np.ndarray, second: np.ndarray, truth: np.ndarray) -> float:
    """DeLong's variance of the difference of two areas, pair by pair, from the definition."""

    def kernel(s: np.ndarray) -> np.ndarray:
        up, down = s[truth][:, None], s[~truth][None, :]
        return np.asarray((up > down) + 0.5 * (up == down))

    psi = kernel(first) - kernel(second)
    by_positive, by_negative = psi.mean(axis=1), psi.mean(axis=0)
    return float(by_positive.var() / by_positive.size + by_negative.var() / by_negative.size)


def two_scores(rng: np.random.Generator, n: int, areas: tuple[float, float], rho: float) -> tuple[np.ndarray, ...]:
    truth = np.arange(n) < n // 3
    shared = rng.normal(size=n)
    scores = [
        np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.normal(size=n) + ndtri(area) * np.sqrt(2) * truth
        for area in areas
    ]
    return scores[0], scores[1], truth


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 0.95]), st.booleans())
def test_the_areas_differ_with_delongs_variance_counted_pair_by_pair(seed: int, rho: float, ties: bool) -> None:
    first, second, truth = two_scores(np.random.default_rng(seed), 240, (0.8, 0.75), rho)
    if ties:
        first, second = first.round(), second.round()
    gap = paired_auc(first, second, truth)
    assert value(gap) == pytest.approx(value(auc(first, truth)) - value(auc(second, truth)), abs=1e-12)
    alone = [delong_variance(s, np.zeros_like(s), truth) for s in (first, second)]
    assert gap.numbers["saved"] ** 2 == pytest.approx(delong_variance(first, second, truth) / sum(alone), rel=1e-9)
    found = interval(gap, 0.95)
    assert found.half_width == pytest.approx(Z * np.sqrt(delong_variance(first, second, truth)), rel=0.15)


@pytest.mark.parametrize("n", [60, 300])
@pytest.mark.parametrize("rho", [0.0, 0.9, 0.99])
@pytest.mark.parametrize("areas", [(0.75, 0.75), (0.9, 0.85)])
def test_differences_of_areas_cover_95_percent(n: int, rho: float, areas: tuple[float, float]) -> None:
    share = coverage(lambda rng: paired_auc(*two_scores(rng, n, areas, rho)), areas[0] - areas[1], 300)
    assert share >= 0.92


@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize("chances", [(0.9, 0.05, 0.05), (0.5, 0.3, 0.2), (0.05, 0.5, 0.45)])
@pytest.mark.parametrize("true", [(0.9, 0.5, 0.5), (0.97, 0.9, 0.6), (0.6, 0.6, 0.6)])
def test_differences_of_predictive_values_cover_95_percent(
    n: int, chances: tuple[float, ...], true: tuple[float, ...]
) -> None:
    """``chances`` of both, of the first alone, of the second alone; ``true`` the share of true rows in each."""
    weight, p = np.array(chances), np.array(true)
    shares = [float(w @ p / w.sum()) for w in (weight * [1, 1, 0], weight * [1, 0, 1])]

    def draw(rng: np.random.Generator) -> Basis:
        kind = rng.choice(3, n, p=weight)
        return paired_predictive_value(rng.random(n) < p[kind], kind < 2, kind != 1)

    assert coverage(draw, shares[0] - shares[1], 400) >= 0.93


def test_a_predictive_value_is_that_of_each_model_and_its_rows_are_those_that_either_selects() -> None:
    truth = np.array([1, 1, 0, 1, 0, 0], dtype=bool)
    first, second = np.array([1, 1, 1, 1, 0, 0], dtype=bool), np.array([0, 1, 0, 1, 1, 1], dtype=bool)
    gap = paired_predictive_value(truth, first, second)
    assert value(gap) == pytest.approx(3 / 4 - 2 / 4)
    assert rows(gap) == 6
    with pytest.raises(Unavailable, match="second model decides no row so"):
        paired_predictive_value(truth, first, ~first & first)


@given(st.integers(12, 400), st.integers(0, 400))
def test_models_that_agree_on_every_row_are_not_shown_to_be_the_same_for_ever(n: int, hits: int) -> None:
    truth = np.arange(n) < min(hits, n)
    everyone = np.ones(n, dtype=bool)
    found = interval(paired_predictive_value(truth, everyone, everyone), 0.95)
    tango = interval(paired_difference(n, 0, 0, 0), 0.95)
    assert found.upper > 0.5 * tango.upper
    assert found.lower == pytest.approx(-found.upper)
    assert interval(paired_predictive_value(truth, everyone, everyone), 0.99).upper > found.upper


def test_equal_scores_and_equal_errors_leave_a_width_as_well() -> None:
    score, truth = np.linspace(0, 1, 200), np.arange(200) % 3 == 0
    assert interval(paired_auc(score, score, truth), 0.95).upper > 0.001
    assert interval(paired_root_mean(score, score), 0.95).upper > 0.001


def test_what_differs_on_few_rows_is_told_far_more_closely_than_by_two_reports() -> None:
    rng = np.random.default_rng(2)
    first, second, truth = two_scores(rng, 600, (0.85, 0.85), 0.98)
    apart = Basis(method="mover_difference", numbers={}, parts=(auc(first, truth), auc(second, truth)))
    paired = interval(paired_auc(first, second, truth), 0.95)
    assert paired.half_width < 0.3 * interval(apart, 0.95).half_width


def test_weights_of_one_and_clusters_of_one_row_change_next_to_nothing() -> None:
    rng = np.random.default_rng(5)
    first, second, truth = two_scores(rng, 300, (0.8, 0.7), 0.6)
    plain = interval(paired_auc(first, second, truth), 0.95)
    ones, single = np.ones(300), np.arange(300, dtype=np.int32)
    for more in ((ones, None), (ones, single)):
        found = interval(paired_auc(first, second, truth, *more), 0.95)
        assert (found.lower, found.upper) == pytest.approx((plain.lower, plain.upper), abs=0.003)


def test_weights_of_one_change_no_predictive_value_or_root_either() -> None:
    rng = np.random.default_rng(8)
    truth, first, second = rng.random((3, 300)) < 0.6
    either = first | second
    selected = truth[either], first[either], second[either]
    ones, single = np.ones(int(either.sum())), np.arange(int(either.sum()), dtype=np.int32)
    squares = rng.random(300) ** 2, rng.random(300) ** 2
    for plain, weighted in (
        (paired_predictive_value(*selected), paired_predictive_value(*selected, ones)),
        (paired_predictive_value(*selected), paired_predictive_value(*selected, None, single)),
        (paired_root_mean(*squares), paired_root_mean(*squares, np.ones(300))),
    ):
        one, other = (interval(basis, 0.95) for basis in (plain, weighted))
        assert value(weighted) == pytest.approx(value(plain))
        assert (other.lower, other.upper) == pytest.approx((one.lower, one.upper), abs=0.004)


@pytest.mark.parametrize("n", [40, 400])
def test_rates_and_areas_are_kept_as_plain_numbers_and_mean_what_their_parts_would(n: int) -> None:
    first, second, truth = two_scores(np.random.default_rng(n), n, (0.85, 0.75), 0.7)
    chosen = first > 0.5, second > 0.5
    either = chosen[0] | chosen[1]
    for flat, parts in (
        (paired_auc(first, second, truth), [auc(first, truth), auc(second, truth)]),
        (
            paired_predictive_value(truth[either], chosen[0][either], chosen[1][either]),
            [rate(int(truth[c].sum()), int(c.sum())) for c in chosen],
        ),
    ):
        assert flat.parts == ()
        shared = {name: flat.numbers[name] for name in ("n", "units", "saved", "step", "most")}
        whole = Basis(method="paired_mover", numbers=shared, parts=tuple(parts))
        for level in (0.8, 0.95, 0.999):
            one, other = interval(flat, level), interval(whole, level)
            assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), abs=1e-12)


def test_rows_that_come_twice_in_a_cluster_count_once() -> None:
    rng = np.random.default_rng(6)
    first, second, truth = two_scores(rng, 200, (0.8, 0.7), 0.5)
    cluster = np.arange(200, dtype=np.int32)
    once = interval(paired_auc(first, second, truth, None, cluster), 0.95)
    double = [np.concatenate([x, x]) for x in (first, second, truth, cluster)]
    twice = interval(paired_auc(double[0], double[1], double[2], None, double[3]), 0.95)
    assert (twice.lower, twice.upper) == pytest.approx((once.lower, once.upper), abs=1e-9)


def test_a_root_mean_square_differs_by_its_two_values_and_covers() -> None:
    def draw(rng: np.random.Generator) -> Basis:
        errors = rng.normal(size=(2, 120)) + rng.normal(size=120)
        return paired_root_mean(errors[0] ** 2, (1.2 * errors[1]) ** 2)

    assert coverage(draw, -0.2 * np.sqrt(2), 400) >= 0.92
    gap = paired_root_mean(np.array([1.0, 4, 9, 0]), np.array([1.0, 1, 9, 1]))
    assert value(gap) == pytest.approx(np.sqrt(14 / 4) - np.sqrt(3))


def test_ten_times_the_rows_narrow_it_as_ten_times_the_rows_would() -> None:
    rng = np.random.default_rng(9)
    first, second, truth = two_scores(rng, 300, (0.8, 0.7), 0.9)
    many = [np.tile(x, 10) for x in (first, second, truth)]
    grown, real = (interval(gap, 0.95).half_width for gap in (
        scaled(paired_auc(first, second, truth), 10), paired_auc(many[0], many[1], many[2])))  # fmt: skip
    assert grown == pytest.approx(real, rel=0.02)


def test_rows_in_another_number_are_refused() -> None:
    from audit.stats import paired_measure

    with pytest.raises(CheckError, match="same order"):
        paired_measure(rate(1, 2), rate(1, 3), (np.zeros(2), np.zeros(3)))


def test_the_smallest_of_several_rests_on_intervals_that_hold_together() -> None:
    parts = [paired_difference(50, 3, 9, 38), paired_difference(60, 5, 5, 30)]
    found = interval(least(parts), 0.95)
    each = [interval(part, float(np.sqrt(0.95))) for part in parts]
    assert value(least(parts)) == pytest.approx(-0.06)
    assert found.lower == pytest.approx(min(i.lower for i in each))
    assert found.upper == pytest.approx(min(i.upper for i in each))
    with pytest.raises(CheckError, match="at least one part"):
        least([])


def test_the_smallest_of_equal_changes_is_covered_although_it_was_picked() -> None:
    def draw(rng: np.random.Generator) -> Basis:
        counts = rng.multinomial(80, [0.8, 0.05, 0.05, 0.1], size=6)
        return least([paired_difference(*row) for row in counts])

    assert coverage(draw, 0.0, 600) >= 0.94


def test_a_mean_of_changes_has_the_interval_of_independent_parts() -> None:
    parts = [paired_difference(50, 3, 9, 38), paired_difference(60, 5, 5, 30)]
    assert value(average(parts)) == pytest.approx(-0.03)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (3, 9), (20, 1)])
def test_mcnemar_is_the_exact_binomial_test(one: int, other: int) -> None:
    expected = binomtest(one, one + other).pvalue if one + other else 1.0
    assert mcnemar(one, other) == pytest.approx(expected)
