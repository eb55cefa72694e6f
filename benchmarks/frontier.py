"""The accuracy-fairness frontier of a model under review, against fairlearn's ThresholdOptimizer with a tolerance.

20,000 rows, 3 groups, seven tolerances: ours from score histograms, exact up to the width of a bin; fairlearn's best
objective at the same tolerances. Warm, the least of several runs.
"""

from __future__ import annotations

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from audit.stats import frontier, tabulate
from benchmarks._figures import Result, cpu_seconds, result

ROWS = 20_000
TOLERANCES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
Vector = NDArray[np.float64]


class Scored(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Its one feature is the score."""

    def fit(self, X: Vector, y: Vector) -> Scored:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: Vector) -> Vector:
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def world() -> tuple[NDArray[np.int64], NDArray[np.int64], Vector]:
    """Group, label, and a probability in whole bins, so that both see the same scores."""
    rng = np.random.default_rng(5)
    group = rng.choice(3, ROWS, p=[0.5, 0.3, 0.2])
    risk = 1 / (1 + np.exp(-rng.normal(np.array([0.0, 0.6, -0.8])[group], 1.3)))
    return group, (rng.random(ROWS) < risk).astype(np.int64), (np.floor(risk * 256) + 0.5) / 256


def theirs(group: NDArray[np.int64], label: NDArray[np.int64], score: Vector) -> list[float]:
    best = []
    for tolerance in TOLERANCES:
        fitted = ThresholdOptimizer(
            estimator=Scored(), prefit=True, predict_method="predict_proba", tol=tolerance or None
        ).fit(score[:, None], label, sensitive_features=group)
        chance = np.asarray(fitted._pmf_predict(score[:, None], sensitive_features=group))[:, 1]
        best.append(float(np.mean(np.where(label == 1, chance, 1 - chance))))
    return best


def main() -> Result:
    group, label, score = world()
    decided = (score >= 0.5).astype(np.int64)

    def ours() -> list[float]:
        cells = tabulate([group], (3,), label, decided, score=score)
        if cells.histogram is None:
            raise ValueError("the cells hold no histogram")
        return [float(x) for x in frontier(cells.histogram, "selection_rate", TOLERANCES).accuracy]

    mine, peer = cpu_seconds(ours, 5), cpu_seconds(lambda: theirs(group, label, score), 1)
    apart = float(np.max(np.abs(np.array(ours()) - np.array(theirs(group, label, score)))))
    figures = {
        "seven tolerances, ours, CPU s": mine,
        "seven tolerances, fairlearn, CPU s": peer,
        "ratio": peer / mine,
        "largest difference of best accuracy": apart,
    }
    targets = {"seven tolerances, ours, CPU s": "<= 0.01", "largest difference of best accuracy": "<= 0.001"}
    return result("frontier", figures, targets)
