"""All labels of every row together, as they are and as they are decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels

REQUIRES = {"tasks": ("multilabel",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Multilabel:
    """Over the rows with a truth and a decision of some label: ``rows`` are their places in the data.

    ``truth`` and ``chosen`` are (rows, labels); they mean something where ``known``, which says that both are there.
    """

    rows: NDArray[np.intp]
    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    chosen: NDArray[np.bool_]
    known: NDArray[np.bool_]
    n: int  # rows of the data


def multilabel(predictions: Predictions) -> Multilabel:
    truth, decision = need_labels(predictions), predictions.decision
    if decision is None:
        raise Unavailable("missing_input", "there are no decisions", "give prediction, or scores, one a label")
    known = np.asarray((truth >= 0) & (decision >= 0))
    rows = np.flatnonzero(known.any(axis=1))
    if not len(rows):
        raise Unavailable("undefined", "no row has both a truth and a usable prediction", "check the target columns")
    return Multilabel(
        rows=rows,
        labels=predictions.classes,
        truth=truth[rows] == 1,
        chosen=decision[rows] == 1,
        known=known[rows],
        n=len(truth),
    )
