"""Averages over the classes, or over the labels of a multilabel task.

Why it matters: a mean over rows is a mean over whatever is common. A mean over classes lets the rare one count as much
as the common one; it still hides which one is weak, so read the worst class beside it.

How it is measured: precision, recall, F1, area under the ROC curve and average precision of every class against all
else, or of every label by itself, and their plain mean (macro average), over all rows and for every group and crossing.
A row takes part in the values of several classes, so these are not independent: the standard error is that of the
influence that each row has on the mean, on the logit scale; where the mean is 0 or 1, which has no logit, the interval
is MOVER's from those of the classes. The recalls of classes that no row shares are independent, so their mean has
MOVER's interval throughout; it is the balanced accuracy. A row whose truth is not known for one label still counts for
the others. A group without rows of some class has no mean; that is said, not guessed. Two classes have one area.

How to reduce the risk: Look at the values of the single classes, and mend the lowest: more of its rows, a threshold of
its own, or a class that nobody needs to tell apart merged with its neighbour.

Sources: Sokolova & Lapalme, Information Processing & Management 2009; Zhang & Zhou, IEEE TKDE 2014 (several labels);
Takahashi et al., Applied Intelligence 2022 (intervals of averages of F1); DeLong, DeLong & Clarke-Pearson, Biometrics
1988; Boyd, Eng & Page, ECML 2013 (average precision); Zou & Donner, Statistics in Medicine 2008.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.check import check
from audit.checks._support import Places, Sheet
from audit.checks.performance._cuts import Cut
from audit.errors import Unavailable
from audit.inputs.each_class import EachClass
from audit.inputs.groups import Groups
from audit.inputs.sampling import Sampling
from audit.results import Basis, Outcome
from audit.stats import (
    Influence,
    auc_influence,
    average,
    average_precision_influence,
    f1_influence,
    linearised,
    mean_influence,
    share_influence,
)

MEASURES: dict[str, dict[str, object]] = {
    "macro_f1": {"unit": "1", "better": "higher", "words": "mean F1 of the classes"},
    "macro_precision": {"unit": "1", "better": "higher", "words": "mean precision of the classes"},
    "macro_recall": {"unit": "1", "better": "higher", "words": "mean recall of the classes"},
    "macro_roc_auc": {"unit": "1", "better": "higher", "words": "mean ROC AUC of the classes"},
    "macro_average_precision": {"unit": "1", "better": "higher", "words": "mean average precision of the classes"},
}
OF_SCORES = ("macro_roc_auc", "macro_average_precision")
FEWEST = 3  # rows, below which how they vary cannot be seen
ROUNDING = 1e-12

Weight = NDArray[np.float64]
# measure: the value of one class, and what each of its rows has to do with it
PARTS: dict[str, tuple[Callable[[Cut], Basis], Callable[[Cut, Weight], Influence]]] = {
    "macro_f1": (Cut.f1, lambda cut, w: f1_influence(cut.truth, cut.chosen, w)),
    "macro_precision": (Cut.precision, lambda cut, w: share_influence(cut.truth, cut.chosen, w)),
    "macro_recall": (Cut.recall, lambda cut, w: share_influence(cut.chosen, cut.truth, w)),
    "macro_roc_auc": (Cut.roc_auc, lambda cut, w: auc_influence(cut.scores, cut.truth, w)),
    "macro_average_precision": (
        Cut.average_precision,
        lambda cut, w: average_precision_influence(cut.scores, cut.truth),
    ),
}


@check(cost="predict")
def averages(each_class: EachClass, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    one_area = each_class.task == "binary"
    for group, at in groups.over(each_class.rows):
        rows = each_class.rows[at]
        for name in PARTS:
            if not (one_area and name in OF_SCORES):
                sheet.add(name, partial(macro, name, each_class, rows, sampling), n=len(rows), slice=group)
    for name in OF_SCORES if one_area else ():
        why = Unavailable("not_applicable", "two classes have one area", "use roc_auc, or average_precision")
        sheet.omit(name, why, n=0, rows=len(each_class.rows))
    return sheet.outcome()


def macro(name: str, found: EachClass, rows: Places, sampling: Sampling) -> Basis:
    """The mean over the classes, from the influence of each of ``rows`` (places in the data)."""
    of_class, moved = PARTS[name]
    weight, cluster = sampling.drawn(rows)
    parts, influences = [], []
    for one in found.every:
        cut = Cut.of(one, rows, sampling)
        cut = cut.scored() if name in OF_SCORES else cut
        parts.append(of_class(cut))
        place = np.searchsorted(rows, cut.rows)
        value, influence = moved(cut, weight[place])
        whole = np.zeros(len(rows))
        whole[place] = influence
        influences.append((value, whole))
    if name == "macro_recall" and found.task != "multilabel" and sampling.plain:
        return average(parts)  # recalls of classes that share no row: the balanced accuracy, and its interval
    mean, influence = mean_influence(influences)
    if not ROUNDING < mean < 1 - ROUNDING or len(rows) < FEWEST or np.abs(influence).max() < ROUNDING:
        return average(parts)
    return linearised(mean, influence, weight, cluster, "logit")
