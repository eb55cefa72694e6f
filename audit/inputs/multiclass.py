"""Predictions among more than two classes, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels

REQUIRES = {"tasks": ("multiclass",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Multiclass:
    """Over the rows with a label and a decision: ``rows`` are their places in the data."""

    rows: NDArray[np.intp]
    classes: tuple[str, ...]
    label: NDArray[np.int32]
    decision: NDArray[np.int32]
    probability: NDArray[np.float64] | None  # (rows, classes)


def multiclass(predictions: Predictions) -> Multiclass:
    if predictions.task != "multiclass":
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not multiclass", "nothing to do")
    label = need_labels(predictions)
    if predictions.decision is None or predictions.decided is None:
        raise Unavailable("missing_input", "there are no decisions", "give prediction or scores")
    rows = np.flatnonzero(predictions.decided & (label >= 0))
    if not len(rows):
        raise Unavailable("undefined", "no row has both a label and a usable prediction", "check the target column")
    return Multiclass(
        rows=rows,
        classes=predictions.classes,
        label=label[rows],
        decision=predictions.decision[rows],
        probability=None if predictions.probability is None else predictions.probability[rows],
    )
