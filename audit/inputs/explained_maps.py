"""Attribution maps of a few rows, right and wrong, over as many classes as there is room for, graded by trust checks.

One set is made for all checks, whatever the model reads: pictures, text, series or sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from audit.attribution.maps import MapExplanation
from audit.attribution.modalities import explain_maps, modality
from audit.attribution.trust_grades import read_rules
from audit.case import Case
from audit.data import Dataset
from audit.data.task import QUANTITIES
from audit.errors import Unavailable
from audit.inputs.predictions import Predictions
from audit.models import Model
from audit.stats import generator

REQUIRES = {
    "model": True,
    "kinds": ("image", "text", "series", "audio"),
    "tasks": ("binary", "multiclass", "regression", "ranking"),
}

ROWS = 8
WRONG = 3

Kind = TypeVar("Kind", bound=MapExplanation)
Other = TypeVar("Other", bound=MapExplanation)


@dataclass(frozen=True, kw_only=True)
class ExplainedMaps(Generic[Kind]):
    """``explanation`` of these ``rows`` of the data; ``labels`` holds the true class of each, "" where unknown."""

    rows: tuple[int, ...]
    labels: tuple[str, ...]
    explanation: Kind

    def narrowed(self, kind: type[Other], what: str) -> ExplainedMaps[Other]:
        """The same, known to be of one kind. Unavailable when it is of another."""
        if not isinstance(self.explanation, kind):
            raise Unavailable("not_applicable", f"the model does not read {what} alone", "nothing to do")
        return ExplainedMaps(rows=self.rows, labels=self.labels, explanation=self.explanation)

    def title(self, row: int, what: str) -> str:
        """``Image 3: predicted 7, labelled 1``."""
        truth = f", labelled {self.labels[row]}" if self.labels[row] else ""
        return f"{what} {row + 1}: predicted {self.explanation.targets[row]}{truth}"


def explained_maps(
    case: Case, model: Model, data: Dataset, predictions: Predictions, seed: int
) -> ExplainedMaps[MapExplanation]:
    """Maps of up to eight rows; Unavailable unless a differentiable model reads what can be mapped."""
    modality(model, data)  # before rows are chosen, so that the reason is about the model
    rows = chosen_rows(predictions, data.n, seed)
    if not len(rows):
        raise Unavailable("undefined", "no row has a usable prediction", "find out why the model returns NaN")
    train = case.datasets.get("train")
    explanation = explain_maps(model, data.take(rows), background=train or data, rules=read_rules(), seed=seed)
    labels = predictions.label
    known = labels is not None and predictions.task not in QUANTITIES
    names = [predictions.classes[labels[row]] if known and labels[row] >= 0 else "" for row in rows.tolist()]  # type: ignore[index]
    return ExplainedMaps(rows=tuple(rows.tolist()), labels=tuple(names), explanation=explanation)


def chosen_rows(predictions: Predictions, n: int, seed: int) -> NDArray[np.int64]:
    """Up to three wrong ones, the rest right, each of a class that was not shown yet where there is one."""
    order = generator(seed, "explained_maps.rows").permutation(n)
    if predictions.decided is not None:
        order = order[predictions.decided[order]]
    decision, label = predictions.decision, predictions.label
    if decision is None or label is None or predictions.task in QUANTITIES:
        return np.sort(order[:ROWS])
    wrong = order[(label[order] >= 0) & (label[order] != decision[order])]
    first = _spread(wrong, decision)[:WRONG]
    rest = order[~np.isin(order, wrong)]
    seen = np.isin(decision[rest], decision[first])
    return np.concatenate([first, _spread(np.concatenate([rest[~seen], rest[seen]]), decision)])[:ROWS]


def _spread(rows: NDArray[np.int64], classes: NDArray[np.int32]) -> NDArray[np.int64]:
    """The first row of each class, then the second of each, and so on."""
    if not len(rows):
        return rows
    _, inverse = np.unique(classes[rows], return_inverse=True)
    nth = np.zeros(len(rows), dtype=np.int64)
    for code in range(int(inverse.max()) + 1):
        nth[inverse == code] = np.arange((inverse == code).sum())
    return rows[np.argsort(nth, kind="stable")]
