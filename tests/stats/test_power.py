import numpy as np
import pytest

from audit.stats import clustered_mean, difference, interval, mean, rate, rows_for_bound, smallest_gap, value


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
