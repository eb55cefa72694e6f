"""Whether the loaded model gives the answers that are known for a few rows.

Why it matters: a model file, its preprocessing and the table can each be right and still not fit: columns in another
order, another unit, another scaling. Nothing crashes and every number that follows is about another model. A handful
of rows with answers written down at training time shows it at once.

How it is measured: the model predicts the rows of [data.known]; a row counts as wrong when its decision is not the
target (for a quantity: when it differs by more than one part in 100,000), or when there is no prediction. The count is
exact.

How to reduce the risk: Compare the features of a wrong row with what the training code fed the model, column by
column. Order, units, scaling and the handling of missing values are the usual culprits.

Sources: Breck et al., The ML Test Score, IEEE Big Data 2017 (training and serving skew).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.predictions import need_labels, predictions
from audit.results import Outcome
from audit.stats import exact

MEASURES = {
    "known_answers_wrong": {"unit": "rows", "better": "lower", "words": "known answers that the model misses"},
    "known_answers_right": {"unit": "1", "better": "higher", "words": "share of known answers that the model gives"},
}

TOLERANCE = 1e-5  # relative: single precision and another order of summation change no more


@check(cost="predict")
def known_answers(case: Case, known: Dataset, level: float) -> Outcome:
    answered = predictions(case, known)
    label = need_labels(answered)
    if answered.labelled is None or answered.decision is None:
        raise Unavailable("missing_input", "there are no decisions to compare", "give threshold or prediction")
    several = label.ndim > 1
    rows = np.flatnonzero((label >= 0).any(axis=1) if several else answered.labelled)
    wanted, given = label[rows], answered.decision[rows]
    right = _close(given, wanted) if case.task == "regression" else given == wanted
    if several:  # every label that is known
        right = (right | (wanted < 0)).all(axis=1)
    k, n = int(right.sum()), len(rows)
    sheet = Sheet(measures=MEASURES, level=level)
    if n == 0:
        why = Unavailable("undefined", "no row of [data.known] has a target", "fill its target column")
        for name in MEASURES:
            sheet.omit(name, why, n=0, rows=known.n)
        return sheet.outcome()
    sheet.add("known_answers_wrong", partial(exact, n - k), n=n)
    sheet.add("known_answers_right", partial(exact, k / n), n=n)
    return sheet.outcome()


def _close(given: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.bool_]:
    largest = float(np.abs(wanted).max(initial=0.0))  # so that an answer of 0 may be missed by rounding, in any unit
    return np.isclose(given, wanted, rtol=TOLERANCE, atol=TOLERANCE * 1e-3 * largest)
