"""What replacing the model now in use would change in its scores, and for whom: how well they rank, how close they are.

Why it matters: where scores are cut elsewhere, or shown to people, decisions at one threshold do not tell whether the
new model knows more than the old one, for everybody.

How it is measured: model and baseline score the same rows. The change of the area under the ROC curve, model minus
baseline, has DeLong's standard error with the covariance of both areas, in an interval that knows where 0 and 1 are;
the change of the Brier score is the mean of the rows' differences with Hall's t interval, where both give
probabilities. Weights and clusters enter both. For all labelled rows that both score, and every group and crossing. The
two scores need not be on one scale: ranks are compared.

How to reduce the risk: add features that are informative for the group whose area falls, or more of its rows; a Brier
score that rises while the area holds asks for calibration.

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 1988; Sun & Xu, IEEE Signal Processing Letters 2014; Zou & Donner
2008, Statistics in Medicine 27; Brier 1950.
"""

from __future__ import annotations

from audit.check import check
from audit.checks._pair_numbers import add_scores
from audit.checks._pairs import BASELINE
from audit.checks._support import Sheet
from audit.inputs.baseline import Baseline
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Outcome

REQUIRES = {"tasks": ("binary",)}

MEASURES: dict[str, dict[str, object]] = {
    "roc_auc_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the ROC AUC from the baseline",
    },
    "brier_score_change_from_baseline": {
        "unit": "1",
        "better": "lower",
        "words": "change of the Brier score from the baseline",
    },
}


@check(cost="predict")
def scores(baseline: Baseline, predictions: Predictions, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    add_scores(sheet, BASELINE, predictions, baseline.predictions, groups, sampling)
    return sheet.outcome()
