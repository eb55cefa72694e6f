"""Rows that the model answers otherwise when it is asked a second time.

Why it matters: a network that was left in training mode, a random step in a pipeline or a mean over the batch gives a
row another score each time, or one that depends on who stands beside it. Every other number then describes one draw
of that chance, and nobody who asks again gets the answer that was audited.

How it is measured: up to 100 rows, evenly spaced, are given to the model again, in the opposite order and without the
others. A row counts where a probability, score or value differs by more than 1e-4 (relative to values beyond 1), or,
of a model that gives decisions alone, where the decision does. It is a count over the rows asked, so it is exact.

How to reduce the risk: Put the model into evaluation mode and use running statistics, fix the seed of random steps, and
let no step look at more than its own row. If the model is meant to decide by lot, say so in its purpose.

Sources: Breck et al., The ML Test Score, IEEE Big Data 2017 (training and serving are reproducible).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.check import check
from audit.checks._support import Sheet
from audit.inputs.predictions import Predictions
from audit.inputs.repeated import Repeated
from audit.results import Outcome
from audit.stats import exact

MEASURES = {
    "answers_not_repeated": {
        "unit": "rows",
        "better": "lower",
        "words": "rows answered otherwise when asked again",
    },
}
TOLERANCE = 1e-4  # calls of another size may add up in another order


@check(cost="predict")
def repeatability(predictions: Predictions, repeated: Repeated, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    first, again = (_answers(p) for p in (predictions, repeated.predictions))
    changed = int(_differ(first[repeated.rows], again).sum())
    sheet.add("answers_not_repeated", partial(exact, changed), n=len(repeated.rows))
    return sheet.outcome()


def _answers(found: Predictions) -> NDArray[np.float64]:
    """The finest that the model says of each row, shape (n, numbers); NaN where it says nothing."""
    said = next(a for a in (found.probability, found.score, found.decision) if a is not None)
    return np.asarray(said, dtype=np.float64).reshape(len(said), -1)


def _differ(first: NDArray[np.float64], again: NDArray[np.float64]) -> NDArray[np.bool_]:
    same = np.isclose(again, first, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return np.asarray(~same.all(axis=1))
