import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats import clustered_mean, clustered_rate, complement, interval, mean, rate, value, weighted_mean
from audit.stats import weighted_rate as weighted
from tests.stats.coverage import coverage

RNG = np.random.default_rng(8)
Y, W = RNG.random(60) < 0.4, RNG.lognormal(size=60)
SITE = np.repeat(np.arange(12), 5)


def limits(basis: Basis) -> tuple[float, float]:
    found = interval(basis, 0.95)
    return found.lower, found.upper


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.floats(0.01, 100))
def test_equal_weights_are_no_weights(successes: list[bool], weight: float) -> None:
    found = weighted(successes, np.full(len(successes), weight))
    assert limits(found) == pytest.approx(limits(rate(sum(successes), len(successes))), abs=1e-9)


def test_the_effective_size_is_the_smaller_of_kishs_and_the_linearised_one() -> None:
    p = float(np.average(Y, weights=W))
    kish, variance = W.sum() ** 2 / (W @ W), float(((W * (Y - p)) ** 2).sum()) / W.sum() ** 2
    n = min(kish, p * (1 - p) / variance)
    assert limits(weighted(Y, W)) == pytest.approx(limits(rate(p * n, n)), abs=1e-12)


def test_a_row_without_weight_counts_for_nothing() -> None:
    assert weighted(np.append(Y, True), np.append(W, 0)) == weighted(Y, W)
    assert clustered_rate(np.append(Y, True), np.append(SITE, 99), np.append(W, 0)) == clustered_rate(Y, SITE, W)


def test_the_rest_of_weighted_rows_is_what_their_own_rows_give() -> None:
    part = np.median(W) < W
    rest = complement(weighted(Y, W), weighted(Y[part], W[part]))
    assert dict(rest.numbers) == pytest.approx(dict(weighted(Y[~part], W[~part]).numbers), rel=1e-9)


def test_clusters_of_one_row_are_no_clusters() -> None:
    narrow, plain = limits(clustered_rate(Y, np.arange(60))), limits(rate(int(Y.sum()), 60))
    assert narrow == pytest.approx(plain, abs=0.01)
    values = RNG.gamma(2.0, size=60)
    one, many = clustered_mean(values, np.arange(60)), mean(values)
    assert limits(one) == pytest.approx(limits(many), abs=1e-9)
    assert limits(weighted_mean(values, np.full(60, 3.0))) == pytest.approx(limits(many), abs=1e-9)


def test_copies_of_rows_within_a_cluster_add_no_certainty() -> None:
    person, outcome = np.arange(30), RNG.random(30) < 0.5
    once, copied = clustered_rate(outcome, person), clustered_rate(np.repeat(outcome, 40), np.repeat(person, 40))
    assert limits(copied) == pytest.approx(limits(once), abs=0.01)


def test_clusters_that_all_agree_count_as_one_row_each() -> None:
    found, single = interval(clustered_rate(np.zeros(500), np.arange(500) % 20), 0.95), interval(rate(0, 20), 0.95)
    assert found.lower == 0
    assert found.upper >= single.upper


def test_the_names_of_clusters_change_nothing() -> None:
    names = np.array([f"site {chr(65 + i)}" for i in SITE[::-1]])[::-1]
    assert clustered_rate(Y, names, W) == clustered_rate(Y, SITE, W)


def test_one_cluster_no_rows_and_no_weight_are_said_not_guessed() -> None:
    with pytest.raises(Unavailable, match="one cluster") as refusal:
        clustered_rate(Y, np.zeros(60))
    assert refusal.value.reason == "insufficient_data"
    for empty in (lambda: weighted(Y, np.zeros(60)), lambda: clustered_mean([], []), lambda: weighted([], [])):
        with pytest.raises(Unavailable) as nothing:
            empty()
        assert nothing.value.reason == "undefined"
    with pytest.raises(Unavailable, match="equal"):
        clustered_mean(np.ones(60), SITE)
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(CheckError, match="finite and at least 0"):
            weighted(Y, np.where(W > 1, wrong, W))


def test_a_cluster_that_holds_nearly_all_weight_leaves_nearly_everything_possible() -> None:
    heavy = np.where(SITE == 0, 1e6, 1.0)
    assert interval(clustered_rate(Y, SITE, heavy), 0.95).half_width > 0.4


@pytest.mark.parametrize("clusters", [10, 20, 50])
def test_clustered_rates_cover_94_to_96_percent_where_plain_ones_cover_three_quarters(clusters: int) -> None:
    place, p, between = np.repeat(np.arange(clusters), 10), 0.3, (1 - 0.2) / 0.2

    def draw(rng: np.random.Generator) -> np.ndarray:
        return rng.random(place.size) < rng.beta(p * between, (1 - p) * between, clusters)[place]

    assert 0.937 <= coverage(lambda rng: clustered_rate(draw(rng), place), p, 1500) <= 0.967
    assert coverage(lambda rng: rate(int(draw(rng).sum()), place.size), p, 1500) < 0.82


@pytest.mark.parametrize("n", [30, 100, 500])
@pytest.mark.parametrize("tilt", [0.0, 1.0])
def test_weighted_rates_keep_their_level_also_where_weights_know_the_outcome(n: int, tilt: float) -> None:
    truth = 0.3 * np.exp(tilt) / (0.3 * np.exp(tilt) + 0.7)

    def draw(rng: np.random.Generator) -> Basis:
        y = rng.random(n) < 0.3
        return weighted(y, rng.lognormal(size=n) * np.exp(tilt * y))

    assert (0.94 if tilt == 0 else 0.915) <= coverage(draw, float(truth), 1500) <= 0.975


def test_clustered_means_cover_95_percent() -> None:
    place = np.repeat(np.arange(20), 8)

    def draw(rng: np.random.Generator) -> Basis:
        return clustered_mean(rng.normal(size=20)[place] + rng.exponential(size=160), place)

    assert 0.935 <= coverage(draw, 1.0, 1500) <= 0.97
    assert value(clustered_mean(np.arange(160.0), place)) == pytest.approx(79.5)
