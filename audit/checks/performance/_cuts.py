"""One class or label against all else on some rows: its rates, F1 and areas, weighted and clustered where rows are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.checks._support import Places
from audit.errors import Unavailable
from audit.inputs.each_class import OneClass
from audit.inputs.sampling import Sampling
from audit.results import Basis
from audit.stats import auc, average_precision, f1, weighted_auc, weighted_f1

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """``rows`` are places in the data; ``truth`` and ``chosen`` say of each whether it is, and is decided, so."""

    name: str
    rows: Places
    truth: Mask
    chosen: Mask
    score: Scores | None
    sampling: Sampling

    @classmethod
    def of(cls, one: OneClass, at: Places, sampling: Sampling) -> Cut:
        """The rows among ``at`` (places in the data) that have a label and a decision."""
        rows = at[(one.label[at] >= 0) & (one.decision[at] >= 0)]  # of few rows; ``usable`` looks at all of them
        return cls(
            name=wording.label(one.name),
            rows=rows,
            truth=one.label[rows] == one.code,
            chosen=one.decision[rows] == one.code,
            score=None if one.score is None else one.score[rows],
            sampling=sampling,
        )

    def share(self, success: Mask, among: Mask, of: str) -> Basis:
        return self.sampling.rate(success[among], self.rows[among], of)

    def recall(self) -> Basis:
        return self.share(self.chosen, self.truth, f"labelled {self.name}")

    def precision(self) -> Basis:
        return self.share(self.truth, self.chosen, f"decided {self.name}")

    def f1(self) -> Basis:
        """Raises Unavailable where no row is labelled or decided so."""
        either = self.truth | self.chosen
        if not either.any():
            found, remedy = f"no row is labelled or decided {self.name}", f"give rows of class {self.name}"
            raise Unavailable("undefined", found, remedy)
        if not self.sampling.plain:
            return weighted_f1(self.truth, self.chosen, *self.sampling.drawn(self.rows))
        tp = int((self.truth & self.chosen).sum())
        return f1(tp, int(self.chosen.sum()) - tp, int(self.truth.sum()) - tp)

    def roc_auc(self) -> Basis:
        """Raises Unavailable without scores, and where all rows or none are labelled so."""
        cut = self.scored()
        if cut.truth.all() or not cut.truth.any():
            found = f"every row is labelled {self.name}" if cut.truth.any() else f"no row is labelled {self.name}"
            raise Unavailable("undefined", found, f"give rows of {self.name} and of other classes")
        if not self.sampling.plain:
            return weighted_auc(cut.scores, cut.truth, *self.sampling.drawn(cut.rows))
        return auc(cut.scores, cut.truth)

    def average_precision(self) -> Basis:
        cut = self.scored()
        if not self.sampling.plain:
            return self.sampling.refuse("average precision")
        if not cut.truth.any():
            found = f"no row is labelled {self.name}"
            raise Unavailable("undefined", found, f"give rows of {self.name}")
        return average_precision(cut.scores, cut.truth)

    @property
    def scores(self) -> Scores:
        if self.score is None:
            raise Unavailable("missing_input", "there are decisions and no probabilities", "give scores, one a class")
        return self.score

    def scored(self) -> Cut:
        """The rows with a finite score."""
        kept = np.isfinite(self.scores)
        if kept.all():
            return self
        return Cut(
            name=self.name,
            rows=self.rows[kept],
            truth=self.truth[kept],
            chosen=self.chosen[kept],
            score=self.scores[kept],
            sampling=self.sampling,
        )
