from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from audit.errors import CheckError
from audit.stats import find_slices, holm, interval, rate, selected_rate
from audit.stats.slice_tests import binomial_tail_bound, hypergeometric_tail

draws = st.integers(2, 400).flatmap(
    lambda total: st.tuples(st.just(total), st.integers(0, total), st.integers(1, total))
)


@given(draws, st.integers(0, 400))
def test_the_tail_is_scipys_hypergeometric(draw: tuple[int, int, int], k: int) -> None:
    total, errors, n = draw
    k = min(max(k % (n + 1), n - (total - errors)), n, errors)
    ours = hypergeometric_tail(np.array([k * 1.0]), np.array([n * 1.0]), errors, total)[0]
    assert ours == pytest.approx(hypergeom.sf(k - 1, total, errors, n), rel=1e-8, abs=1e-13)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 12))
def test_the_bound_is_never_below_the_tail_of_unequal_chances(chances: list[float], k: int) -> None:
    pmf = np.ones(1)
    for p in chances:
        pmf = np.convolve(pmf, [1 - p, p])
    k = min(k, len(chances))
    n, expected = np.array([len(chances) * 1.0]), np.array([sum(chances)])
    assert binomial_tail_bound(np.array([k * 1.0]), n, expected)[0] >= pmf[k:].sum() - 1e-12


def slow_search(columns: list[np.ndarray], wrong: np.ndarray, depth: int, fewest: int) -> dict[tuple, float]:
    """Holm's p of every conjunction with enough rows, by counting rows one conjunction at a time."""
    p = {}
    for size in range(1, depth + 1):
        for chosen in combinations(range(len(columns)), size):
            for levels in product(*(range(columns[c].max() + 1) for c in chosen)):
                rows = np.logical_and.reduce([columns[c] == v for c, v in zip(chosen, levels, strict=True)])
                if rows.sum() >= fewest:
                    tail = hypergeom.sf((rows & wrong).sum() - 1, wrong.size, wrong.sum(), rows.sum())
                    p[tuple(zip(chosen, levels, strict=True))] = tail
    return dict(zip(p, holm(list(p.values())), strict=True))


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_every_conjunction_is_tested_and_the_surest_comes_first(depth: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, size, 1500) for size in (2, 3, 4, 3)]
    inside = (columns[0] == 1) & (columns[2] == 2)
    wrong = rng.random(1500) < np.where(inside, 0.5, 0.1)
    found, slow = find_slices(columns, [2, 3, 4, 3], wrong, depth=depth), slow_search(columns, wrong, depth, 30)
    assert found.tested == len(slow)
    best = found.found[0]
    assert best.p == pytest.approx(slow[best.rule], rel=1e-6)
    assert best.p == pytest.approx(min(slow.values()), rel=1e-6)
    for one in found.found:
        rows = np.logical_and.reduce([columns[c] == v for c, v in one.rule])
        assert (one.n, one.k) == (rows.sum(), (rows & wrong).sum())
        assert one.expected == pytest.approx(rows.sum() * wrong.mean())


def test_one_planted_slice_is_reported_once_and_not_through_all_that_overlap_it() -> None:
    rng = np.random.default_rng(2)
    columns = [rng.integers(0, 4, 20_000) for _ in range(6)]
    wrong = rng.random(20_000) < np.where((columns[1] == 2) & (columns[4] == 0), 0.4, 0.1)
    assert [one.rule for one in find_slices(columns, [4] * 6, wrong, depth=3).found] == [((1, 2), (4, 0))]


def test_two_planted_slices_are_both_found() -> None:
    rng = np.random.default_rng(3)
    columns = [rng.integers(0, 4, 20_000) for _ in range(5)]
    inside = (columns[0] == 1) | ((columns[2] == 3) & (columns[3] == 0))
    found = find_slices(columns, [4] * 5, rng.random(20_000) < np.where(inside, 0.3, 0.1)).found
    assert {one.rule for one in found} == {((0, 1),), ((2, 3), (3, 0))}


def test_data_without_a_slice_names_one_in_at_most_5_percent() -> None:
    rng, named = np.random.default_rng(4), 0
    for _ in range(300):
        columns = [rng.integers(0, 4, 1000) for _ in range(5)]
        named += bool(find_slices(columns, [4] * 5, rng.random(1000) < 0.2).found)
    assert named / 300 <= 0.075


def test_errors_that_the_scores_predict_are_no_slice_and_others_are() -> None:
    rng = np.random.default_rng(5)
    columns = [rng.integers(0, 3, 9000) for _ in range(4)]
    chance = np.where(columns[0] == 1, 0.4, 0.05)
    honest = rng.random(9000) < chance
    assert find_slices(columns, [3] * 4, honest).found[0].rule == ((0, 1),)
    assert not find_slices(columns, [3] * 4, honest, chance=chance).found
    hidden = rng.random(9000) < np.where(columns[2] == 0, np.minimum(chance + 0.15, 1), chance)
    assert [one.rule for one in find_slices(columns, [3] * 4, hidden, chance=chance).found] == [((2, 0),)]


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_and_the_names_of_levels_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, 3, 800) for _ in range(3)]
    wrong = rng.random(800) < np.where(columns[0] == columns[1], 0.4, 0.1)
    at = rng.permutation(800)
    one, two = find_slices(columns, [3] * 3, wrong), find_slices([c[at] for c in columns], [3] * 3, wrong[at])
    assert one == two
    renamed = find_slices([2 - c for c in columns], [3] * 3, wrong).found
    assert sorted(o.p for o in renamed) == pytest.approx(sorted(o.p for o in one.found))


def test_a_column_of_thousands_of_levels_neither_fails_nor_hides_the_others() -> None:
    rng = np.random.default_rng(6)
    columns = [np.arange(20_000) % 5000, rng.integers(0, 5000, 20_000) // 50, rng.integers(0, 3, 20_000)]
    wrong = rng.random(20_000) < np.where(columns[2] == 1, 0.2, 0.1)
    assert find_slices(columns, [5000, 100, 3], wrong, depth=3).found[0].rule == ((2, 1),)


def test_nothing_to_search_finds_nothing() -> None:
    few = np.zeros(10, dtype=int)
    for wrong in (np.zeros(10, dtype=bool), np.ones(10, dtype=bool)):
        assert find_slices([few], [1], wrong).found == ()
        assert find_slices([], [], wrong).tested == 0
        assert find_slices([np.zeros(100, dtype=int)], [1], np.resize(wrong, 100)).found == ()
    with pytest.raises(CheckError, match="depth must be"):
        find_slices([few], [1], few == 0, depth=4)


def test_the_interval_of_a_picked_rate_is_bonferronis() -> None:
    ours, plain = interval(selected_rate(30, 90, 50), 0.95), interval(rate(30, 90), 1 - 0.05 / 50)
    assert (ours.lower, ours.upper) == pytest.approx((plain.lower, plain.upper), abs=1e-12)
    with pytest.raises(CheckError, match="at least 1"):
        selected_rate(3, 9, 0)
