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
from audit.checks.performance._cuts import Cut
from audit.inputs.each_class import EachClass
from audit.inputs.groups import Groups
from audit.inputs.multiclass import Multiclass
from audit.inputs.sampling import Sampling
from audit.results import Outcome

MEASURES: dict[str, dict[str, object]] = {
    "class_recall": {"unit": "1", "better": "higher", "words": "recall of a class", "params": {"class": "each"}},
    "class_precision": {"unit": "1", "better": "higher", "words": "precision of a class", "params": {"class": "each"}},
    "class_selection_rate": {
        "unit": "1",
        "better": "none",
        "words": "share decided a class",
        "params": {"class": "each"},
    },
    "class_false_positive_rate": {
        "unit": "1",
        "better": "lower",
        "words": "share of other classes' rows decided a class",
        "params": {"class": "each"},
    },
    "class_f1": {"unit": "1", "better": "higher", "words": "F1 of a class", "params": {"class": "each"}},
}


@check(cost="predict")
def per_class(
    multiclass: Multiclass, each_class: EachClass, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(multiclass.rows):
        for one in each_class.every:
            cut = Cut.of(one, multiclass.rows[at], sampling)
            n, actual, chosen = len(cut.rows), cut.truth.sum(), cut.chosen.sum()
            wrongly = partial(cut.share, cut.chosen, ~cut.truth, f"labelled other than {cut.name}")
            for measure, build, trials in (
                ("class_recall", cut.recall, actual),
                ("class_precision", cut.precision, chosen),
                ("class_selection_rate", partial(sampling.rate, cut.chosen, cut.rows, "decided"), n),
                ("class_false_positive_rate", wrongly, n - actual),
                ("class_f1", cut.f1, (cut.truth | cut.chosen).sum()),
            ):
                sheet.add(measure, build, n=int(trials), rows=n, slice=group, params={"class": one.name})
    return sheet.outcome()
