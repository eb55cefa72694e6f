import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance
from sklearn.metrics import roc_curve

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import abroca, interval, kolmogorov_smirnov, value, wasserstein
from tests.stats.coverage import coverage

samples = st.lists(st.integers(0, 20).map(lambda v: v / 20), min_size=2, max_size=40)


@given(samples, samples)
def test_ks_and_wasserstein_equal_scipys_with_ties(a: list[float], b: list[float]) -> None:
    assert value(kolmogorov_smirnov(a, b)) == pytest.approx(ks_2samp(a, b, method="asymp").statistic, abs=1e-12)
    assert value(wasserstein(a, b)) == pytest.approx(wasserstein_distance(a, b), abs=1e-12)


def slow_abroca(a: tuple, b: tuple) -> float:
    """The area by the midpoint rule on a fine grid of false positive rates."""
    at = (np.arange(400_000) + 0.5) / 400_000
    curves = []
    for scores, labels in (a, b):
        fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
        curves.append(np.interp(at, fpr, tpr))
    return float(np.abs(curves[0] - curves[1]).mean())


@pytest.mark.parametrize("seed", range(6))
def test_abroca_is_the_area_between_scikit_learns_roc_curves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = []
    for n in (40, 90):
        labels = rng.random(n) < 0.4
        labels[:2] = 0, 1
        groups.append(((rng.normal(size=n) + labels).round(1 if seed % 2 else 9), labels))
    assert value(abroca(*groups[0], *groups[1])) == pytest.approx(slow_abroca(*groups), abs=1e-5)
    assert value(abroca(*groups[0], *groups[1])) == pytest.approx(value(abroca(*groups[1], *groups[0])), abs=1e-12)


def test_curves_that_cross_differ_although_their_areas_agree() -> None:
    labels = np.tile([1, 1, 0, 0], 50)
    first, second = np.tile([4.0, 1.0, 3.0, 2.0], 50), np.tile([3.0, 2.0, 4.0, 1.0], 50)
    assert value(abroca(first, labels, second, labels)) == pytest.approx(0.5)
    assert value(abroca(first, labels, first, labels)) == 0


def drawn(rng: np.random.Generator, n: int, distance: float) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.random(n) < 0.4
    return rng.normal(size=n) + distance * labels, labels


SETTINGS = [(30, 30, 0.0), (200, 500, 0.0), (30, 30, 1.0), (200, 500, 1.0)]


@pytest.mark.parametrize(("n", "m", "shift"), SETTINGS)
def test_distances_of_distributions_keep_their_level(n: int, m: int, shift: float) -> None:
    truth_ks = 0.3829249225480262 if shift else 0.0  # 2 Phi(1/2) - 1
    for build, truth in ((kolmogorov_smirnov, truth_ks), (wasserstein, shift)):

        def draw(rng: np.random.Generator, build=build) -> Basis:
            return build(rng.normal(size=n), rng.normal(shift, 1, size=m))

        assert coverage(draw, truth, 500) >= 0.955


@pytest.mark.parametrize("distance", [1.0, 1.8])
def test_abroca_keeps_its_level(distance: float) -> None:
    big = np.random.default_rng(1)
    truth = value(abroca(*drawn(big, 200_000, 1.0), *drawn(big, 200_000, distance))) if distance != 1 else 0.0
    share = coverage(lambda rng: abroca(*drawn(rng, 150, 1.0), *drawn(rng, 300, distance)), truth, 300)
    assert share >= 0.955


@given(samples, samples, st.sampled_from([kolmogorov_smirnov, wasserstein]))
def test_a_distance_is_never_negative_nor_beyond_its_range(a: list[float], b: list[float], build: object) -> None:
    found = interval(build(a, b), 0.999)  # type: ignore[operator]
    assert 0 <= found.lower <= found.upper
    assert build is wasserstein or found.upper <= 1


def test_large_distances_are_told_from_none() -> None:
    rng = np.random.default_rng(2)
    for build in (kolmogorov_smirnov, wasserstein):
        assert interval(build(rng.normal(size=200), rng.normal(1, 1, size=200)), 0.95).lower > 0.1
    assert interval(abroca(*drawn(rng, 800, 0.3), *drawn(rng, 800, 2.5)), 0.95).lower > 0.1


def test_too_few_scores_and_a_single_class_are_said() -> None:
    with pytest.raises(Unavailable, match="nothing of its spread"):
        wasserstein([0.5], [0.1, 0.2])
    with pytest.raises(Unavailable, match="one class"):
        abroca([0.1, 0.2], [1, 1], [0.1, 0.2], [0, 1])
