"""Lists as what is drawn: the errors of groups that share places, and the gap that knows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import beside_each_other, compare_groups, interval, list_mean, list_rate, share_ratio, value
from audit.stats.arrays import Estimates
from audit.stats.lists import Listed
from audit.stats.mover import difference_limits, ratio_limits

ONES = np.ones(200)


def listed(total: list[float]) -> Listed:
    return Listed(
        basis=Basis(method="exact", numbers={"value": 0.0}), units=np.arange(len(total)), errors=np.array(total)
    )


def drawn(rng: np.random.Generator, lists: int, spread: float) -> tuple[list[Listed], Any]:
    """Two groups of 6 and 10 rows a list, of which the first 4 are taken; one is favoured more in some lists."""
    score = rng.normal(size=(lists, 16))
    score[:, :6] += rng.normal(0.3, spread, size=(lists, 1))
    first = (np.argsort(np.argsort(-score, axis=1), axis=1) < 4).astype(float)
    unit = np.repeat(np.arange(lists), 16).reshape(lists, 16)
    groups = (slice(0, 6), slice(6, 16))
    return [list_rate(first[:, g].ravel(), unit[:, g].ravel(), np.ones(first[:, g].size)) for g in groups], first


def gap(found: list[Listed], lists: int, *, apart: bool) -> tuple[float, float]:
    bases = [one.basis for one in found] if apart else beside_each_other(found, lists)
    compared = compare_groups(
        bases,
        compare="difference",
        contrast="pairs",
        reference=None,
        overall=None,
        tolerance=0.1,
        level=0.95,
        alpha=0.05,
    )
    return float(compared.lower[0]), float(compared.upper[0])


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_gap_of_groups_that_share_places_is_covered_and_as_if_apart_it_is_not(spread: float) -> None:
    rng = np.random.default_rng(5)
    rates = [value(one.basis) for one in drawn(rng, 10_000, spread)[0]]
    truth, held = abs(rates[0] - rates[1]), {True: 0, False: 0}
    for _ in range(300):
        found, _ = drawn(rng, 40, spread)
        for apart in held:
            lower, upper = gap(found, 40, apart=apart)
            held[apart] += lower <= truth <= upper
    assert 0.93 <= held[False] / 300 <= 0.985
    assert held[True] / 300 < 0.90


def test_the_correlation_is_pearsons_and_the_lowest_of_the_set() -> None:
    rng = np.random.default_rng(2)
    errors = rng.normal(size=(3, 50))
    errors -= errors.mean(axis=1, keepdims=True)
    errors[1] -= 0.8 * errors[0]
    lowest = min(pearsonr(errors[i], errors[j]).statistic for i, j in ((0, 1), (0, 2), (1, 2)))
    found = beside_each_other([listed(list(row)) for row in errors], 50)
    assert [basis.numbers["rho"] for basis in found] == pytest.approx([lowest] * 3, abs=1e-5)


def test_a_positive_correlation_narrows_nothing() -> None:
    found = beside_each_other([listed([1.0, -1.0, 0.5]), listed([1.0, -0.9, 0.4])], 3)
    assert all("rho" not in basis.numbers for basis in found)


def test_a_single_group_and_groups_without_lists_in_common_say_nothing() -> None:
    assert "rho" not in beside_each_other([listed([1.0, -1.0])], 2)[0].numbers
    lonely = Listed(basis=listed([]).basis, units=np.zeros(0, dtype=np.intp), errors=np.zeros(0))
    assert "rho" not in beside_each_other([lonely, lonely], 2)[0].numbers


def test_opposed_errors_add_up_and_independent_ones_are_combined_by_pythagoras() -> None:
    a, b = (Estimates(*map(np.array, bounds)) for bounds in (([0.5], [0.4], [0.6]), ([0.3], [0.1], [0.5])))
    together = difference_limits(a, b, rho=np.array([-1.0]))
    assert (together.lower[0], together.upper[0]) == pytest.approx((0.2 - 0.3, 0.2 + 0.3))
    assert difference_limits(a, b).lower[0] == pytest.approx(0.2 - np.hypot(0.1, 0.2))


@pytest.mark.parametrize("rho", [-1.0, -0.4, 0.0])
def test_the_bounds_of_the_ratio_are_where_the_difference_holds_0(rho: float) -> None:
    """Donner & Zou's construction: L is the ratio at which the lower bound of a - L b is 0."""
    a, b = (Estimates(*map(np.array, bounds)) for bounds in (([0.5], [0.42], [0.61]), ([0.7], [0.6], [0.8])))
    found = ratio_limits(a, b, rho=np.array([rho]))
    for bound, end in ((found.lower[0], "lower"), (found.upper[0], "upper")):
        scaled = Estimates(*(part * bound for part in b))
        assert getattr(difference_limits(a, scaled, rho=np.array([rho])), end)[0] == pytest.approx(0, abs=1e-12)


def test_lists_that_all_agree_count_as_one_row_each() -> None:
    found = list_rate(np.zeros(200), np.repeat(np.arange(20), 10), ONES).basis
    assert found.numbers["n_effective"] == pytest.approx(20)


@pytest.mark.parametrize("make", [list_rate, list_mean])
def test_one_list_says_nothing_about_others(make: Any) -> None:
    with pytest.raises(Unavailable, match="says nothing about others"):
        make(np.arange(200) % 2, np.zeros(200, dtype=int), ONES)


def test_a_share_of_a_share_covers_its_truth() -> None:
    """Rows and exposure of a group by list, drawn from a law whose ratio of expectations is known."""
    rng, held = np.random.default_rng(9), 0
    for _ in range(800):
        rows, total = rng.poisson(3, 40) + 0.0, rng.poisson(7, 40) + 0.0
        seen, other = rng.gamma(2, 2 / 3 * rows + 1e-9), rng.gamma(2, 3 / 7 * total + 1e-9)  # 4 and 6 a list
        bounds = interval(share_ratio(seen, rows, seen + other, rows + total).basis, 0.95)
        held += bounds.lower <= 0.4 / 0.3 <= bounds.upper
    assert 0.92 <= held / 800 <= 0.98


@pytest.mark.parametrize(("of", "among"), [(np.zeros(5), np.ones(5)), (np.ones(5), np.zeros(5))])
def test_a_share_of_nothing_is_undefined(of: Any, among: Any) -> None:
    with pytest.raises(Unavailable, match="nothing to have a share of"):
        share_ratio(of, among)
