"""How well each of several classes is recognised, overall and for every group.

Why it matters: an average over classes says nothing of the class that matters. A screening model that finds nine
common conditions and misses the dangerous one has a good average.

How it is measured: for each class its recall (share of its rows that are decided so), its precision (share of the rows
decided so that are its own) and its F1, each with Wilson's interval, over all rows and for every group and crossing. A
class without rows in a group has no recall there; that is said, not taken for 0.

How to reduce the risk: Collect more rows of the class with the lowest recall, or merge classes that nobody needs to
tell apart. Where one error is worse than another, decide by expected cost and not by the largest probability.

Sources: Wilson 1927, JASA 22; Sokolova & Lapalme, Information Processing & Management 2009.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.check import check
from audit.checks._support import Places, Sheet
from audit.checks.performance._classes import ClassCounts
from audit.inputs.groups import Groups
from audit.inputs.multiclass import Multiclass
from audit.inputs.sampling import Sampling
from audit.results import Basis, Outcome
from audit.stats import weighted_f1

Mask = NDArray[np.bool_]

MEASURES: dict[str, dict[str, object]] = {
    "class_recall": {"unit": "1", "better": "higher", "words": "recall of a class", "params": {"class": "str"}},
    "class_precision": {"unit": "1", "better": "higher", "words": "precision of a class", "params": {"class": "str"}},
    "class_selection_rate": {
        "unit": "1",
        "better": "none",
        "words": "share decided a class",
        "params": {"class": "str"},
    },
    "class_false_positive_rate": {
        "unit": "1",
        "better": "lower",
        "words": "share of other classes' rows decided a class",
        "params": {"class": "str"},
    },
    "class_f1": {"unit": "1", "better": "higher", "words": "F1 of a class", "params": {"class": "str"}},
}


@check(cost="predict")
def per_class(multiclass: Multiclass, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(multiclass.rows):
        rows, label, decision = multiclass.rows[at], multiclass.label[at], multiclass.decision[at]
        counts = ClassCounts.of(multiclass.classes, label, decision)
        for k, name in enumerate(multiclass.classes):
            actual, chosen, shown = label == k, decision == k, wording.label(name)
            f1 = partial(counts.f1, k)
            if not sampling.plain:
                f1 = partial(weighted_f1, actual, chosen, *sampling.drawn(rows))
            recall = partial(_share, sampling, rows, chosen, actual, f"labelled {shown}")
            precision = partial(_share, sampling, rows, actual, chosen, f"decided {shown}")
            wrongly = partial(_share, sampling, rows, chosen, ~actual, f"labelled other than {shown}")
            for measure, build, n in (
                ("class_recall", recall, actual.sum()),
                ("class_precision", precision, chosen.sum()),
                ("class_selection_rate", partial(sampling.rate, chosen, rows, "decided"), counts.n),
                ("class_false_positive_rate", wrongly, (~actual).sum()),
                ("class_f1", f1, (actual | chosen).sum()),
            ):
                sheet.add(measure, build, n=int(n), rows=counts.n, slice=group, params={"class": name})
    return sheet.outcome()


def _share(sampling: Sampling, rows: Places, success: Mask, among: Mask, of: str) -> Basis:
    return sampling.rate(success[among], rows[among], of)
