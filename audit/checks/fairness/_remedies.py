"""Fairlearn's ways to reduce a gap, on a model whose probabilities are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, EqualizedOdds, ExponentiatedGradient
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from audit.data import Dataset
from audit.models import Model
from audit.models.sklearn import SklearnClassifier, frame

BOUND, ROUNDS = 0.02, 20
CONSTRAINTS = {"demographic_parity": DemographicParity, "equalized_odds": EqualizedOdds}

Labels = NDArray[np.int_]


@dataclass(frozen=True, kw_only=True)
class Side:
    """The labelled rows of one data set: 0/1 labels, groups of one column, probabilities of the positive class."""

    rows: Dataset
    label: Labels
    group: NDArray[np.object_]
    score: NDArray[np.float64]


class _Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Probabilities that are known already, as an estimator: its one feature is the probability."""

    def fit(self, X: object, y: object) -> _Given:  # nothing to learn
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([1 - np.ravel(X), np.ravel(X)])


def remedies(
    model: Model, learnt: Side, judged: Side, seed: int
) -> Iterator[tuple[str, str, Callable[[], NDArray[np.int_]]]]:
    """Remedy, constraint, and how it decides the judged rows; nothing is fitted before that is asked for."""
    state = int(seed % 2**32)
    for name, bound in CONSTRAINTS.items():

        def thresholds(name: str = name) -> NDArray[np.int_]:
            fitted = ThresholdOptimizer(
                estimator=_Given(), constraints=name, prefit=True, predict_method="predict_proba"
            )
            fitted.fit(learnt.score[:, None], learnt.label, sensitive_features=learnt.group)
            given = {"sensitive_features": judged.group, "random_state": state}
            return np.asarray(fitted.predict(judged.score[:, None], **given), dtype=int)

        def constrained(bound: Callable[..., object] = bound) -> NDArray[np.int_]:
            if not isinstance(model, SklearnClassifier):
                raise TypeError("only scikit-learn models can be trained again here")
            learner = ExponentiatedGradient(clone(model.estimator), bound(difference_bound=BOUND), max_iter=ROUNDS)
            tables = [frame(side.rows.features) for side in (learnt, judged)]
            first, second = tables if model.features is not None else (table.to_numpy() for table in tables)
            learner.fit(first, learnt.label, sensitive_features=learnt.group)
            return np.asarray(learner.predict(second, random_state=state), dtype=int)

        yield "thresholds by group (ThresholdOptimizer)", name, thresholds
        yield "training with a constraint (ExponentiatedGradient)", name, constrained
