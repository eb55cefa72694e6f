"""Counts by class, and the mean of the recalls of all classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.checks._support import share
from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import average, f1


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
