"""Counts by class, and averages over classes whose parts share rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.checks._support import share
from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import auc, average, f1, normal
from audit.stats.ranks import midranks


@dataclass(frozen=True, kw_only=True)
class ClassCounts:
    """Labels and decisions of some rows, as codes into ``classes``."""

    classes: tuple[str, ...]
    label: NDArray[np.int32]
    decision: NDArray[np.int32]
    actual: NDArray[np.int64]  # (classes,): rows with this label
    predicted: NDArray[np.int64]  # rows with this decision
    correct: NDArray[np.int64]  # rows with both

    @classmethod
    def of(cls, classes: tuple[str, ...], label: NDArray[np.int32], decision: NDArray[np.int32]) -> ClassCounts:
        actual, predicted, correct = (
            np.bincount(codes, minlength=len(classes)) for codes in (label, decision, label[label == decision])
        )
        return cls(classes=classes, label=label, decision=decision, actual=actual, predicted=predicted, correct=correct)

    @property
    def n(self) -> int:
        return len(self.label)

    def recall(self, k: int) -> Basis:
        return share(self.correct[k], self.actual[k], f"labelled {wording.label(self.classes[k])}")

    def precision(self, k: int) -> Basis:
        return share(self.correct[k], self.predicted[k], f"decided {wording.label(self.classes[k])}")

    def f1(self, k: int) -> Basis:
        """Raises Unavailable where no row is labelled or decided so."""
        tp = int(self.correct[k])
        if self.actual[k] + self.predicted[k] == 0:
            name = wording.label(self.classes[k])
            raise Unavailable("undefined", f"no row is labelled or decided {name}", f"give rows of class {name}")
        return f1(tp, int(self.predicted[k]) - tp, int(self.actual[k]) - tp)


def balanced_accuracy(counts: ClassCounts) -> Basis:
    """Mean of the recalls of all classes: rates over rows that no two of them share."""
    return average([counts.recall(k) for k in range(len(counts.classes))])


def macro_f1(counts: ClassCounts) -> Basis:
    """Mean over classes of 2 correct / (actual + predicted).

    A wrong row counts against two classes, so they are not independent: the standard error is that of the influence of
    each row, mean over k of (2 [label = decision = k] - F_k ([label = k] + [decision = k])) / (actual + predicted).
    """
    parts = [counts.f1(k) for k in range(len(counts.classes))]
    size = (counts.actual + counts.predicted).astype(float)
    scores = 2 * counts.correct / size
    value = float(scores.mean())
    hit = counts.label == counts.decision
    gain = 2 * hit / size[counts.label]
    loss = (scores / size)[counts.label] + (scores / size)[counts.decision]
    return _mean_of_parts(value, (gain - loss) / len(counts.classes), parts)


def macro_auc(probability: NDArray[np.float64], label: NDArray[np.int32], classes: tuple[str, ...]) -> Basis:
    """Mean over classes of the area under the ROC curve of that class against the rest.

    Every row takes part in every area: the standard error is that of the rows' mean placements (DeLong et al. 1988).
    """
    parts = [one_against_rest(probability, label, classes, k) for k in range(len(classes))]
    placed = [_placements(probability[:, k], label == k) for k in range(len(classes))]
    value = float(np.mean([area for area, _ in placed]))
    influence = np.mean([each for _, each in placed], axis=0)
    return _mean_of_parts(value, influence, parts)


def one_against_rest(
    probability: NDArray[np.float64], label: NDArray[np.int32], classes: tuple[str, ...], k: int
) -> Basis:
    """Area under the ROC curve of class k. Raises Unavailable where no row, or every row, is of that class."""
    is_class = label == k
    if is_class.all() or not is_class.any():
        name = wording.label(classes[k])
        found = f"every row is labelled {name}" if is_class.any() else f"no row is labelled {name}"
        raise Unavailable("undefined", found, f"give rows of {name} and of other classes")
    return auc(probability[:, k], is_class)


def _placements(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64]]:
    """The area, and each row's share in its deviation: their sum of squares is the variance of the area."""
    up, down = int(positive.sum()), int((~positive).sum())
    ranks = midranks(score)
    placed = np.empty(len(score))
    placed[positive] = (ranks[positive] - midranks(score[positive])) / down
    placed[~positive] = 1 - (ranks[~positive] - midranks(score[~positive])) / up
    area = float(np.sort(placed[positive]).mean())
    return area, (placed - area) / np.where(positive, up, down)


def _mean_of_parts(value: float, influence: NDArray[np.float64], parts: list[Basis]) -> Basis:
    """On the logit scale, from the influence of each row; at 0 and 1, which have no logit, from the parts' intervals.

    Taking the parts as independent would cover 85 % instead of 95 % (simulated, 2 to 10 classes, 15 to 500 rows).
    """
    n, influence = len(influence), np.sort(influence)  # sums of one order, so that the order of rows changes no digit
    se = float(np.sqrt(influence @ influence * n / max(n - 1, 1)))
    if not 0 < value < 1 or se == 0:
        return average(parts)
    return normal(value, se, scale="logit", df=n - 1, n=n)
