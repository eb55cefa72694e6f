"""Decisions among classes, two or more, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels
from audit.spec import Task

REQUIRES = {"tasks": ("binary", "multiclass"), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Classified:
    """Over the rows with a label and a decision: ``rows`` are their places in the data."""

    rows: NDArray[np.intp]
    task: Task
    classes: tuple[str, ...]
    positive: int  # of a binary task, else -1
    label: NDArray[np.int32]
    decision: NDArray[np.int32]


def classified(predictions: Predictions) -> Classified:
    if predictions.task not in REQUIRES["tasks"]:
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not classification", "nothing to do")
    label = need_labels(predictions)
    if predictions.decision is None or predictions.decided is None:
        raise Unavailable(
            "missing_input", "there are scores and no decisions", "give threshold or prediction in [data.test]"
        )
    rows = np.flatnonzero(predictions.decided & (label >= 0))
    if not len(rows):
        raise Unavailable("undefined", "no row has both a label and a usable prediction", "check the target column")
    return Classified(
        rows=rows,
        task=predictions.task,
        classes=predictions.classes,
        positive=predictions.positive,
        label=label[rows],
        decision=predictions.decision[rows],
    )
