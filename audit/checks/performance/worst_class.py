"""The class, or the label, that the model serves worst.

Why it matters: nobody is served by an average. A screening model is as good as the condition that it finds least often,
and a limit on the mean can be met while one class is never recognised.

How it is measured: recall, precision, F1 and area under the ROC curve of every class against all else (of every label
by itself, in a multilabel task), and the smallest of each, over all rows and for every group and crossing; the table
names the class. The smallest of several estimates is too low on average, and the interval of the class that happens to
be lowest does not cover. So the lower bound is the smallest of the lower bounds of all classes, which needs no
correction: a limit that passes is met by every class. The upper bound is the smallest of upper bounds that hold for all
classes together: a limit that fails is missed by some class. A group without rows of some class has no such value,
since nothing is known of that class there; that is said, not guessed.

How to reduce the risk: Look up the class in the table, read its wrongly decided rows, and collect more of them. A
threshold of its own helps a label whose ranking is good and whose recall is not.

Sources: Berger, Technometrics 1982 (intersection-union tests); Šidák, JASA 1967; Sagawa et al., ICLR 2020 (worst-group
performance); Wilson 1927, JASA 22.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from audit import wording
from audit.check import check
from audit.checks._support import Places, Sheet
from audit.checks.performance._cuts import Cut
from audit.errors import Unavailable
from audit.inputs.each_class import EachClass
from audit.inputs.groups import Groups, Slice
from audit.inputs.sampling import Sampling
from audit.results import Basis, Measurement, Outcome, Table
from audit.stats import value, worst

REQUIRES = {"tasks": ("multiclass", "multilabel")}

MEASURES: dict[str, dict[str, object]] = {
    "worst_class_recall": {"unit": "1", "better": "higher", "words": "lowest recall of a class"},
    "worst_class_precision": {"unit": "1", "better": "higher", "words": "lowest precision of a class"},
    "worst_class_f1": {"unit": "1", "better": "higher", "words": "lowest F1 of a class"},
    "worst_class_roc_auc": {"unit": "1", "better": "higher", "words": "lowest ROC AUC of a class"},
}
MOST_ROWS = 200

# measure: the value of one class, and the rows that it is about
OF_CLASS: dict[str, tuple[Callable[[Cut], Basis], Callable[[Cut], int]]] = {
    "worst_class_recall": (Cut.recall, lambda cut: int(cut.truth.sum())),
    "worst_class_precision": (Cut.precision, lambda cut: int(cut.chosen.sum())),
    "worst_class_f1": (Cut.f1, lambda cut: int((cut.truth | cut.chosen).sum())),
    "worst_class_roc_auc": (Cut.roc_auc, lambda cut: len(cut.rows)),
}
Line = tuple[str, str, str, float, float, float, int]


@check(cost="predict")
def worst_class(each_class: EachClass, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    lines: list[Line] = []
    for group, at in groups.over(each_class.rows):
        rows = each_class.rows[at]
        cuts = [Cut.of(one, rows, sampling) for one in each_class.every]
        for name in OF_CLASS:
            lines += _add(sheet, name, cuts, group, rows)
    return sheet.outcome(*([_table(lines)] if lines else []))


def _add(sheet: Sheet, name: str, cuts: Sequence[Cut], group: Slice, rows: Places) -> list[Line]:
    """The smallest of one measure in one group, and its line of the table."""
    of_class, trials = OF_CLASS[name]
    try:
        parts = [of_class(cut) for cut in cuts]
    except Unavailable as why:
        sheet.omit(name, why, n=0, rows=len(rows), slice=group)
        return []
    lowest = cuts[int(np.argmin([value(part) for part in parts]))]
    sheet.add(name, lambda: worst(parts), n=trials(lowest), rows=len(rows), slice=group)
    return [_line(sheet.measurements[-1], lowest.name)]


def _line(m: Measurement, name: str) -> Line:
    words = str(MEASURES[m.name]["words"])
    return wording.slice_words(m.slice), words, name, m.value, m.interval.lower, m.interval.upper, m.n


def _table(lines: Sequence[Line]) -> Table:
    return Table(
        name="worst_class",
        title="Which class is served worst",
        columns=("group", "measure", "class", "value", "from", "to", "n"),
        rows=tuple(lines[:MOST_ROWS]),
        note="The bounds are of the worst class, whichever it is; n are the rows of the class named.",
    )
