"""How well the probabilities of several classes rank, each class against the rest.

Why it matters: decisions depend on a cut that can be moved; the ranking is what the model has learned. A class whose
probability ranks no better than chance cannot be saved by any cut.

How it is measured: for each class the area under the ROC curve of its probability against all other rows (the chance
that a row of the class gets a higher probability than another row, ties one half), with DeLong's interval on the logit
scale or Newcombe's for few rows, over all rows and for every group and crossing. Their mean: ``performance.averages``.

How to reduce the risk: Add features that tell the class with the lowest area from the ones it is confused with. Look
at the confusion table to see which those are.

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 1988; Sun & Xu, IEEE Signal Processing Letters 2014; Newcombe,
Statistics in Medicine 2006; Hand & Till, Machine Learning 2001 (areas for several classes).
"""

from __future__ import annotations

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.checks.performance._cuts import Cut
from audit.errors import Unavailable
from audit.inputs.each_class import EachClass
from audit.inputs.groups import Groups
from audit.inputs.multiclass import Multiclass
from audit.inputs.sampling import Sampling
from audit.results import Outcome

MEASURES: dict[str, dict[str, object]] = {
    "class_roc_auc": {"unit": "1", "better": "higher", "words": "ROC AUC of a class", "params": {"class": "each"}},
}


@check(cost="predict")
def class_discrimination(
    multiclass: Multiclass, each_class: EachClass, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    if multiclass.probability is None:
        raise Unavailable("missing_input", "there are decisions and no probabilities", "give scores, one a class")
    finite = multiclass.rows[np.isfinite(multiclass.probability).all(axis=1)]
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(finite):
        for one in each_class.every:
            area = Cut.of(one, finite[at], sampling).roc_auc
            sheet.add("class_roc_auc", area, n=len(at), slice=group, params={"class": one.name})
    return sheet.outcome()
