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

from audit.check import check
from audit.checks._support import Sheet
from audit.checks.performance._classes import ClassCounts
from audit.inputs.groups import Groups
from audit.inputs.multiclass import Multiclass
from audit.results import Outcome

MEASURES = {
    "class_recall": {"unit": "1", "better": "higher", "words": "recall of a class", "params": {"class": "str"}},
    "class_precision": {"unit": "1", "better": "higher", "words": "precision of a class", "params": {"class": "str"}},
    "class_f1": {"unit": "1", "better": "higher", "words": "F1 of a class", "params": {"class": "str"}},
}


@check(cost="predict")
def per_class(multiclass: Multiclass, groups: Groups, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(multiclass.rows):
        counts = ClassCounts.of(multiclass.classes, multiclass.label[at], multiclass.decision[at])
        for k, name in enumerate(multiclass.classes):
            actual, predicted = int(counts.actual[k]), int(counts.predicted[k])
            either = actual + predicted - int(counts.correct[k])
            for measure, build, n in (
                ("class_recall", counts.recall, actual),
                ("class_precision", counts.precision, predicted),
                ("class_f1", counts.f1, either),
            ):
                sheet.add(measure, partial(build, k), n=n, rows=counts.n, slice=group, params={"class": name})
    return sheet.outcome()
