"""How far the probabilities are from what happened, row by row.

Why it matters: whoever acts on a probability (a price, a triage, an expected loss) pays for every point that it is
off, also where the decision would have been right. Both measures here are smallest for the true probabilities, so they
cannot be gamed by being bold or timid.

How it is measured: log loss, the mean of -log of the probability of the class that came true (natural logarithm,
clipped at the precision of a double, as scikit-learn does), and the Brier score, the mean squared distance between
probability and outcome (of the positive class for two classes, 0 to 1; summed over the classes for more, 0 to 2).
Means with Hall's interval, which corrects the t interval for skewness, over all rows and for every group and crossing.
Both mix how well the model ranks with how well it is calibrated, and depend on the base rate: groups with other base
rates differ anyway.

How to reduce the risk: Calibrate the probabilities on rows that the model was not trained on, then measure again. If
that changes little, the ranking is what is weak.

Sources: Brier, Monthly Weather Review 1950; Gneiting & Raftery, JASA 2007 (proper scores); Hall, JRSS B 1992.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.check import check
from audit.checks._support import Sheet
from audit.inputs.class_probabilities import ClassProbabilities
from audit.inputs.groups import Groups
from audit.inputs.sampling import Sampling
from audit.results import Outcome

MEASURES = {
    "log_loss": {"unit": "nats", "better": "lower", "words": "log loss"},
    "brier_score": {"unit": "1", "better": "lower", "words": "Brier score"},
}

EPSILON = float(np.finfo(np.float64).eps)


@check(cost="predict")
def probability_error(
    class_probabilities: ClassProbabilities, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    errors = {"log_loss": _surprise(class_probabilities), "brier_score": _squared_distance(class_probabilities)}
    for group, at in groups.over(class_probabilities.rows):
        for name, each in errors.items():
            sheet.add(name, partial(sampling.mean, each[at], class_probabilities.rows[at]), n=len(at), slice=group)
    return sheet.outcome()


def _surprise(found: ClassProbabilities) -> NDArray[np.float64]:
    came_true = found.probability[np.arange(len(found.label)), found.label]
    return np.asarray(-np.log(np.clip(came_true, EPSILON, 1 - EPSILON)))


def _squared_distance(found: ClassProbabilities) -> NDArray[np.float64]:
    if found.task == "binary":
        outcome = found.label == found.positive
        return np.asarray((outcome - found.probability[:, found.positive]) ** 2)
    outcome = found.label[:, None] == np.arange(len(found.classes))
    return np.asarray(((outcome - found.probability) ** 2).sum(axis=1))
