"""A probability for every class, beside the truth; of a binary task as of one with more classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels
from audit.spec import Task

REQUIRES = {"tasks": ("binary", "multiclass"), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class ClassProbabilities:
    """Over the rows with a label and finite probabilities: ``rows`` are their places in the data."""

    rows: NDArray[np.intp]
    task: Task
    classes: tuple[str, ...]
    positive: int  # of a binary task, else -1
    label: NDArray[np.int32]
    probability: NDArray[np.float64]  # (rows, classes), within 0..1


def class_probabilities(predictions: Predictions) -> ClassProbabilities:
    if predictions.task not in REQUIRES["tasks"]:
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not classification", "nothing to do")
    label = need_labels(predictions)
    table = _table(predictions)
    rows = np.flatnonzero(np.isfinite(table).all(axis=1) & (label >= 0))
    if not len(rows):
        raise Unavailable(
            "undefined", "no row has both a label and finite probabilities", "check target and score columns"
        )
    return ClassProbabilities(
        rows=rows,
        task=predictions.task,
        classes=predictions.classes,
        positive=predictions.positive,
        label=label[rows],
        probability=np.clip(table[rows], 0.0, 1.0),
    )


def _table(predictions: Predictions) -> NDArray[np.float64]:
    if predictions.task == "multiclass":
        if predictions.probability is None:
            raise Unavailable(
                "missing_input", "there are decisions and no probabilities", "give scores, one column a class"
            )
        return predictions.probability
    if predictions.score is None or not predictions.score_is_probability:
        raise Unavailable(
            "missing_input", "there are no probabilities", "give score as probabilities, or a model with predict_proba"
        )
    table = np.empty((len(predictions.score), 2))
    table[:, predictions.positive] = predictions.score
    table[:, 1 - predictions.positive] = 1 - predictions.score
    return table
