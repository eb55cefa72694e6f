"""Whether a single column all but gives the answer.

Why it matters: a column that was written after the outcome, or from it, makes any model look perfect and is empty when
the decision has to be made. One column that alone ranks as well as the whole model should be explained by somebody.

How it is measured: the area under the ROC curve of each feature on its own, taken in whichever direction it ranks: for
a number its value, or whether it is missing, whichever says more; for a category the share of positives of its value,
values with fewer than ten rows being taken together so that a name or an id cannot win by chance. With more than two
classes, the class that the feature tells apart best. The area of a category is measured on the rows that its shares
come from, so it is a little too high; the largest of many is, too. An area near 1 is a question, not a proof.

How to reduce the risk: Ask when and by whom the column is filled; remove it when that is after the outcome or because
of it, and train again.

Sources: Kaufman et al., ACM TKDD 2012 (leakage in data mining); Kapoor & Narayanan, Patterns 2023; DeLong et al. 1988.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audit.check import check
from audit.checks._rows import plain
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.labels import Labels
from audit.results import Basis, Outcome
from audit.stats import auc, value

MEASURES: dict[str, dict[str, object]] = {
    "single_feature_auc": {
        "unit": "1",
        "better": "none",
        "words": "ROC AUC of a feature on its own",
        "params": {"feature": "str"},
    },
    "largest_single_feature_auc": {"unit": "1", "better": "none", "words": "largest ROC AUC of a single feature"},
}

FEWEST = 10  # rows of a category that speaks for itself
MOST = 100  # features that are listed; the highest are kept

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@check(cost="instant")
def target_in_features(labels: Labels, data: Dataset, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    if len(np.unique(labels.label)) < 2:
        raise Unavailable("undefined", "the labels hold one class, so nothing can tell classes apart", "give both")
    best = {f: b for f in data.roles.features if (b := _best(data, f, labels)) is not None}
    ranked = sorted(best, key=lambda feature: -value(best[feature]))
    if not ranked:
        raise Unavailable("not_applicable", "no feature is a number or a category that varies", "nothing to do")
    top = ranked[0]
    sheet.add("largest_single_feature_auc", lambda: best[top], n=_rows(best[top]), columns=(top,))
    for feature in ranked[:MOST]:
        build, about = partial(best.__getitem__, feature), {"feature": feature}
        sheet.add("single_feature_auc", build, n=_rows(best[feature]), params=about, columns=(feature,))
    return sheet.outcome()


def _rows(basis: Basis) -> int:
    return int(basis.numbers["n_positive"] + basis.numbers["n_negative"])


def _best(data: Dataset, feature: str, labels: Labels) -> Basis | None:
    """The area, at least one half, of the class that the feature tells apart best; None where it has none."""
    found = []
    for k in range(1 if len(labels.classes) == 2 else 0, len(labels.classes)):
        is_class = labels.label == k
        for score in _scores(data, feature, labels, is_class):
            there = np.isfinite(score)
            if is_class[there].any() and not is_class[there].all():
                found.append(_either_way(score[there], is_class[there]))
    return max(found, key=value, default=None)


def _either_way(score: Vector, is_class: Mask) -> Basis:
    basis = auc(score, is_class)
    return basis if value(basis) >= 0.5 else auc(-score, is_class)


def _scores(data: Dataset, feature: str, labels: Labels, is_class: Mask) -> Iterator[Vector]:
    """The ways to rank rows by one feature; NaN where a row has no value."""
    kind, sources = data.columns[feature].kind, data.columns[feature].sources
    if sources or pa.types.is_nested(data.stored(feature).type):
        return
    if kind == "number":
        # not safe: an id of 64 bits may lose its last digits, which change no rank that matters
        column = plain(data.stored(feature)).cast(pa.float64(), safe=False)
        numbers = np.asarray(column.to_numpy(), dtype=np.float64)[labels.rows]
        yield numbers
        if np.isnan(numbers).any():
            yield np.isnan(numbers).astype(float)
    elif kind in {"category", "text"}:
        yield _shares(data.codes(feature).codes[labels.rows], is_class)


def _shares(codes: NDArray[np.int32], is_class: Mask) -> Vector:
    """The share of the class among the rows of each row's category; small categories are one."""
    sizes = np.bincount(codes)
    merged = np.where(sizes[codes] < FEWEST, len(sizes), codes)
    rows, hits = np.bincount(merged), np.bincount(merged, is_class)
    return np.asarray(hits[merged] / rows[merged])
