"""What changes between two models for each of several classes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from audit import wording
from audit.checks._pair_decisions import predictive_value
from audit.checks._pairs import Against, Pair, change
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.predictions import Predictions, need_labels
from audit.inputs.sampling import Sampling
from audit.results import Basis
from audit.stats import average, least
from audit.stats.influence import linearised


def add_classes(
    sheet: Sheet, against: Against, new: Predictions, old: Predictions, groups: Groups, sampling: Sampling
) -> None:
    """Over all rows and every group. Raises Unavailable where the task does not decide among several classes."""
    if new.task != "multiclass":
        raise Unavailable("not_applicable", f"the task is {new.task}, not multiclass", "nothing to do")
    need_labels(new)
    pair = Pair.of(against, new, old)
    for group, at in groups.over(pair.rows):
        _add_group(sheet, pair.at(at), group, sampling)


def _add_group(sheet: Sheet, pair: Pair, group: Slice, sampling: Sampling) -> None:
    """Recall and precision of every class, their mean recall, and the class that loses most."""
    against, about, rows = pair.against, pair.against.about, len(pair.rows)
    made = dict(_recalls(pair, sampling))
    for k, name in enumerate(pair.classes):
        params, of_class = {**about, "class": name}, pair.label == k
        new, old = (pair.labelled & (codes == k) for codes in (pair.new, pair.old))
        recall, precision = (
            partial(_known, made, k, name),
            partial(predictive_value, of_class, new, old, pair.rows, sampling),
        )
        for what, build, n in (("recall", recall, of_class.sum()), ("precision", precision, (new | old).sum())):
            sheet.add(against.name(f"class_{what}_change"), build, n=int(n), rows=rows, slice=group, params=params)
    n = int(pair.labelled.sum())
    mean, worst = partial(_mean_recall, pair, made, sampling), partial(_worst, made)
    sheet.add(against.name("balanced_accuracy_change"), mean, n=n, rows=rows, slice=group, params=about)
    sheet.add(against.name("worst_class_recall_change"), worst, n=n, rows=rows, slice=group, params=about)


def _recalls(pair: Pair, sampling: Sampling) -> Iterator[tuple[int, Basis]]:
    """The change of each class's recall; nothing for a class that no row has, or too few for an interval."""
    new, old = pair.right
    for k in range(len(pair.classes)):
        of_class = pair.label == k
        try:
            yield k, change(sampling, new[of_class], old[of_class], pair.rows[of_class])
        except Unavailable:
            continue  # said where the class itself is asked for


def _known(made: dict[int, Basis], k: int, name: str) -> Basis:
    if k not in made:
        shown = wording.label(name)
        raise Unavailable("undefined", f"too few rows are labelled {shown}", f"give rows of {shown} in this group")
    return made[k]


def _worst(made: dict[int, Basis]) -> Basis:
    if not made:
        raise Unavailable("undefined", "no class has labelled rows", "give rows with a label")
    return least(list(made.values()))


def _mean_recall(pair: Pair, made: dict[int, Basis], sampling: Sampling) -> Basis:
    """Mean over classes of the change of recall: rates over rows that no two of them share, unless clusters do."""
    parts = [_known(made, k, name) for k, name in enumerate(pair.classes)]
    labelled, k = pair.labelled, len(pair.classes)
    new, old = (right[labelled].astype(float) for right in pair.right)
    if sampling.cluster is None or (new == old).all():
        return average(parts)
    weight, cluster = sampling.drawn(pair.rows[labelled])
    label = pair.label[labelled]
    of_class = np.bincount(label, weight, minlength=k)
    gaps = np.bincount(label, weight * (new - old), minlength=k) / of_class
    influence = weight * (new - old - gaps[label]) / of_class[label] / k
    return linearised(float(gaps.mean()), influence, weight, cluster, "identity")
