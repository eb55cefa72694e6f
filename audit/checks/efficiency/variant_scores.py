"""What a smaller form of the model changes in its scores, for whom: how well they rank, and how close they are.

Why it matters: where scores are cut elsewhere later, or shown to people, decisions alone do not tell what compression
took. A form may decide as before and rank one group worse.

How it is measured: model and variant score the same rows. The change of the area under the ROC curve has DeLong's
standard error with the covariance of both areas, in an interval that knows where 0 and 1 are; the change of the Brier
score is the mean of the rows' differences with Hall's t interval, where both give probabilities. Weights and clusters
enter both. For all labelled rows that both score, and every group and crossing. Decisions: ``efficiency.variants``.

How to reduce the risk: calibrate the quantisation on data that hold the group that loses, or keep the last layers in
full precision; measure again.

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 1988; Sun & Xu, IEEE Signal Processing Letters 2014; Hooker et al.
2020, arXiv 2010.03058.
"""

from __future__ import annotations

from audit.check import check
from audit.checks._pair_numbers import add_scores
from audit.checks._support import Sheet
from audit.checks.efficiency._changes import against_model
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.variants import Variants
from audit.results import Outcome

REQUIRES = {"tasks": ("binary",)}

MEASURES: dict[str, dict[str, object]] = {
    "variant_roc_auc_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the ROC AUC",
        "params": {"variant": "each"},
    },
    "variant_brier_score_change": {
        "unit": "1",
        "better": "lower",
        "words": "change of the Brier score",
        "params": {"variant": "each"},
    },
}


@check(cost="predict")
def variant_scores(
    variants: Variants, predictions: Predictions, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for variant in variants.every:
        add_scores(sheet, against_model(variant), variant.predictions, predictions, groups, sampling)
    return sheet.outcome()
