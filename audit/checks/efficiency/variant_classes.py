"""What a smaller form of the model changes for each of several classes, for whom: recall, precision, the worst class.

Why it matters: compression takes from rare classes first, and the accuracy of all classes together does not show it.

How it is measured: model and variant decide the same rows. The change of each class's recall is a paired difference
with Tango's score interval (with weights or clusters the mean of the rows' differences); that of its precision a
difference of two shares of nearly the same rows, narrowed to its paired standard error; that of the balanced accuracy
(macro recall) the mean over the classes. The class that loses most was picked out of all, so its interval rests on
those of all classes together. For all rows and every group and crossing; a class without rows in a group has no recall
there to lose, and the worst is found among the others. Accuracy and churn: ``efficiency.variants``.

How to reduce the risk: fine-tune the smaller form with the rows of the class that loses weighted up, prune less, or
calibrate the quantisation on data that hold the class; measure again.

Sources: Hooker et al. 2020, arXiv 2010.03058; Tango 1998, Statistics in Medicine 17; Moskowitz & Pepe 2006, Clinical
Trials 3.
"""

from __future__ import annotations

from audit.check import check
from audit.checks._pair_classes import add_classes
from audit.checks._support import Sheet
from audit.checks.efficiency._changes import against_model
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.variants import Variants
from audit.results import Outcome

REQUIRES = {"tasks": ("multiclass",)}

MEASURES: dict[str, dict[str, object]] = {
    "variant_class_recall_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the recall of a class",
        "params": {"variant": "each", "class": "each"},
    },
    "variant_class_precision_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the precision of a class",
        "params": {"variant": "each", "class": "each"},
    },
    "variant_balanced_accuracy_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the mean recall of all classes",
        "params": {"variant": "each"},
    },
    "variant_worst_class_recall_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the recall of the class that loses most",
        "params": {"variant": "each"},
    },
}


@check(cost="predict")
def variant_classes(
    variants: Variants, predictions: Predictions, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for variant in variants.every:
        add_classes(sheet, against_model(variant), variant.predictions, predictions, groups, sampling)
    return sheet.outcome()
