"""How unequal the labels of the training data are between groups, before any model has learned from them.

Why it matters: a model learns what its labels say. A group that is rare, or rarely labelled with the favourable outcome
in the training data, is likely to be treated so by the model, and no threshold tells where that came from.

How it is measured: on [data.train], for every group and crossing against all other rows: class imbalance (n_rest - n) /
(n_rest + n); the difference in proportions of favourable labels (DPL), the others' less the group's; and between the
two label distributions the Kullback-Leibler divergence (undefined where the others lack a label that the group has),
the Jensen-Shannon divergence, total variation and the Kolmogorov-Smirnov distance over classes in their order. With
control columns, conditional demographic disparity (CDDL): the group's share of the unfavourable labels less its share
of the favourable ones, averaged over strata by rows. All are exact: the training data is what the model saw, not a
sample.

How to reduce the risk: Ask how the labels came to be. Collect rows of a rare group; where the labels record past
decisions, look for an outcome that does not.

Sources: Das et al., SageMaker Clarify, 2021 (pre-training measures); Wachter, Mittelstadt & Russell, 2021 (conditional
demographic disparity); Lin, IEEE Transactions on Information Theory 1991 (Jensen-Shannon).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import DataError, Unavailable
from audit.inputs.groups import Groups, crossed, groups
from audit.inputs.predictions import class_codes
from audit.results import Basis, Outcome
from audit.stats import exact

REQUIRES = {"tasks": ("binary", "multiclass")}

MEASURES: dict[str, dict[str, object]] = {
    "train_class_imbalance": {"unit": "1", "better": "zero", "words": "imbalance of rows, group against others"},
    "train_label_proportion_gap": {"unit": "1", "better": "zero", "words": "favourable labels, others less group"},
    "train_label_kl": {"unit": "nats", "better": "lower", "words": "Kullback-Leibler divergence of labels"},
    "train_label_js": {"unit": "nats", "better": "lower", "words": "Jensen-Shannon divergence of labels"},
    "train_label_tvd": {"unit": "1", "better": "lower", "words": "total variation between labels"},
    "train_label_ks": {"unit": "1", "better": "lower", "words": "Kolmogorov-Smirnov distance of labels"},
    "train_conditional_disparity": {"unit": "1", "better": "zero", "words": "conditional demographic disparity"},
}

Shares = NDArray[np.float64]
Codes = NDArray[np.int32]


@check(cost="instant")
def label_disparity(train: Dataset, case: Case, level: float) -> Outcome:
    if not case.classes or not train.roles.target:
        raise Unavailable("not_applicable", "the target has no classes", "nothing to do")
    found: Groups = groups(case, train)
    if not found.sets:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    label = _labels(train, case)
    rows = np.flatnonzero(label >= 0)
    strata = (
        crossed(train.roles.control, {c: train.codes(c) for c in train.roles.control}).codes[rows]
        if (train.roles.control)
        else None
    )
    wanted = case.classes.index(case.favourable) if case.favourable is not None else -1
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in found.over(rows):
        inside = np.zeros(len(rows), dtype=bool)
        inside[at] = True
        for name, number in _measures(label[rows], inside, strata, len(case.classes), wanted).items() if group else ():
            sheet.add(name, partial(_exact, number), n=len(at), slice=group)
    return sheet.outcome()


def _labels(train: Dataset, case: Case) -> Codes:
    """Codes into the classes of the case; -1 where the label is missing."""
    codes = train.codes(train.roles.target)
    try:
        return class_codes(np.array(codes.levels, dtype=object), case.classes, "the training target")[codes.codes]
    except DataError as error:
        raise Unavailable("undefined", str(error), "correct the target of [data.train]") from error


def _exact(number: float | Unavailable) -> Basis:
    if isinstance(number, Unavailable):
        raise number
    return exact(number)


def _measures(
    label: Codes, inside: NDArray[np.bool_], strata: Codes | None, classes: int, wanted: int
) -> dict[str, float | Unavailable]:
    n, rest = int(inside.sum()), int((~inside).sum())
    if not n or not rest:
        nothing = Unavailable("undefined", "there is no labelled row to compare with", "give rows of other groups")
        return dict.fromkeys(MEASURES, nothing)
    p, q = (np.bincount(label[side], minlength=classes) / side.sum() for side in (inside, ~inside))
    binary = Unavailable("not_applicable", "no class is the favourable one", "nothing to do")
    uncontrolled = Unavailable("missing_input", "no column has the role control", "give control in [data.test]")
    return {
        "train_class_imbalance": (rest - n) / (rest + n),
        "train_label_proportion_gap": float(q[wanted] - p[wanted]) if wanted >= 0 else binary,
        "train_label_kl": kullback_leibler(p, q),
        "train_label_js": jensen_shannon(p, q),
        "train_label_tvd": float(np.abs(p - q).sum() / 2),
        "train_label_ks": float(np.abs(np.cumsum(p - q)).max()),
        "train_conditional_disparity": (
            uncontrolled if strata is None else binary if wanted < 0 else _conditional(label == wanted, inside, strata)
        ),
    }


def kullback_leibler(p: Shares, q: Shares) -> float | Unavailable:
    """Sum of p log(p / q), in nats."""
    there = p > 0
    if (q[there] == 0).any():
        return Unavailable(
            "undefined", "the other rows lack a label that this group has", "read the Jensen-Shannon one"
        )
    return max(float(p[there] @ np.log(p[there] / q[there])), 0.0)


def jensen_shannon(p: Shares, q: Shares) -> float:
    """Mean of the divergences of both from their middle, in nats."""
    middle = (p + q) / 2
    halves = [kullback_leibler(side, middle) for side in (p, q)]
    return sum(half for half in halves if isinstance(half, float)) / 2


def _conditional(favoured: NDArray[np.bool_], inside: NDArray[np.bool_], strata: Codes) -> float | Unavailable:
    """Mean over strata, by rows, of the group's share of the unfavourable labels less its share of the others."""
    size = int(strata.max()) + 1
    yes, no = (np.bincount(strata[m], minlength=size) for m in (favoured, ~favoured))
    own_yes, own_no = (np.bincount(strata[m & inside], minlength=size) for m in (favoured, ~favoured))
    both = (yes > 0) & (no > 0)
    if not both.any():
        return Unavailable("undefined", "every stratum has labels of one kind", "name coarser control columns")
    disparity = own_no[both] / no[both] - own_yes[both] / yes[both]
    return float(np.average(disparity, weights=(yes + no)[both]))
