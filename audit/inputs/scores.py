"""Scores of the positive class beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels

REQUIRES = {"tasks": ("binary",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Over the rows with a label and a finite score: ``rows`` are their places in the data."""

    rows: NDArray[np.intp]
    label: NDArray[np.bool_]  # True: the positive class
    score: NDArray[np.float64]
    is_probability: bool


def scores(predictions: Predictions) -> Scores:
    if predictions.task != "binary":
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not binary", "nothing to do")
    label = need_labels(predictions)
    if predictions.score is None:
        raise Unavailable(
            "missing_input", "there are decisions and no scores", "give score, or a model with predict_proba"
        )
    rows = np.flatnonzero(np.isfinite(predictions.score) & (label >= 0))
    if not len(rows):
        raise Unavailable("undefined", "no row has both a label and a finite score", "check target and score columns")
    return Scores(
        rows=rows,
        label=label[rows] == predictions.positive,
        score=predictions.score[rows],
        is_probability=predictions.score_is_probability,
    )
