"""Predicted quantities beside the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels

REQUIRES = {"tasks": ("regression",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Regression:
    """Over the rows with a finite label and prediction: ``rows`` are their places in the data."""

    rows: NDArray[np.intp]
    label: NDArray[np.float64]
    prediction: NDArray[np.float64]


def regression(predictions: Predictions) -> Regression:
    if predictions.task != "regression":
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not regression", "nothing to do")
    label = need_labels(predictions)
    if predictions.decision is None:
        raise Unavailable("missing_input", "there are no predictions", "give prediction in [data.test]")
    rows = np.flatnonzero(np.isfinite(predictions.decision) & np.isfinite(label))
    if not len(rows):
        raise Unavailable("undefined", "no row has both a label and a finite prediction", "check the target column")
    return Regression(rows=rows, label=label[rows], prediction=predictions.decision[rows])
