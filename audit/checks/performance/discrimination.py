"""How well the scores rank those with the outcome above those without it.

Why it matters: a score that ranks well can be cut wherever the costs demand; one that ranks badly cannot be mended by
any threshold. When it ranks worse for one group, that group's members are told apart less fairly than others.

How it is measured: the area under the ROC curve (the chance that a positive row scores higher than a negative one,
ties one half), with DeLong's interval on the logit scale, or Newcombe's score interval below 50 rows of a class; and
average precision, the mean precision over the recall steps without interpolation. Over all rows with a label and a
score and for every group and crossing. Average precision depends on how frequent the outcome is, so do not compare it
between groups whose base rates differ.

How to reduce the risk: Add features that are informative for the group with the lowest area, or more of its rows. An
area below one half means that the scores rank the wrong way round: check which class is positive.

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 1988; Sun & Xu, IEEE Signal Processing Letters 2014; Newcombe,
Statistics in Medicine 2006; Boyd, Eng & Page, ECML 2013 (average precision).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.check import check
from audit.checks._support import Places, Sheet, curves, line
from audit.inputs.groups import Groups
from audit.inputs.sampling import Sampling
from audit.inputs.scores import Scores
from audit.results import Curve, Outcome, Series
from audit.stats import auc, average_precision, weighted_auc, weighted_average_precision

MEASURES = {
    "roc_auc": {"unit": "1", "better": "higher", "words": "ROC AUC"},
    "average_precision": {"unit": "1", "better": "higher", "words": "average precision"},
}

ROC = Curve(
    name="roc",
    title="ROC curve",
    x_label="false positive rate",
    y_label="true positive rate",
    series=(),
    diagonal=True,
    note="Every threshold at once; the diagonal is what chance would give. It does not show which threshold is in use.",
)
PRECISION_RECALL = Curve(
    name="precision_recall",
    title="Precision and recall",
    x_label="recall",
    y_label="precision",
    series=(),
    note="Chance would give a level line at the base rate, which may differ between groups.",
)


@check(cost="predict")
def discrimination(scores: Scores, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(scores.rows):
        pair = scores.score[at], scores.label[at]
        area, precision = partial(auc, *pair), partial(average_precision, *pair)
        if not sampling.plain:
            drawn = sampling.drawn(scores.rows[at])
            area, precision = (partial(of, *pair, *drawn) for of in (weighted_auc, weighted_average_precision))
        sheet.add("roc_auc", area, n=len(at), slice=group)
        sheet.add("average_precision", precision, n=len(at), slice=group)
    roc = curves(ROC, groups, scores.rows, partial(_roc, scores))
    return sheet.outcome(*roc, *curves(PRECISION_RECALL, groups, scores.rows, partial(_precision_recall, scores)))


def _cumulated(scores: Scores, at: Places) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and false positives at each threshold, from the highest score down; a tie is one threshold."""
    order = at[np.argsort(-scores.score[at], kind="stable")]
    ends = np.append(np.flatnonzero(np.diff(scores.score[order])), len(order) - 1)
    hits = np.cumsum(scores.label[order])[ends].astype(float)
    return hits, ends + 1 - hits


def _roc(scores: Scores, label: str, at: Places) -> Series | None:
    positives = int(scores.label[at].sum())
    if not 0 < positives < len(at):
        return None
    tp, fp = _cumulated(scores, at)
    return line(label, np.append(0.0, fp / (len(at) - positives)), np.append(0.0, tp / positives))


def _precision_recall(scores: Scores, label: str, at: Places) -> Series | None:
    positives = int(scores.label[at].sum())
    if not positives:
        return None
    tp, fp = _cumulated(scores, at)
    return line(label, tp / positives, tp / (tp + fp))
