"""What replacing the model now in use would change in what is predicted, and for whom: errors and their direction.

Why it matters: a model with smaller errors on average can be further off for a group, or move all of its predictions to
one side; whoever is quoted a price by it pays for that.

How it is measured: model and baseline predict the same rows. The change is the mean of the rows' differences of the
absolute errors, model minus baseline, the drift that of the predictions, the shift the mean distance between them, each
with Hall's t interval (weights and clusters enter it where columns are named for them); the change of the root mean
squared error, which few large errors dominate, is the difference of two roots narrowed to its paired standard error.
For all rows that both predict and every group and crossing.

How to reduce the risk: look at the rows of the group that loses whose errors grew most, and train on more like them;
measure again.

Sources: Hall 1992, JRSS B 54; Zou & Donner 2008, Statistics in Medicine 27.
"""

from __future__ import annotations

from audit.check import check
from audit.checks._pair_numbers import add_errors
from audit.checks._pairs import BASELINE
from audit.checks._support import Sheet
from audit.inputs.baseline import Baseline
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Outcome

REQUIRES = {"tasks": ("regression",)}

MEASURES: dict[str, dict[str, object]] = {
    "error_change_from_baseline": {
        "unit": "target",
        "better": "lower",
        "words": "change of the mean absolute error from the baseline",
    },
    "root_mean_squared_error_change_from_baseline": {
        "unit": "target",
        "better": "lower",
        "words": "change of the root mean squared error from the baseline",
    },
    "mean_prediction_change_from_baseline": {
        "unit": "target",
        "better": "zero",
        "words": "change of the mean prediction from the baseline",
    },
    "shift_from_baseline": {
        "unit": "target",
        "better": "none",
        "words": "mean distance of the predictions from the baseline's",
    },
}


@check(cost="predict")
def errors(baseline: Baseline, predictions: Predictions, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    add_errors(sheet, BASELINE, predictions, baseline.predictions, groups, sampling)
    return sheet.outcome()
