"""The larger simulations: every interval on the grid that its claim is about."""

import numpy as np
import pytest
from scipy.stats import norm

from audit.results import Basis
from audit.stats import auc, average, average_precision, compare_groups, f1, mean, r_squared, rate, root_mean, value
from audit.stats.mover import difference_limits as mover_difference
from audit.stats.proportions import wilson_limits
from audit.stats.score_tests import gap_limits, ratio_limits
from tests.stats.coverage import coverage

pytestmark = pytest.mark.slow
Z = 1.959963984540054
SIZES = [(20, 20), (20, 100), (20, 1000), (50, 50), (50, 200), (100, 100), (200, 1000), (1000, 1000)]
RATES = [(0.02, 0.02), (0.05, 0.05), (0.05, 0.15), (0.2, 0.2), (0.2, 0.4), (0.5, 0.5), (0.5, 0.6)]


def rate_coverages(kind: str) -> list[float]:
    rng, shares = np.random.default_rng(12), []
    for n, m in SIZES:
        for p, q in RATES:
            k1, k2 = rng.binomial(n, p, 20_000).astype(float), rng.binomial(m, q, 20_000).astype(float)
            n1, n2 = np.full(20_000, float(n)), np.full(20_000, float(m))
            if kind == "newcombe":
                found, truth = mover_difference(wilson_limits(k1, n1, Z), wilson_limits(k2, n2, Z)), p - q
            elif kind == "difference":
                found, truth = gap_limits(k1, n1, k2, n2, Z), p - q
            else:
                some = k2 > 0
                found, truth = ratio_limits(k1[some], n1[some], k2[some], n2[some], Z), p / q
            shares.append(float(np.mean((found.lower <= truth) & (truth <= found.upper))))
    return shares


@pytest.mark.parametrize("kind", ["difference", "newcombe", "ratio"])
def test_gaps_and_ratios_keep_94_percent_on_the_whole_grid_and_mostly_stay_below_96(kind: str) -> None:
    shares = rate_coverages(kind)
    assert min(shares) >= 0.938
    assert np.mean([share <= 0.962 for share in shares]) >= (0.75 if kind == "newcombe" else 0.85)


@pytest.mark.parametrize("size", [(10, 10), (20, 20), (20, 200), (50, 50), (60, 500), (200, 200), (300, 3000)])
@pytest.mark.parametrize("area", [0.6, 0.8, 0.9, 0.97])
def test_auc_keeps_its_level_at_every_size_and_height(size: tuple[int, int], area: float) -> None:
    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        scores = np.append(rng.normal(2**0.5 * norm.ppf(area), 1, size[0]), rng.normal(0, 1, size[1]))
        return scores, np.repeat([1, 0], size)

    assert 0.93 <= coverage(lambda rng: auc(*draw(rng)), area, 4000) <= 0.995


@pytest.mark.parametrize("distance", [0.5, 1.5, 3.0])
@pytest.mark.parametrize(("n", "positive"), [(200, 0.1), (100, 0.5), (1000, 0.1), (1000, 0.5), (5000, 0.02)])
def test_average_precision_keeps_its_level(n: int, positive: float, distance: float) -> None:
    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.random(n) < positive
        return rng.normal(size=n) + distance * labels, labels

    truth = value(average_precision(*draw(np.random.default_rng(1), 2_000_000)))
    assert coverage(lambda rng: average_precision(*draw(rng, n)), truth, 3000) >= 0.925


@pytest.mark.parametrize("n", [20, 50, 200, 1000])
def test_means_r2_and_f1_keep_their_level(n: int) -> None:
    def fitted(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=n)
        return x + rng.laplace(size=n) / 8**0.5, x

    assert coverage(lambda rng: mean(rng.lognormal(size=n)), float(np.exp(0.5)), 10_000) >= 0.9
    assert coverage(lambda rng: mean(np.abs(rng.normal(size=n))), (2 / np.pi) ** 0.5, 10_000) >= 0.94
    assert coverage(lambda rng: root_mean(rng.normal(size=n) ** 2), 1.0, 10_000) >= 0.92
    assert coverage(lambda rng: r_squared(*fitted(rng)), 0.8, 10_000) >= 0.915
    cells = [0.4, 0.1, 0.1, 0.4]
    assert 0.935 <= coverage(lambda rng: f1(*rng.multinomial(n, cells)[:3]), 0.8, 10_000) <= 0.975


def test_balanced_accuracy_keeps_its_level_when_one_class_is_rare() -> None:
    def recalls(rng: np.random.Generator) -> list[Basis]:
        return [rate(rng.binomial(25, 0.9), 25), rate(rng.binomial(800, 0.7), 800)]

    share = coverage(lambda rng: average(recalls(rng)), 0.8, 10_000)
    assert 0.94 <= share <= 0.97


@pytest.mark.parametrize("groups", [2, 5, 20])
@pytest.mark.parametrize("p", [0.05, 0.3])
def test_no_false_gap_in_95_percent_of_audits_of_equal_groups(groups: int, p: float) -> None:
    rng, false = np.random.default_rng(14), 0
    for _ in range(2000):
        bases = [rate(k, n) for k, n in ((rng.binomial(n, p), n) for n in rng.integers(20, 400, groups))]
        found = compare_groups(
            bases,
            compare="difference",
            contrast="pairs",
            reference=None,
            overall=None,
            tolerance=0.1,
            level=0.95,
            alpha=0.05,
        )
        false += bool(np.any(found.family_lower > 0))
    assert false / 2000 <= 0.06
