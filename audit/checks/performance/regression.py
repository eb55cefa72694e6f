"""How far predicted quantities are from the true ones, and in which direction.

Why it matters: an error in the unit of the target is what users feel. A model that is right on average can be too high
for one group and too low for another, and whoever is quoted too high a price pays for it.

How it is measured: mean absolute error; root mean squared error, which a few large errors dominate; R squared, the
share of the target's variance that is explained (below 0: the mean would have been the better model); and the mean
residual, observed minus predicted, so that a positive one says that predictions are too low; the share of rows that are
predicted too low, which a few large errors do not move; and the mean prediction. Means with Hall's
interval, which corrects the t interval for skewness; R squared by jackknife on the scale of log(1 - R squared). Over
all rows and for every group and crossing. R squared of a group is against that group's own mean, so it can be low
where a group varies little.

How to reduce the risk: Plot the residuals of the group with the largest mean residual against each feature to find
where they drift. A transformed target or a missing feature is the commonest cause.

Sources: Hall, JRSS B 1992; Willmott & Matsuura, Climate Research 2005 (absolute against squared errors).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.regression import Regression
from audit.inputs.sampling import Sampling
from audit.results import Outcome
from audit.stats import r_squared, root_mean, weighted_r_squared, weighted_root_mean

MEASURES: dict[str, dict[str, object]] = {
    "mean_absolute_error": {"unit": "target", "better": "lower", "words": "mean absolute error"},
    "root_mean_squared_error": {"unit": "target", "better": "lower", "words": "root mean squared error"},
    "r2": {"unit": "1", "better": "higher", "words": "R squared"},
    "mean_residual": {"unit": "target", "better": "zero", "words": "mean of observed minus predicted"},
    "predicted_too_low_share": {
        "unit": "1",
        "better": "none",
        "words": "share of rows predicted below what was observed",
    },
    "mean_prediction": {"unit": "target", "better": "none", "words": "mean prediction"},
    "mean_absolute_error_difference": {"words": "mean absolute error", "of": ["mean_absolute_error"]},
    "mean_residual_difference": {"words": "mean of observed minus predicted", "of": ["mean_residual"]},
    "mean_prediction_difference": {"words": "mean prediction", "of": ["mean_prediction"]},
}

LARGEST = 1e100  # beyond it cubes of the numbers leave what a double can hold


@check(cost="predict")
def regression(regression: Regression, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    size = max(np.abs(regression.label).max(), np.abs(regression.prediction).max())
    if size > LARGEST:
        raise Unavailable("undefined", f"a target or prediction of {size:.3g} cannot be squared", "rescale the target")
    residual = regression.label - regression.prediction
    for group, at in groups.over(regression.rows):
        e, n, rows = residual[at], len(at), regression.rows[at]
        pair = regression.label[at], regression.prediction[at]
        root, explained = partial(root_mean, e**2), partial(r_squared, *pair)
        if not sampling.plain:
            root = partial(weighted_root_mean, e**2, *sampling.drawn(rows))
            explained = partial(weighted_r_squared, *pair, *sampling.drawn(rows))
        sheet.add("mean_absolute_error", partial(sampling.mean, np.abs(e), rows), n=n, slice=group)
        sheet.add("root_mean_squared_error", root, n=n, slice=group)
        sheet.add("r2", explained, n=n, slice=group)
        sheet.add("mean_residual", partial(sampling.mean, e, rows), n=n, slice=group)
        sheet.add("predicted_too_low_share", partial(sampling.rate, e > 0, rows, "predicted"), n=n, slice=group)
        sheet.add("mean_prediction", partial(sampling.mean, pair[1], rows), n=n, slice=group)
    return sheet.outcome()
