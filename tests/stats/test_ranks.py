import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm, rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from audit.errors import Unavailable
from audit.stats import auc, average_precision, interval, value
from audit.stats.ranks import midranks
from tests.stats.coverage import coverage

scored = st.lists(st.tuples(st.integers(-9, 9), st.booleans()), min_size=2, max_size=120)


def columns(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    scores, labels = zip(*rows, strict=True)
    return np.array(scores) / 7, np.array(labels)


@given(scored)
def test_auc_and_average_precision_equal_scikit_learns_with_ties(rows: list[tuple[int, bool]]) -> None:
    scores, labels = columns(rows)
    assume(labels.any())
    assert value(average_precision(scores, labels)) == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assume(not labels.all())
    assert value(auc(scores, labels)) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(st.lists(st.integers(0, 6), min_size=1))
def test_midranks_equal_scipys_average_ranks(values: list[int]) -> None:
    assert midranks(np.array(values, dtype=float)).tolist() == rankdata(values).tolist()


def two_classes(rng: np.random.Generator, positives: int, negatives: int, area: float) -> tuple[np.ndarray, np.ndarray]:
    scores = np.append(rng.normal(2**0.5 * norm.ppf(area), 1, positives), rng.normal(0, 1, negatives))
    return scores, np.repeat([1, 0], [positives, negatives])


def test_delongs_variance_equals_the_direct_sum_over_all_pairs() -> None:
    scores, labels = two_classes(np.random.default_rng(5), 60, 70, 0.8)
    scores = np.round(scores, 1)
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    variance = wins.mean(1).var(ddof=1) / 60 + wins.mean(0).var(ddof=1) / 70
    basis = auc(scores, labels)
    assert basis.numbers["se"] == pytest.approx(variance**0.5, rel=1e-12)
    half = 1.959963984540054 * variance**0.5 / (wins.mean() * (1 - wins.mean()))
    found = interval(basis, 0.95)
    expected = expit(logit(wins.mean()) + np.array([-half, half]))
    assert (found.lower, found.upper) == pytest.approx(tuple(expected), abs=1e-12)


def test_newcombes_method_5_solves_its_equation() -> None:
    scores, labels = two_classes(np.random.default_rng(6), 12, 20, 0.8)
    basis = auc(scores, labels)
    found, area = interval(basis, 0.9), value(basis)
    for t in (found.lower, found.upper):
        variance = t * (1 - t) * (1 + 15 * ((1 - t) / (2 - t) + t / (1 + t))) / 240
        assert abs(area - t) == pytest.approx(1.6448536269514722 * variance**0.5, rel=1e-9)


def test_a_perfect_or_constant_ranking_is_not_certain() -> None:
    labels = np.repeat([0, 1], 60)
    perfect, constant = interval(auc(labels, labels), 0.95), interval(auc(np.ones(120), labels), 0.95)
    assert perfect.upper == 1
    assert perfect.lower < 0.99
    assert constant.upper - constant.lower > 0.1
    assert interval(average_precision(labels, labels), 0.95).lower < 0.97


@pytest.mark.parametrize("label", [0, 1])
def test_a_single_class_has_no_auc(label: int) -> None:
    with pytest.raises(Unavailable, match="one class"):
        auc(np.arange(4.0), np.full(4, label))
    if label == 0:
        with pytest.raises(Unavailable, match="no positive rows"):
            average_precision(np.arange(4.0), np.zeros(4))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_influence_of_a_row_on_average_precision_is_its_derivative_by_weight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat([True, False], 60)
    scores = np.round(rng.normal(labels, 1.0), 1)
    step, squares = 1e-6, 0.0
    for i in range(120):
        weight = np.ones(120)
        weight[i] += step
        heavier = average_precision_score(labels, scores, sample_weight=weight)
        squares += ((heavier - average_precision_score(labels, scores)) / step) ** 2
    assert average_precision(scores, labels).numbers["se"] == pytest.approx((squares * 120 / 119) ** 0.5, rel=1e-4)


@pytest.mark.parametrize(
    ("positives", "negatives", "area"), [(10, 10, 0.9), (20, 200, 0.9), (60, 500, 0.97), (60, 60, 0.7)]
)
def test_auc_covers_its_truth_in_small_and_unequal_samples(positives: int, negatives: int, area: float) -> None:
    share = coverage(lambda rng: auc(*two_classes(rng, positives, negatives, area)), area, 2000)
    assert 0.935 <= share <= 0.99


def draw_ap(rng: np.random.Generator, n: int, positive: float, distance: float) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.random(n) < positive
    return rng.normal(size=n) + distance * labels, labels


@pytest.mark.parametrize(
    ("n", "positive", "distance"), [(200, 0.1, 0.5), (1000, 0.1, 1.5), (100, 0.5, 1.5), (1000, 0.5, 0.5)]
)
def test_average_precision_covers_its_truth(n: int, positive: float, distance: float) -> None:
    truth = value(average_precision(*draw_ap(np.random.default_rng(1), 500_000, positive, distance)))
    assert coverage(lambda rng: average_precision(*draw_ap(rng, n, positive, distance)), truth, 1500) >= 0.925
