from itertools import product

import numpy as np
import pytest
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator

from audit.errors import CheckError, Unavailable
from audit.stats import distance_to_frontier, frontier, tabulate

RATES = {"selection_rate": 0, "true_positive_rate": 1, "false_positive_rate": 2}
FAIRLEARN = {
    "selection_rate": "demographic_parity",
    "true_positive_rate": "true_positive_rate_parity",
    "false_positive_rate": "false_positive_rate_parity",
}


class Scores(BaseEstimator):
    """A fitted model whose score is its only feature."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


def world(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    score = np.clip(rng.beta(2 + group, 3, n), 0, 0.999)
    label = rng.random(n) < np.clip(score + 0.08 * (group - 1), 0, 1)
    return group, score, label


def histogram(group: np.ndarray, score: np.ndarray, label: np.ndarray) -> np.ndarray:
    found = tabulate([group], (3,), label, label, score=score).histogram
    assert found is not None
    return found


@pytest.mark.parametrize("constraint", RATES)
def test_the_frontier_without_a_gap_is_fairlearns_best_within_a_thousandth(constraint: str) -> None:
    group, score, label = world(8000)
    optimiser = ThresholdOptimizer(
        estimator=Scores().fit(None),
        constraints=FAIRLEARN[constraint],
        prefit=True,
        predict_method="predict",
        grid_size=1000,
    )
    optimiser.fit(score[:, None], label.astype(int), sensitive_features=group)
    ours = frontier(histogram(group, score, label), constraint, [0.0])  # type: ignore[arg-type]
    theirs = optimiser.interpolated_thresholder_
    decided = theirs._pmf_predict(score[:, None], sensitive_features=group)[:, 1]
    accuracy = float(np.mean(np.where(label, decided, 1 - decided)))
    assert ours.accuracy[0] == pytest.approx(accuracy, abs=1e-3)


def slow_best(counts: np.ndarray, constraint: str, eps: float) -> float:
    """The best accuracy over all threshold pairs of two groups, without randomising between them."""
    best, total = 0.0, counts.sum()
    for cuts in product(range(counts.shape[2] + 1), repeat=2):
        rates, right = [], 0
        for table, cut in zip(counts, cuts, strict=True):
            fp, tp = table[0, cut:].sum(), table[1, cut:].sum()
            sizes = (table.sum(), table[1].sum(), table[0].sum())
            rates.append((tp + fp, tp, fp)[RATES[constraint]] / sizes[RATES[constraint]])
            right += tp + table[0, :cut].sum()
        if abs(rates[0] - rates[1]) <= eps + 1e-12:
            best = max(best, right / total)
    return best


@pytest.mark.parametrize("constraint", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_no_pair_of_thresholds_beats_the_frontier_and_without_a_limit_one_reaches_it(
    constraint: str, seed: int
) -> None:
    counts = np.random.default_rng(seed).integers(1, 40, (2, 2, 8)) * np.array([np.arange(8, 0, -1), np.arange(1, 9)])
    eps = [0.0, 0.05, 0.2, 1.0]
    found = frontier(counts, constraint, eps)  # type: ignore[arg-type]
    slow = [slow_best(counts, constraint, one) for one in eps]
    assert np.all(found.accuracy >= np.array(slow) - 1e-12)
    assert found.accuracy[-1] == pytest.approx(slow[-1], abs=1e-12)
    assert np.all(np.diff(found.accuracy) >= -1e-12)
    assert np.all(np.ptp(found.rates, axis=1) <= np.array(eps) + 1e-12)


def test_the_model_is_measured_against_the_frontier_at_its_own_gap() -> None:
    group, score, label = world(5000)
    found = frontier(histogram(group, score, label), "selection_rate", [0.0, 0.1, 0.3, 1.0])
    assert distance_to_frontier(found, 0.1, found.accuracy[1] - 0.03) == pytest.approx(0.03)
    assert distance_to_frontier(found, 1.0, 0.999) == 0


def test_groups_without_rows_or_labels_and_no_tolerance_are_said() -> None:
    counts = histogram(*world(500))
    alone, unlabelled = counts.copy(), counts.copy()
    alone[1:] = 0
    unlabelled[0, 1] = 0
    with pytest.raises(Unavailable, match="1 group"):
        frontier(alone, "selection_rate", [0])
    with pytest.raises(Unavailable, match="no positive rows"):
        frontier(unlabelled, "true_positive_rate", [0])
    with pytest.raises(CheckError, match="tolerance"):
        frontier(counts, "selection_rate", [-0.1])
