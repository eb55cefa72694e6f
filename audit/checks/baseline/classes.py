"""What replacing the model now in use would change for each of several classes, and for whom.

Why it matters: a new model can gain on the frequent classes what it loses on the one that matters, and the accuracy of
all together rises.

How it is measured: model and baseline decide the same rows. The change of each class's recall is a paired difference,
model minus baseline, with Tango's score interval (with weights or clusters the mean of the rows' differences); that of
its precision a difference of two shares of nearly the same rows, narrowed to its paired standard error; that of the
balanced accuracy (macro recall) the mean over the classes. The class that loses most was picked out of all, so its
interval rests on those of all classes together. For all rows and every group and crossing; a class without rows in a
group has no recall there to lose, and the worst is found among the others.

How to reduce the risk: train with the rows of the class that loses weighted up, or decide by expected cost and not by
the largest probability; measure again.

Sources: Tango 1998, Statistics in Medicine 17; Moskowitz & Pepe 2006, Clinical Trials 3; Zou & Donner 2008, Statistics
in Medicine 27.
"""

from __future__ import annotations

from audit.check import check
from audit.checks._pair_classes import add_classes
from audit.checks._pairs import BASELINE
from audit.checks._support import Sheet
from audit.inputs.baseline import Baseline
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Outcome

REQUIRES = {"tasks": ("multiclass",)}

MEASURES: dict[str, dict[str, object]] = {
    "class_recall_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the recall of a class from the baseline",
        "params": {"class": "each"},
    },
    "class_precision_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the precision of a class from the baseline",
        "params": {"class": "each"},
    },
    "balanced_accuracy_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the mean recall of all classes from the baseline",
    },
    "worst_class_recall_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the recall of the class that loses most from the baseline",
    },
}


@check(cost="predict")
def classes(baseline: Baseline, predictions: Predictions, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    add_classes(sheet, BASELINE, predictions, baseline.predictions, groups, sampling)
    return sheet.outcome()
