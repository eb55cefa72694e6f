"""Rows for which the model gives no usable prediction.

Why it matters: a NaN is not an error that a metric shows; the row simply drops out of every mean. In use, somebody
stands behind it and gets no answer, or a wrong default.

How it is measured: rows whose decision, score or probabilities are missing, NaN or infinite are counted. It is a count
over the data given, so it is exact. All other measures are over the remaining rows.

How to reduce the risk: Find the inputs of these rows, often a missing value or an unseen category, and handle them
before the model. If the model is right to refuse them, say so in its purpose and route them to a person.

Sources: Breck et al., The ML Test Score, IEEE Big Data 2017 (tests of data and infrastructure).
"""

from __future__ import annotations

from functools import partial

from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.inputs.predictions import Predictions
from audit.results import Outcome
from audit.stats import exact

MEASURES = {
    "prediction_failures": {"unit": "rows", "better": "lower", "words": "rows without a usable prediction"},
}


@check(cost="predict")
def failures(predictions: Predictions, data: Dataset, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    sheet.add("prediction_failures", partial(exact, predictions.not_finite), n=data.n)
    return sheet.outcome()
