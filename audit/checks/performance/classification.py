"""How often the decisions are right, overall and for every group.

Why it matters: it is the first question anyone asks, and the average hides the rest: a model that is right 95 % of the
time can be right half of the time for a class that is rare or a group that is small.

How it is measured: accuracy with Wilson's interval; balanced accuracy, the mean of the recalls of all classes, so that
a rare class counts as much as a common one; F1 of the positive class, with Wilson's interval of the Jaccard index that
it is a function of. A group without rows of some class has no balanced accuracy; that is said, not guessed. The table
shows which class is taken for which. Means over classes of F1 and others: ``performance.averages``.

How to reduce the risk: Read the rows that are decided wrongly, the most confident first, and correct their labels or
add the feature that would tell them apart. Compare with the simplest model there is, such as always the commonest
class: accuracy far above it is what counts.

Sources: Wilson 1927, JASA 22; Brodersen et al., ICPR 2010 (balanced accuracy); Zou & Donner, Statistics in Medicine
2008 (intervals of sums); Takahashi et al., Applied Intelligence 2022 (intervals of F1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from audit import wording
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.performance._classes import ClassCounts, balanced_accuracy
from audit.errors import Unavailable
from audit.inputs.classified import Classified
from audit.inputs.groups import Groups
from audit.inputs.sampling import Drawn, Sampling
from audit.results import Basis, Outcome, Table
from audit.stats import weighted_balanced_accuracy, weighted_f1

MEASURES: dict[str, dict[str, object]] = {
    "accuracy": {"unit": "1", "better": "higher", "words": "share decided correctly"},
    "balanced_accuracy": {"unit": "1", "better": "higher", "words": "balanced accuracy, mean recall of the classes"},
    "f1": {"unit": "1", "better": "higher", "words": "F1 of the positive class"},
    "accuracy_parity_difference": {"words": "accuracy parity, share decided correctly", "of": ["accuracy"]},
    "accuracy_parity_ratio": {"words": "accuracy parity, share decided correctly", "of": ["accuracy"]},
}


@check(cost="predict")
def classification(classified: Classified, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(classified.rows):
        counts = ClassCounts.of(classified.classes, classified.label[at], classified.decision[at])
        hits = counts.label == counts.decision
        right = partial(sampling.rate, hits, classified.rows[at], "labelled and decided")
        sheet.add("accuracy", right, n=counts.n, slice=group)
        of_classes = _counted if sampling.plain else partial(_weighted, drawn=sampling.drawn(classified.rows[at]))
        for name, build in of_classes(counts, classified.positive).items():
            sheet.add(name, build, n=counts.n, slice=group)
    if classified.positive < 0:
        why = Unavailable(
            "not_applicable", "F1 of one class is for two classes", "use macro_f1, or class_f1 of a class"
        )
        sheet.omit("f1", why, n=0, rows=len(classified.rows))
    return sheet.outcome(_confusion_table(classified))


Builders = dict[str, Callable[[], Basis]]


def _counted(counts: ClassCounts, positive: int) -> Builders:
    found: Builders = {"balanced_accuracy": partial(balanced_accuracy, counts)}
    return found | ({"f1": partial(counts.f1, positive)} if positive >= 0 else {})


def _weighted(counts: ClassCounts, positive: int, drawn: Drawn) -> Builders:
    given = counts.label, counts.decision, len(counts.classes), *drawn
    of_positive = counts.label == positive, counts.decision == positive, *drawn
    found: Builders = {"balanced_accuracy": partial(weighted_balanced_accuracy, *given)}
    return found | ({"f1": partial(weighted_f1, *of_positive)} if positive >= 0 else {})


def _confusion_table(found: Classified) -> Table:
    size = len(found.classes)
    cells = np.bincount(found.label.astype(np.int64) * size + found.decision, minlength=size * size)
    rows = cells.reshape(size, size).tolist()
    return Table(
        name="confusion",
        title="Which class is taken for which",
        columns=("label", *(f"decided {wording.label(name)}" for name in found.classes)),
        rows=tuple((name, *counts) for name, counts in zip(found.classes, rows, strict=True)),
        note="Rows of the data: a line a true class, a column a decision. Right decisions lie on the diagonal.",
    )
