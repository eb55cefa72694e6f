"""The answers of a multilabel task: truths, decisions and probabilities of shape (rows, labels)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.compute import in_batches
from audit.data import Dataset
from audit.data.task import label_pair
from audit.errors import DataError, ModelError
from audit.models import Model, MultilabelClassifier, MultilabelDecider

TOLERANCE = 1e-4
MIDDLE = 0.5


def truths(data: Dataset) -> NDArray[np.int32]:
    """1 where a label holds, 0 where it does not, -1 where that is not known."""
    return np.column_stack([_held(data, column) for column in data.roles.targets])


def stored_labels(case: Case, data: Dataset) -> dict[str, Any]:
    """The columns of scores and decisions. Without decisions, by the threshold of each label."""
    roles = data.roles
    scores = np.column_stack([data.numbers(name) for name in roles.scores]) if roles.scores else None
    if roles.predictions:
        return {"probability": scores, "decision": np.column_stack([_held(data, c) for c in roles.predictions])}
    if scores is None:
        return {"probability": None, "decision": None}
    thresholds = [case.threshold_of(at) for at in range(len(roles.targets))]
    beyond = [not _within_one(scores[:, at]) for at in range(len(thresholds))]
    open_ = [name for name, t, odd in zip(roles.scores, thresholds, beyond, strict=True) if t is None and odd]
    if open_:
        raise DataError(
            f'scores: "{open_[0]}" holds no probabilities, so that no threshold is known: give threshold in [data.test]'
        )
    return {"probability": scores, "decision": _decided(scores, thresholds)}


def answered_labels(case: Case, data: Dataset, model: Model) -> dict[str, Any]:
    """What the model says of each label, in the order of the case's labels. ModelError when it cannot."""
    size = case.spec.compute.batch
    order = [model.classes.index(label) for label in case.classes]
    thresholds = [case.threshold_of(at) for at in range(len(order))]
    probability = decided = None
    if isinstance(model, MultilabelClassifier):
        probability = _checked(in_batches(model.predict_labels, data.features, size), model)[:, order]
    if probability is not None and (case.has_threshold or not isinstance(model, MultilabelDecider)):
        decided = _decided(probability, thresholds)
    elif isinstance(model, MultilabelDecider):
        if case.has_threshold:
            raise ModelError(f"threshold is set, and {model.name} gives no probabilities to hold against it")
        decided = in_batches(model.decide_labels, data.features, size)[:, order].astype(np.int32)
    else:
        raise ModelError(f"{model.name} gives one answer a row, and target names {len(order)} labels")
    if probability is not None:
        decided = np.where(np.isfinite(probability), decided, -1).astype(np.int32)
    return {"probability": probability, "decision": decided}


def _held(data: Dataset, column: str) -> NDArray[np.int32]:
    codes = data.codes(column)
    pair = label_pair([level for level in codes.levels if level is not None], data.roles.positive, column)
    places = [-1 if level is None else int(level == pair[1]) for level in codes.levels]
    return np.asarray(np.array(places, dtype=np.int32)[codes.codes])


def _decided(scores: NDArray[np.float64], thresholds: list[float | None]) -> NDArray[np.int32]:
    limits = np.array([MIDDLE if t is None else t for t in thresholds])
    return np.where(np.isfinite(scores), scores >= limits, -1).astype(np.int32)


def _within_one(score: NDArray[np.float64]) -> bool:
    finite = score[np.isfinite(score)]
    return not len(finite) or bool(finite.min() >= -TOLERANCE and finite.max() <= 1 + TOLERANCE)


def _checked(probability: NDArray[np.float64], model: Model) -> NDArray[np.float64]:
    """``probability`` if each is one by itself; they need not sum to 1."""
    if not _within_one(probability.ravel()):
        finite = probability[np.isfinite(probability)]
        raise ModelError(
            f"{model.name} returns probabilities from {finite.min():.3g} to {finite.max():.3g}: they must lie in 0..1; "
            'if they are logits, say output = "logit" in [model]'
        )
    return probability
