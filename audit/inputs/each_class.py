"""Each class, or each label of a multilabel task, against all else: as many yes-or-no questions as there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels
from audit.spec import Task

REQUIRES = {"tasks": ("binary", "multiclass", "multilabel"), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class OneClass:
    """All arrays have one entry a row of the data; label and decision are codes, -1 where they are not known."""

    name: str
    label: NDArray[np.int32]
    decision: NDArray[np.int32]
    code: int  # of the class in both
    score: NDArray[np.float64] | None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """The rows with a label and a decision."""
        return np.asarray((self.label >= 0) & (self.decision >= 0))


@dataclass(frozen=True, kw_only=True)
class EachClass:
    """``rows`` are the places of the rows that at least one class or label can use."""

    task: Task
    every: tuple[OneClass, ...]
    rows: NDArray[np.intp]


def each_class(predictions: Predictions) -> EachClass:
    label = need_labels(predictions)
    if predictions.decision is None:
        raise Unavailable("missing_input", "there are no decisions", "give prediction, or scores")
    several = predictions.task == "multilabel"
    every = tuple(
        OneClass(
            name=name,
            label=label[:, k] if several else label,
            decision=predictions.decision[:, k] if several else predictions.decision,
            code=1 if several else k,
            score=_score(predictions, k),
        )
        for k, name in enumerate(predictions.classes)
    )
    rows = np.flatnonzero(np.logical_or.reduce([one.usable for one in every]))
    if not len(rows):
        raise Unavailable("undefined", "no row has both a label and a usable prediction", "check the target column")
    return EachClass(task=predictions.task, every=every, rows=rows)


def _score(predictions: Predictions, k: int) -> NDArray[np.float64] | None:
    return None if predictions.probability is None else predictions.probability[:, k]
