"""What a smaller form of a regression model changes, for whom: its errors, paired, and how far it moves.

Why it matters: a form that is as good on average may be worse for a group, or move every prediction a little, which
shows wherever something is decided by them.

How it is measured: model and variant predict the same rows. The change is the mean of the rows' differences of the
absolute errors, the shift the mean distance between both predictions; both with Hall's t interval (weights and clusters
enter it where columns are named for them), for all rows and every group. Rows that either cannot predict are left out,
and their number is said. Classifications: ``efficiency.variants``.

How to reduce the risk: where a group loses, keep the larger form for it or fine-tune the smaller one with its rows
weighted up; measure again.

Sources: Hooker et al. 2020, arXiv 2010.03058; Hall 1992, JRSS B 54.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.variants import Variant, Variants
from audit.results import Outcome
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "variant_error_change": {
        "unit": "target",
        "better": "lower",
        "words": "change of the mean absolute error",
        "params": {"variant": "str"},
    },
    "variant_shift": {
        "unit": "target",
        "better": "lower",
        "words": "mean distance of a variant's predictions from the model's",
        "params": {"variant": "str"},
    },
    "variant_unpredicted": {
        "unit": "rows",
        "better": "lower",
        "words": "rows that a variant cannot predict",
        "params": {"variant": "str"},
    },
}


@check(cost="predict")
def variant_errors(
    variants: Variants, predictions: Predictions, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    if predictions.task != "regression":
        raise Unavailable("not_applicable", f"the task is {predictions.task}, not regression", "see variants")
    sheet = Sheet(measures=MEASURES, level=level)
    for variant in variants.every:
        _compared(sheet, variant, variants, predictions, groups, sampling)
    return sheet.outcome()


def _compared(
    sheet: Sheet, variant: Variant, given: Variants, predictions: Predictions, groups: Groups, sampling: Sampling
) -> None:
    model, other = (np.asarray(p.decision, dtype=float) for p in (predictions, variant.predictions))
    rows, about = given.rows[np.isfinite(other[given.rows])], {"variant": variant.name}
    lost = len(given.rows) - len(rows)
    sheet.add("variant_unpredicted", partial(exact, lost), n=len(given.rows), params=about)
    label = np.full(len(model), np.nan) if predictions.label is None else predictions.label
    worse = np.abs(other - label) - np.abs(model - label)
    for group, at in groups.over(rows):
        here = rows[at]
        shift = partial(sampling.mean, np.abs(other - model)[here], here)
        sheet.add("variant_shift", shift, n=len(here), slice=group, params=about)
        labelled = here[np.isfinite(label[here])]
        change = partial(sampling.mean, worse[labelled], labelled)
        sheet.add("variant_error_change", change, n=len(labelled), rows=len(here), slice=group, params=about)
