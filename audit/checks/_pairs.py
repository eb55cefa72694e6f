"""Two models on the same rows: a variant held against its model, a model against its baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from audit.checks._support import Params
from audit.errors import Unavailable
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Basis
from audit.stats import paired_counts, paired_difference

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
CLASSIFICATION = ("binary", "multiclass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """How a comparison is named: ``variant_accuracy_change``, ``accuracy_change_from_baseline``."""

    before: str = ""
    after: str = ""
    about: Params = field(default_factory=dict)

    def name(self, what: str) -> str:
        return f"{self.before}{what}{self.after}"


BASELINE = Against(after="_from_baseline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What both decided on the rows that the old one decided, and the truth there (-1: not known).

    A row that the new one could not decide (-1) counts as decided otherwise, and wrongly.
    """

    against: Against
    classes: tuple[str, ...]
    rows: Places  # in the data
    new: Codes
    old: Codes
    label: Codes
    positive: int  # -1 where the task is not binary
    favourable: int

    @classmethod
    def of(cls, against: Against, new: Predictions, old: Predictions) -> Pair:
        """Raises Unavailable where the two do not decide among classes, or the old one decided no row."""
        if new.task not in CLASSIFICATION:
            raise Unavailable("not_applicable", f"the task is {new.task}: nothing is decided", "nothing to do")
        if old.decided is None or new.decision is None:
            raise Unavailable("missing_input", "there are scores and no decisions", "give threshold or prediction")
        rows = np.flatnonzero(old.decided)
        if not len(rows):
            raise Unavailable("undefined", "no row has a prediction to compare with", "find out why it is NaN")
        return cls(
            against=against,
            classes=new.classes,
            rows=rows,
            new=codes_of(new, rows),
            old=codes_of(old, rows),
            label=np.full(len(rows), -1, dtype=np.int32) if new.label is None else new.label[rows],
            positive=new.positive if new.task == "binary" else -1,
            favourable=new.favourable,
        )

    def at(self, places: Places) -> Pair:
        """The same pair on some of its rows, such as those of a group."""
        return replace(
            self,
            rows=self.rows[places],
            new=self.new[places],
            old=self.old[places],
            label=self.label[places],
        )

    @property
    def changed(self) -> Mask:
        return np.asarray(self.new != self.old)

    @property
    def labelled(self) -> Mask:
        return self.label >= 0

    @property
    def right(self) -> tuple[Mask, Mask]:
        """Whether the new one and the old one are right; False without a label."""
        return self.labelled & (self.new == self.label), self.labelled & (self.old == self.label)

    def rates(self) -> Iterator[tuple[str, Mask, Mask, Mask]]:
        """Measure, the rows that the rate is about, and the successes of new and old among all rows."""
        yield "accuracy_change", self.labelled, *self.right
        if self.positive < 0:
            return
        anywhere, truth = np.ones(len(self.rows), dtype=bool), self.label == self.positive
        yield "selection_rate_change", anywhere, self.new == self.favourable, self.old == self.favourable
        chosen = self.new == self.positive, self.old == self.positive
        yield "true_positive_rate_change", self.labelled & truth, *chosen
        yield "false_positive_rate_change", self.labelled & ~truth, *chosen

    def predictive_values(self) -> Iterator[tuple[str, Mask, Mask, Mask]]:
        """Measure, the true rows, and those that new and old decide so, all of them labelled."""
        if self.positive < 0:
            return
        for name, code in (("positive", self.positive), ("negative", 1 - self.positive)):
            chosen = self.labelled & (self.new == code), self.labelled & (self.old == code)
            yield f"{name}_predictive_value_change", self.label == code, *chosen


def codes_of(predictions: Predictions, rows: Places) -> Codes:
    """Decisions of these rows; -1, which is no class, where there is none."""
    if predictions.decision is None:
        return np.full(len(rows), -1, dtype=np.int32)
    return np.asarray(predictions.decision[rows])


def change(sampling: Sampling, new: Mask, old: Mask, rows: Places) -> Basis:
    """Rate of the new minus rate of the old over these ``rows`` of the data, whose successes are given."""
    if not len(rows):
        raise Unavailable("undefined", "there is no such row", "give rows of this group that the rate is about")
    if sampling.plain:
        return paired_difference(*paired_counts(new, old))
    if (new == old).all():  # a mean of zeros would have no width, as if nothing could ever differ
        return paired_difference(_effective(sampling, rows), 0, 0, 0)
    return sampling.mean(new.astype(float) - old.astype(float), rows)


def _effective(sampling: Sampling, rows: Places) -> float:
    """Independent rows that these stand for: their clusters, or Kish's size of the weights."""
    if sampling.cluster is not None:
        return float(len(np.unique(sampling.cluster[rows])))
    weight = np.ones(len(rows)) if sampling.weight is None else sampling.weight[rows]
    return max(1.0, float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300)))


def drawn(sampling: Sampling, rows: Places) -> tuple[NDArray[np.float64] | None, Codes | None]:
    """Weight and cluster of these rows of the data, None where no column was named for them."""
    weight = None if sampling.weight is None else sampling.weight[rows]
    return weight, None if sampling.cluster is None else sampling.cluster[rows]
