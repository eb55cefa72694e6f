"""One shared inference pass: label, decision and scores of every row, as a compact table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.compute import in_batches
from audit.data import Dataset
from audit.data.relevance import relevance
from audit.data.task import decide_positive
from audit.errors import DataError, ModelError, Unavailable, nearest
from audit.inputs._several import answered_labels, stored_labels, truths
from audit.models import Model, Predictor, ProbabilisticClassifier
from audit.models.probabilities import TOLERANCE, checked
from audit.spec import Task

REQUIRES: dict[str, object] = {}


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """All arrays have one entry a row of the data; in a multilabel task label, decision and probability have shape
    (n, labels), and a row is labelled or decided where all of its labels are.

    label, decision: int32 codes into ``classes`` (-1: missing) or, for regression, float64 (NaN: missing).
    probability: float64 (n, classes) or None. score: float64 (n,), of the positive class of a binary task, or None;
    it is a probability only where ``score_is_probability``. In a ranking label is relevance, float64 of at least 0, and
    there are scores and no decisions.
    """

    task: Task
    classes: tuple[str, ...]
    label: NDArray[Any] | None
    decision: NDArray[Any] | None
    probability: NDArray[np.float64] | None
    score: NDArray[np.float64] | None
    score_is_probability: bool
    positive: int
    favourable: int
    not_finite: int  # rows whose prediction is NaN or infinite

    @property
    def labelled(self) -> NDArray[np.bool_] | None:
        return None if self.label is None else _whole(self.label)

    @property
    def decided(self) -> NDArray[np.bool_] | None:
        return None if self.decision is None else _whole(self.decision)


def predictions(case: Case, data: Dataset) -> Predictions:
    """Run the model once over ``data``, or take the stored columns. ModelError when it does not fit the table."""
    if case.model is not None:
        return predicted(case, data, case.model)
    return _gathered(case, data, (stored_labels if case.task == "multilabel" else _stored)(case, data))


def predicted(case: Case, data: Dataset, model: Model) -> Predictions:
    """As ``predictions``, by another model that decides between the same classes."""
    given = {"ranking": _sorting, "multilabel": answered_labels}.get(case.task, _from_model)
    return _gathered(case, data, given(case, data, model))


def stored(case: Case, data: Dataset) -> Predictions:
    """As ``predictions``, from the columns that the roles of ``data`` name."""
    return _gathered(case, data, _stored(case, data))


def of_label(whole: Predictions, case: Case, at: int) -> Predictions:
    """The label at this place of a multilabel task; ``case`` is that of the label alone."""
    score = None if whole.probability is None else whole.probability[:, at].copy()
    decision = None if whole.decision is None else whole.decision[:, at].copy()
    return replace(
        whole,
        task=case.task,
        classes=case.classes,
        label=None if whole.label is None else whole.label[:, at].copy(),
        decision=decision,
        probability=None,
        score=score,
        score_is_probability=score is not None and _are_probabilities(score),
        positive=case.classes.index(str(case.positive)),
        favourable=case.classes.index(str(case.favourable)),
        not_finite=_not_finite(decision, score),
    )


def _gathered(case: Case, data: Dataset, raw: Mapping[str, Any]) -> Predictions:
    positive = case.classes.index(case.positive) if case.positive is not None else -1
    favourable = case.classes.index(case.favourable) if case.favourable is not None else -1
    score = raw.get("score")
    if score is None and raw["probability"] is not None and positive >= 0:
        score = raw["probability"][:, positive]
    return Predictions(
        task=case.task,
        classes=case.classes,
        label=_labels(case, data),
        decision=raw["decision"],
        probability=raw["probability"],
        score=score,
        score_is_probability=score is not None and _are_probabilities(score),
        positive=positive,
        favourable=favourable,
        not_finite=_not_finite(raw["decision"], score, raw["probability"]),
    )


def class_codes(words: NDArray[Any], classes: tuple[str, ...], source: str) -> NDArray[np.int32]:
    """Class names as codes; None is -1. DataError for a name that is no class."""
    place: Mapping[str | None, int] = {None: -1, **{name: i for i, name in enumerate(classes)}}
    levels, inverse = np.unique([("" if w is None else "=" + w) for w in words.tolist()], return_inverse=True)
    strange = [w[1:] for w in levels.tolist() if w and w[1:] not in place]
    if strange:
        raise DataError(
            f'{source} holds "{strange[0]}", which is no class{nearest(strange[0], classes)}: {", ".join(classes[:12])}'
        )
    codes = np.array([place[w[1:] if w else None] for w in levels.tolist()], dtype=np.int32)
    return np.asarray(codes[inverse], dtype=np.int32)


def _labels(case: Case, data: Dataset) -> NDArray[Any] | None:
    if case.task == "multilabel":
        return truths(data)
    if not data.roles.target:
        return None
    return _coded(case, data, data.roles.target, f'target "{data.roles.target}"')


def _coded(case: Case, data: Dataset, column: str, source: str) -> NDArray[Any]:
    if case.task == "ranking":
        return relevance(data, column)
    if case.task == "regression":
        return data.numbers(column)
    codes = data.codes(column)
    return np.asarray(class_codes(np.array(codes.levels, dtype=object), case.classes, source)[codes.codes])


def _from_model(case: Case, data: Dataset, model: Model) -> dict[str, Any]:
    size = case.spec.compute.batch
    threshold = case.threshold
    if isinstance(model, ProbabilisticClassifier):
        probability = checked(in_batches(model.predict_proba, data.features, size), model)
        return {"probability": probability, "decision": _decide(case, model, data, probability, threshold, size)}
    if not isinstance(model, Predictor):
        raise ModelError(f"{model.name} can neither predict nor give probabilities")
    if threshold is not None:
        raise ModelError(f"threshold is set, and {model.name} gives no probabilities to hold against it")
    predicted = in_batches(model.predict, data.features, size)
    if case.task == "regression":
        return {"probability": None, "decision": np.where(np.isfinite(predicted), predicted, np.nan)}
    return {"probability": None, "decision": class_codes(predicted, case.classes, f"{model.name}'s prediction")}


def relevant_class(case: Case, data: Dataset, model: Model) -> str | None:
    """The class whose probability sorts a ranking, where a model of two classes does."""
    if case.task != "ranking" or len(model.classes) != 2:
        return None
    return decide_positive(data.roles.positive, model.classes, data.roles.target)


def _sorting(case: Case, data: Dataset, model: Model) -> dict[str, Any]:
    """The one number a row that a ranking sorts by: a regressor's, or the probability of being relevant."""
    size, relevant = case.spec.compute.batch, relevant_class(case, data, model)
    if isinstance(model, ProbabilisticClassifier) and relevant is not None:
        probability = checked(in_batches(model.predict_proba, data.features, size), model)
        score = probability[:, model.classes.index(relevant)]
    elif isinstance(model, Predictor) and not model.classes:
        score = in_batches(model.predict, data.features, size)
    else:
        raise ModelError(
            f"{model.name} decides between {', '.join(model.classes[:12])}, and a ranking sorts by one number: give a "
            "model that returns a score, or a column of scores and no [model]"
        )
    return {"probability": None, "decision": None, "score": np.where(np.isfinite(score), score, np.nan)}


