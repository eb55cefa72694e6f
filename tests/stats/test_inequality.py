import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from audit.errors import CheckError, Unavailable
from audit.stats import (
    consistency,
    differential_fairness,
    generalised_entropy,
    interval,
    mean,
    rate,
    subgroup_gap,
    value,
)
from tests.stats.coverage import coverage

benefits = st.lists(st.integers(0, 2), min_size=2, max_size=60).filter(lambda b: len(set(b)) > 1)
tables = st.lists(
    st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=6
)


def slow_entropy(b: list[int], alpha: float) -> float:
    mu = sum(b) / len(b)
    if alpha == 1:
        return sum(x / mu * math.log(x / mu) for x in b if x) / len(b)
    return sum((x / mu) ** alpha - 1 for x in b) / (len(b) * alpha * (alpha - 1))


@given(benefits, st.sampled_from([0.5, 1.0, 2.0, 3.0]))
def test_the_index_is_its_definition(b: list[int], alpha: float) -> None:
    assert value(generalised_entropy(b, alpha)) == pytest.approx(slow_entropy(b, alpha), abs=1e-12)


def test_theils_l_of_positive_benefits_is_the_mean_log_share() -> None:
    b = np.array([1.0, 2.0, 4.0, 8.0])
    assert value(generalised_entropy(b, 0)) == pytest.approx(np.log(b.mean() / b).mean())


@pytest.mark.parametrize("alpha", [1.0, 2.0])
@pytest.mark.parametrize("n", [50, 400])
def test_the_index_covers_its_truth(alpha: float, n: int) -> None:
    chances = [0.1, 0.8, 0.1]
    truth = slow_entropy([0] * 10 + [1] * 80 + [2] * 10, alpha)
    assert 0.925 <= coverage(lambda r: generalised_entropy(r.choice(3, n, p=chances), alpha), truth, 1500) <= 0.97


def test_benefits_that_say_nothing_are_said_to() -> None:
    assert value(generalised_entropy(np.ones(40))) == 0
    for wrong in ([1, 1, 1], [1], [0, 0]):
        with pytest.raises(Unavailable):
            generalised_entropy(wrong)
    with pytest.raises(Unavailable, match="alpha = 0"):
        generalised_entropy([0, 1], 0)
    with pytest.raises(CheckError, match="at least 0"):
        generalised_entropy([-1, 1])


@given(tables)
def test_differential_fairness_is_the_largest_smoothed_log_ratio(counts: list[tuple[int, int]]) -> None:
    smooth = [((k + 1) / (n + 2), (n - k + 1) / (n + 2)) for k, n in counts]
    slow = max(abs(math.log(a[o] / b[o])) for a, b in combinations(smooth, 2) for o in (0, 1))
    found = interval(differential_fairness([rate(*c) for c in counts]), 0.95)
    assert value(differential_fairness([rate(*c) for c in counts])) == pytest.approx(slow, abs=1e-12)
    assert 0 <= found.lower <= slow + 1e-12
    assert found.upper >= slow - 1e-12


@given(tables)
def test_the_subgroup_gap_is_the_largest_weighted_one(counts: list[tuple[int, int]]) -> None:
    total = sum(n for _, n in counts)
    p = sum(k for k, _ in counts) / total
    slow = max(n / total * abs(k / n - p) for k, n in counts)
    assert value(subgroup_gap([rate(*c) for c in counts])) == pytest.approx(slow, abs=1e-9)


@pytest.mark.parametrize("groups", [2, 6])
@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_the_largest_of_many_gaps_is_covered_where_it_is_zero_too(groups: int, spread: float) -> None:
    p = 0.3 + np.linspace(0, spread, groups)
    eps = max(math.log(p[-1] / p[0]), math.log((1 - p[0]) / (1 - p[-1])))
    for build, truth in ((differential_fairness, eps), (subgroup_gap, max(abs(p - p.mean())) / groups)):
        share = coverage(
            lambda r, build=build: build([rate(k, 150) for k in r.binomial(150, p).tolist()]), float(truth), 800
        )
        assert share >= 0.94


def test_only_plain_rates_of_two_groups_make_a_gap() -> None:
    with pytest.raises(Unavailable, match="two groups"):
        subgroup_gap([rate(1, 2)])
    with pytest.raises(CheckError, match="plain rates"):
        differential_fairness([rate(1, 2), mean(np.arange(5.0))])


def neighbours(x: np.ndarray) -> np.ndarray:
    return NearestNeighbors(n_neighbors=5).fit(x).kneighbors(x, return_distance=False)


def test_consistency_is_its_definition_and_one_where_like_rows_are_decided_alike() -> None:
    rng = np.random.default_rng(1)
    x, d = rng.random((80, 2)), (rng.random(80) < 0.5).astype(float)
    near = neighbours(x)
    slow = 1 - sum(abs(d[i] - sum(d[j] for j in near[i]) / 5) for i in range(80)) / 80
    assert value(consistency(d, near)) == pytest.approx(slow, abs=1e-12)
    assert value(consistency(np.ones(80), near)) == 1
    with pytest.raises(Unavailable, match="too few"):
        consistency(d[:5], np.zeros((5, 2), dtype=int))


def test_consistency_covers_its_truth_although_neighbours_share_rows() -> None:
    def draw(rng: np.random.Generator) -> object:
        x = rng.random((200, 1))
        return consistency(rng.random(200) < x[:, 0], neighbours(x))

    rng = np.random.default_rng(3)
    truth = float(np.mean([value(draw(rng)) for _ in range(1000)]))  # type: ignore[arg-type]
    assert 0.92 <= coverage(draw, truth, 500) <= 0.985  # type: ignore[arg-type]
