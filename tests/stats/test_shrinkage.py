import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CheckError, Unavailable
from audit.stats import benjamini_hochberg, holm, shrink

tables = st.lists(st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=3)


@given(tables.filter(lambda rows: sum(n > 0 for _, n in rows) >= 3))
def test_every_group_moves_towards_the_centre_and_never_past_it(rows: list[tuple[int, int]]) -> None:
    k, n = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = shrink(k, n)
    raw = np.where(n > 0, k / np.maximum(n, 1), found.centre)
    assert np.all((found.mean - raw) * (found.centre - raw) >= -1e-9)
    assert np.all(abs(found.mean - raw) <= abs(found.centre - raw) + 1e-9)
    assert np.all((found.lower <= found.upper) & (found.lower >= 0) & (found.upper <= 1))


def test_the_error_of_small_groups_falls_by_far() -> None:
    rng = np.random.default_rng(1)
    truth, n = np.clip(rng.normal(0.3, 0.03, 200), 0, 1), rng.integers(5, 500, 200)
    n[:100] = rng.integers(5, 40, 100)
    k = rng.binomial(n, truth)
    raw, ours = np.mean((k / n - truth) ** 2), np.mean((shrink(k, n).mean - truth) ** 2)
    assert raw / ours > 5


def test_groups_that_differ_by_far_more_than_chance_stay_where_they_are() -> None:
    n = np.full(40, 5000)
    k = (np.linspace(0.05, 0.95, 40) * n).astype(int)
    assert abs(shrink(k, n).mean - k / n).max() < 0.005


def test_groups_that_do_not_differ_become_one() -> None:
    n = np.full(50, 400)
    k = np.random.default_rng(2).binomial(n, 0.2)
    assert np.ptp(shrink(k, n).mean) < 0.3 * np.ptp(k / n)


def test_no_success_anywhere_is_a_small_rate_not_zero() -> None:
    found = shrink([0, 0, 0, 0], [10, 5, 20, 0])
    assert np.all((found.mean > 0) & (found.mean < 0.1))


def test_two_groups_say_nothing_of_how_groups_differ() -> None:
    with pytest.raises(Unavailable, match="2 groups"):
        shrink([1, 2, 0], [5, 5, 0])
    with pytest.raises(CheckError, match="0 <= k <= n"):
        shrink([6, 2, 1], [5, 5, 5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_benjamini_hochberg_equals_its_definition_and_is_never_stricter_than_holm(p: list[float]) -> None:
    slow = []
    for own in p:
        larger = [q * len(p) / sum(r <= q for r in p) for q in p if q >= own]
        slow.append(min(1.0, *larger))
    assert benjamini_hochberg(p) == pytest.approx(slow)
    assert np.all(benjamini_hochberg(p) <= holm(p) + 1e-12)