def _decide(
    case: Case, model: Model, data: Dataset, probability: NDArray[np.float64], threshold: float | None, size: int
) -> NDArray[np.int32]:
    """By the deployed threshold where there is one, else as the model's own predict decides."""
    finite = np.asarray(np.isfinite(probability).all(axis=1))
    if threshold is not None and case.positive is not None:
        positive = case.classes.index(case.positive)
        decided = np.where(probability[:, positive] >= threshold, positive, 1 - positive)
    elif isinstance(model, Predictor):
        decided = class_codes(
            in_batches(model.predict, data.features, size), case.classes, f"{model.name}'s prediction"
        )
    else:
        decided = np.where(finite[:, None], probability, 0).argmax(axis=1)
    return np.where(finite, decided, -1).astype(np.int32)


def _stored(case: Case, data: Dataset) -> dict[str, Any]:
    roles = data.roles
    if case.task == "ranking":
        return {"probability": None, "decision": None, "score": data.numbers(roles.score)}
    decision = _coded(case, data, roles.prediction, f'prediction "{roles.prediction}"') if roles.prediction else None
    if roles.scores:
        probability = np.column_stack([data.numbers(name) for name in roles.scores])
        if len(roles.scores) != len(case.classes):
            raise DataError(f"scores names {len(roles.scores)} columns for {len(case.classes)} classes: {case.classes}")
        finite = np.asarray(np.isfinite(probability).all(axis=1))
        _refuse_no_probabilities(probability[finite], roles.scores)
        best = np.where(finite, np.where(np.isfinite(probability), probability, 0).argmax(axis=1), -1)
        return {"probability": probability, "decision": best.astype(np.int32) if decision is None else decision}
    if not roles.score:
        return {"probability": None, "decision": decision}
    score = data.numbers(roles.score)
    threshold = roles.threshold if roles.threshold is not None else 0.5 if _are_probabilities(score) else None
    if decision is None and threshold is not None and case.positive is not None:
        positive = case.classes.index(case.positive)
        decided = np.where(score >= threshold, positive, 1 - positive)
        decision = np.where(np.isfinite(score), decided, -1).astype(np.int32)
    return {"probability": None, "decision": decision, "score": score}


def _refuse_no_probabilities(probability: NDArray[np.float64], columns: tuple[str, ...]) -> None:
    """DataError when stored columns of probabilities leave 0..1 or do not sum to 1."""
    if not len(probability):
        return
    sums = probability.sum(axis=1)
    if not _are_probabilities(probability) or np.abs(sums - 1).max() > TOLERANCE * 10:
        raise DataError(
            f"scores: {', '.join(columns[:6])} must hold one probability a class that sum to 1 in every row; they lie "
            f"in {probability.min():.3g} to {probability.max():.3g} and sum to {sums.min():.3g} to {sums.max():.3g}"
        )


def _are_probabilities(score: NDArray[np.float64]) -> bool:
    finite = score[np.isfinite(score)]
    return bool(len(finite)) and bool(finite.min() >= -TOLERANCE) and bool(finite.max() <= 1 + TOLERANCE)


def _present(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isfinite(values) if values.dtype.kind == "f" else values >= 0


def _whole(values: NDArray[Any]) -> NDArray[np.bool_]:
    """The rows of which nothing is missing."""
    return _present(values) if values.ndim == 1 else np.asarray(_present(values).all(axis=1))


def _not_finite(*arrays: NDArray[Any] | None) -> int:
    bad = [~_whole(a) for a in arrays if a is not None]
    return int(np.logical_or.reduce(bad).sum()) if bad else 0


def need_labels(given: Predictions) -> NDArray[Any]:
    if given.label is None:
        raise Unavailable(
            "missing_input",
            "no target was named, so nothing can be held against the truth",
            "give target in [data.test]",
        )
    return given.label
