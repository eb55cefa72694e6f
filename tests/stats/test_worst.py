"""The smallest of several: its interval covers, where that of the one picked does not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from audit.errors import CheckError
from audit.stats import auc, interval, mean, rate, rows, value, worst
from audit.stats.arrays import stack
from audit.stats.bases import estimates

SIZES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=8)


@given(SIZES)
def test_the_lower_bound_is_the_smallest_of_all_and_needs_no_correction(sizes: list[tuple[int, int]]) -> None:
    parts = [rate(min(k, n), n) for k, n in sizes]
    found = interval(worst(parts), 0.95)
    assert found.lower == pytest.approx(min(interval(part, 0.95).lower for part in parts), abs=1e-12)
    assert value(worst(parts)) == pytest.approx(min(value(part) for part in parts), abs=1e-12)
    assert found.lower <= value(worst(parts)) <= found.upper


@given(SIZES)
def test_the_upper_bound_is_the_smallest_of_exact_bounds_that_hold_together(sizes: list[tuple[int, int]]) -> None:
    parts = [(min(k, n), n) for k, n in sizes]
    tail = (1 - 0.95 ** (1 / len(parts))) / 2
    score = [interval(rate(k, n), 1 - 2 * tail).upper for k, n in parts]
    exact = [beta.ppf(1 - tail, k + 1, n - k) if k < n else 1.0 for k, n in parts]
    expected = min(max(pair) for pair in zip(score, exact, strict=True))
    assert interval(worst([rate(*pair) for pair in parts]), 0.95).upper == pytest.approx(expected, abs=1e-9)


@given(SIZES, st.integers(1, 5))
def test_another_class_never_raises_the_bounds_below_and_more_of_the_same_only_widen(
    sizes: list[tuple[int, int]], copies: int
) -> None:
    parts = [rate(min(k, n), n) for k, n in sizes]
    once, more = interval(worst(parts), 0.95), interval(worst(parts * (copies + 1)), 0.95)
    assert more.lower == pytest.approx(once.lower, abs=1e-12)
    assert more.upper >= once.upper - 1e-12


def test_parts_of_any_kind_may_stand_together() -> None:
    rng = np.random.default_rng(1)
    mixed = [rate(30, 40), auc(rng.random(80), rng.random(80) < 0.5), mean(rng.random(40))]
    assert interval(worst(mixed), 0.9).lower == min(interval(part, 0.9).lower for part in mixed)
    assert rows(worst(mixed[:1])) == 40
    levels = [interval(worst(mixed), level) for level in (0.5, 0.9, 0.99)]
    assert all(a.lower > b.lower and a.upper < b.upper for a, b in pairwise(levels))


def test_nothing_has_no_smallest() -> None:
    with pytest.raises(CheckError, match="at least one part"):
        worst([])


def missed(recalls: list[float], sizes: list[int], runs: int, seed: int) -> tuple[float, float, float]:
    """(share of runs with the truth below the interval, above it, and outside that of the class picked)."""
    rng = np.random.default_rng(seed)
    truth, hits = min(recalls), rng.binomial(sizes, recalls, size=(runs, len(sizes)))
    bases = [worst([rate(int(k), n) for k, n in zip(row, sizes, strict=True)]) for row in hits]
    found = estimates(stack(bases), 0.025)
    picked = (hits / np.array(sizes)).argmin(axis=1)
    alone = [rate(int(hits[i, k]), sizes[k]) for i, k in enumerate(picked.tolist())]
    naive = estimates(stack(alone), 0.025)
    outside = (naive.lower > truth) | (naive.upper < truth)
    return float((found.lower > truth).mean()), float((found.upper < truth).mean()), float(outside.mean())


@pytest.mark.parametrize(("recalls", "sizes"), [([0.8] * 10, [80] * 10), ([0.6, 0.9, 0.9], [40, 200, 200])])
def test_a_limit_that_passes_is_rarely_missed_and_one_that_fails_is_rarely_met(
    recalls: list[float], sizes: list[int]
) -> None:
    below, above, _ = missed(recalls, sizes, 2000, 1)
    assert below <= 0.025 + 3 * (0.025 * 0.975 / 2000) ** 0.5
    assert above <= 0.025 + 3 * (0.025 * 0.975 / 2000) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("classes", [2, 5, 20])
@pytest.mark.parametrize("recall", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("spread", [0.0, 0.03])
def test_the_interval_covers_over_the_grid_where_that_of_the_class_picked_does_not(
    n: int, classes: int, recall: float, spread: float
) -> None:
    recalls = (recall + spread * np.arange(classes) / classes).tolist()
    below, above, naive = missed(recalls, [n] * classes, 4000, 7)
    wilson = 0.044  # the most that Wilson's one-sided bound misses at 20 rows and these rates, exactly
    assert below <= wilson + 3 * (wilson / 4000) ** 0.5
    assert above <= 0.0255 + 3 * (0.0255 / 4000) ** 0.5
    if spread == 0 and classes == 20:
        assert naive > 0.2


def test_the_interval_of_the_class_picked_does_not_cover() -> None:
    """Why the smallest needs a method of its own."""
    _, _, naive = missed([0.8] * 20, [50] * 20, 1000, 2)
    assert naive > 0.25
