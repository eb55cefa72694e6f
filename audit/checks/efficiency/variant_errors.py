"""What a smaller form of a regression model changes, for whom: its errors, paired, and how far it moves.

Why it matters: a form that is as good on average may be worse for a group, or move every prediction a little, which
shows wherever something is decided by them.

How it is measured: model and variant predict the same rows. The change is the mean of the rows' differences of the
absolute errors, the drift that of the predictions, the shift the mean distance between them, each with Hall's t
interval (weights and clusters enter it where columns are named for them); the change of the root mean squared error,
which few large errors dominate, is the difference of two roots narrowed to its paired standard error. For all rows and
every group. Rows that either cannot predict are left out, and their number is said. Classifications:
``efficiency.variants``.

How to reduce the risk: where a group loses, keep the larger form for it or fine-tune the smaller one with its rows
weighted up; measure again.

Sources: Hooker et al. 2020, arXiv 2010.03058; Hall 1992, JRSS B 54.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._pair_numbers import add_errors
from audit.checks._support import Sheet
from audit.checks.efficiency._changes import against_model
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.variants import Variants
from audit.results import Outcome
from audit.stats import exact

REQUIRES = {"tasks": ("regression",)}

MEASURES: dict[str, dict[str, object]] = {
    "variant_error_change": {
        "unit": "target",
        "better": "lower",
        "words": "change of the mean absolute error",
        "params": {"variant": "each"},
    },
    "variant_root_mean_squared_error_change": {
        "unit": "target",
        "better": "lower",
        "words": "change of the root mean squared error",
        "params": {"variant": "each"},
    },
    "variant_mean_prediction_change": {
        "unit": "target",
        "better": "zero",
        "words": "change of the mean prediction",
        "params": {"variant": "each"},
    },
    "variant_shift": {
        "unit": "target",
        "better": "lower",
        "words": "mean distance of a variant's predictions from the model's",
        "params": {"variant": "each"},
    },
    "variant_unpredicted": {
        "unit": "rows",
        "better": "lower",
        "words": "rows that a variant cannot predict",
        "params": {"variant": "each"},
    },
}


@check(cost="predict")
def variant_errors(
    variants: Variants, predictions: Predictions, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for variant in variants.every:
        against, found = against_model(variant), variant.predictions
        add_errors(sheet, against, found, predictions, groups, sampling)
        lost = variants.rows[~np.isfinite(np.asarray(found.decision, dtype=float)[variants.rows])]
        unpredicted = partial(exact, len(lost))
        sheet.add("variant_unpredicted", unpredicted, n=len(variants.rows), params=against.about)
    return sheet.outcome()
