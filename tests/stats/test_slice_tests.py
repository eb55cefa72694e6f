"""Slices of rows with weights and of rows in clusters: what chance makes is not named, what was planted is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, ttest_1samp

from audit.errors import CheckError
from audit.stats import find_slices, interval, selected, value, weighted_rate
from audit.stats.slice_tests import Rows, clustered_tail, effective_tail

N = 1000


def columns(rng: np.random.Generator, n: int = N) -> list[NDArray[np.int64]]:
    return [rng.integers(0, 4, n) for _ in range(5)]


def sums(weight: NDArray[np.float64], wrong: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    both = (weight, weight**2, weight * wrong, weight**2 * wrong)
    return [np.array([one.sum()]) for one in both]


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0.01, 0.9), st.floats(0.1, 9))
def test_equal_weights_give_the_binomial_tail_whatever_they_are(n: int, k: int, p: float, weight: float) -> None:
    wrong = np.arange(n) < min(k, n)
    tail = effective_tail(*sums(np.full(n, weight), wrong), np.array([p]))[0]
    expected = binom.sf(wrong.sum() - 1, n, p) if wrong.mean() > p else 1.0
    assert tail == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_rows_without_weight_and_rates_below_the_expected_have_1() -> None:
    wrong = np.arange(40) < 10
    assert effective_tail(*sums(np.zeros(40), wrong), np.array([0.1]))[0] == 1
    assert effective_tail(*sums(np.ones(40), wrong), np.array([0.3]))[0] == 1


def test_clusters_of_one_row_against_known_chances_are_students_t_test_with_the_slices_own_rows() -> None:
    rng = np.random.default_rng(0)
    wrong = rng.random(60) < 0.4
    inside = np.ones(60, dtype=bool)
    rows = Rows(wrong=wrong, chance=np.full(60, 0.2), cluster=np.arange(60, dtype=np.int32))
    expected = ttest_1samp(wrong - 0.2, 0, alternative="greater").pvalue
    assert clustered_tail(inside, inside, rows) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_a_slice_that_lies_in_one_cluster_is_never_named(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 20, 400).astype(np.int32)
    wrong = np.asarray((cluster == 3) | (rng.random(400) < 0.1))
    assert clustered_tail(cluster == 3, np.ones(400, dtype=bool), Rows(wrong=wrong, cluster=cluster)) == 1


def test_weights_that_differ_widely_name_a_slice_in_at_most_5_percent_of_noise() -> None:
    rng, named = np.random.default_rng(1), 0
    for _ in range(200):
        chance = rng.choice([0.05, 0.2, 0.6])
        found = find_slices(columns(rng), [4] * 5, rng.random(N) < chance, weight=rng.lognormal(size=N))
        named += bool(found.found)
    assert named <= 13  # 10 expected at 5 %, plus one standard error


@pytest.mark.parametrize("level", ["row", "cluster"])
def test_clusters_that_err_alike_name_a_slice_in_at_most_5_percent_and_rows_taken_alone_in_more(level: str) -> None:
    rng, named, naive = np.random.default_rng(2), 0, 0
    for _ in range(60):
        cluster = np.sort(rng.integers(0, 60, N)).astype(np.int32)
        wrong = rng.random(N) < rng.beta(0.4, 1.6, 60)[cluster]
        made = columns(rng, 60) if level == "cluster" else columns(rng)
        made = [codes[cluster] for codes in made] if level == "cluster" else made
        named += bool(find_slices(made, [4] * 5, wrong, cluster=cluster).found)
        naive += bool(find_slices(made, [4] * 5, wrong).found)
    assert named <= 4
    assert level == "row" or naive > 30


@pytest.mark.parametrize("kind", ["weight", "cluster", "both"])
def test_a_planted_slice_is_found_whatever_way_rows_were_drawn(kind: str) -> None:
    rng = np.random.default_rng(3)
    n = 8000
    made = columns(rng, n)
    cluster = (np.arange(n) // 10).astype(np.int32)
    wrong = rng.random(n) < np.where((made[1] == 2) & (made[3] == 0), 0.35, 0.1)
    weight = rng.lognormal(0, 0.5, n)
    found = find_slices(
        made,
        [4] * 5,
        wrong,
        weight=None if kind == "cluster" else weight,
        cluster=None if kind == "weight" else cluster,
    ).found
    assert [one.rule for one in found] == [((1, 2), (3, 0))]
    if kind == "weight":
        inside = (made[1] == 2) & (made[3] == 0)
        assert value(found[0].rate) == pytest.approx(weight[inside] @ wrong[inside] / weight[inside].sum())


def test_errors_that_the_scores_predict_are_no_slice_of_weighted_or_clustered_rows() -> None:
    rng = np.random.default_rng(5)
    made, weight = columns(rng, 6000), rng.lognormal(0, 0.5, 6000)
    cluster = rng.integers(0, 600, 6000).astype(np.int32)
    chance = np.where(made[0] == 1, 0.4, 0.05)
    hidden = np.where(made[2] == 0, np.minimum(chance + 0.2, 1), chance)
    for how in ({"weight": weight}, {"cluster": cluster}):
        honest = find_slices(made, [4] * 5, rng.random(6000) < chance, chance=chance, **how)  # type: ignore[arg-type]
        assert not honest.found
        found = find_slices(made, [4] * 5, rng.random(6000) < hidden, chance=chance, **how)  # type: ignore[arg-type]
        assert ((2, 0),) in [one.rule for one in found.found]


def test_the_interval_of_a_picked_weighted_rate_is_bonferronis_and_bad_weights_are_refused() -> None:
    rng = np.random.default_rng(6)
    plain = weighted_rate(rng.random(200) < 0.3, rng.lognormal(size=200))
    ours, alone = interval(selected(plain, 40), 0.95), interval(plain, 1 - 0.05 / 40)
    assert (ours.lower, ours.upper) == pytest.approx((alone.lower, alone.upper), abs=1e-12)
    with pytest.raises(CheckError, match="at least 1"):
        selected(plain, 0)
    with pytest.raises(CheckError, match="at least 0"):
        find_slices([np.zeros(50, dtype=int)], [1], np.zeros(50, dtype=bool), weight=np.full(50, -1.0))
