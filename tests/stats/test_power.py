import numpy as np
import pytest

from audit.stats import (
    clustered_mean,
    difference,
    exact,
    interval,
    mean,
    rate,
    rows_for_bound,
    smallest_distance,
    smallest_gap,
    value,
)


def test_rows_for_a_bound_are_the_first_that_clear_it() -> None:
    for basis, bound in ((rate(13, 100), 0.1), (rate(30, 100), 0.1), (mean(np.arange(30.0)), 15.0)):
        n = rows_for_bound(basis, bound, 0.95)
        share = value(basis)
        if n is not None and basis.method == "wilson":
            assert (
                interval(rate(share * n, n), 0.95).lower
                > bound
                >= interval(rate(share * (n - 1), n - 1), 0.95).lower - 1e-4
            )
    assert rows_for_bound(rate(10, 100), 0.1, 0.95) is None


def test_the_smallest_gap_is_found_in_80_percent_of_samples() -> None:
    gap = smallest_gap([rate(90, 300), rate(300, 1000), rate(2, 9)], "difference", 0.95)
    rng = np.random.default_rng(4)
    low, high = 0.3 - gap * 300 / 1300, 0.3 + gap * 1000 / 1300
    shown = []
    for _ in range(800):
        found = difference(rate(rng.binomial(300, high), 300), rate(rng.binomial(1000, low), 1000))
        shown.append(interval(found, 0.95).lower > 0)
    assert np.mean(shown) == pytest.approx(0.8, abs=0.05)
    assert smallest_gap([rate(50, 100), rate(50, 100)], "ratio", 0.95) == pytest.approx(
        np.exp(-2.8016 * 0.02**0.5), abs=1e-4
    )


def test_rows_are_found_for_clusters_of_rare_values_as_well() -> None:
    """A search that goes below two clusters asks for an interval that there is not."""
    basis = clustered_mean(np.eye(1, 117)[0], np.arange(117) // 2)
    needed = rows_for_bound(basis, -0.25, 0.95)
    assert needed is not None
    assert 2 <= needed < 117


def test_the_smallest_distance_is_found_in_80_percent_of_samples() -> None:
    rng = np.random.default_rng(4)
    distance = smallest_distance(rate(200, 600), 0.3, 0.95)
    assert distance is not None
    shown = [interval(rate(rng.binomial(600, 0.3 + distance), 600), 0.95).lower > 0.3 for _ in range(2000)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.04)
    far = smallest_distance(mean(rng.normal(5, 2, 400)), 4.0, 0.95)
    assert far == pytest.approx(2.8016 * 2 / 20, rel=0.1)


def test_the_smallest_distance_of_a_rate_is_that_at_the_limit_and_not_at_the_estimate() -> None:
    assert smallest_distance(rate(0, 600), 0.3, 0.95) == smallest_distance(rate(300, 600), 0.3, 0.95)


def test_what_is_counted_could_show_any_distance_and_says_none() -> None:
    assert smallest_distance(exact(3.0), 1.0, 0.95) is None
