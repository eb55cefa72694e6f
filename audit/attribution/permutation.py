"""Loss of single rows, and what it becomes when a column, or a group of columns, is shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import Unavailable
from audit.models import Model, ProbabilisticClassifier, Regressor

from .hybrids import rows_per_call

Floats = NDArray[np.float64]
CLIP = 1e-6  # a probability of 0 for what happened would be an infinite loss


def losses(model: Model, columns: Columns, truth: NDArray[Any]) -> Floats:
    """Log loss (nats) of the true class, whose code is ``truth``, or squared error of the value; shape (n,)."""
    if isinstance(model, ProbabilisticClassifier):
        probability = model.predict_proba(columns)
        found = -np.log(np.clip(probability[np.arange(len(truth)), truth.astype(np.int64)], CLIP, 1.0))
    elif isinstance(model, Regressor):
        found = (model.predict_value(columns) - truth) ** 2
    else:
        raise Unavailable(
            "not_applicable", f"{model.name} gives labels only, which have no loss", "give a model with predict_proba"
        )
    if not np.isfinite(found).all():
        raise Unavailable("undefined", "the model returns NaN for some rows", "find the inputs that it cannot answer")
    return np.asarray(found, dtype=np.float64)


def loss_increase(
    model: Model,
    columns: Columns,
    truth: NDArray[Any],
    names: Sequence[str],
    before: Floats,
    draw: np.random.Generator,
    repeats: int,
) -> Floats:
    """Mean over the shuffles of each row's loss less its loss ``before``, shape (n,); ``names`` move together."""
    n = len(truth)
    orders = np.array([draw.permutation(n) for _ in range(repeats)])
    together = max(1, rows_per_call(len(columns)) // n)
    total = np.zeros(n)
    for start in range(0, repeats, together):
        order = orders[start : start + together]
        tiled = {key: np.concatenate([values] * len(order)) for key, values in columns.items()}
        tiled |= {name: columns[name][order.reshape(-1)] for name in names}
        total += losses(model, tiled, np.tile(truth, len(order))).reshape(len(order), n).sum(axis=0)
    return np.asarray(total / repeats - before)
