"""The decisions of a binary task, whether or not the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions

REQUIRES = {"tasks": ("binary",)}


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """Over the rows that have a decision: ``rows`` are their places in the data."""

    rows: NDArray[np.intp]
    positive: NDArray[np.bool_]  # decided for the positive class
    favourable: NDArray[np.bool_]  # decided for the outcome that people want


def decisions(predictions: Predictions) -> Decisions:
    if predictions.task != "binary":
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not binary", "nothing to do")
    if predictions.decision is None or predictions.decided is None:
        raise Unavailable(
            "missing_input",
            "the score is no probability and no threshold was given, so there are no decisions",
            "give threshold or prediction in [data.test]",
        )
    rows = np.flatnonzero(predictions.decided)
    if not len(rows):
        raise Unavailable("undefined", "no row has a usable prediction", "find out why the model returns NaN")
    decided = predictions.decision[rows]
    return Decisions(rows=rows, positive=decided == predictions.positive, favourable=decided == predictions.favourable)
