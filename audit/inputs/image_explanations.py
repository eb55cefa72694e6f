"""Attribution maps of a few images, right and wrong, over as many classes as there is room for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.attribution.images import ImageExplanation, explain_images, image_feature
from audit.case import Case
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.predictions import Predictions
from audit.models import Model
from audit.stats import generator

REQUIRES = {"model": True, "kinds": ("image",)}

IMAGES = 8
WRONG = 3


@dataclass(frozen=True, kw_only=True)
class ImageExplanations:
    """``explanation`` of these ``rows`` of the data; ``labels`` holds the true class of each, "" where unknown."""

    rows: tuple[int, ...]
    labels: tuple[str, ...]
    explanation: ImageExplanation


def image_explanations(
    case: Case, model: Model, data: Dataset, predictions: Predictions, seed: int
) -> ImageExplanations:
    """Maps of up to eight images; Unavailable unless a differentiable model takes one image."""
    image_feature(data)
    rows = chosen_rows(predictions, data.n, seed)
    if not len(rows):
        raise Unavailable("undefined", "no image has a usable prediction", "find out why the model returns NaN")
    explanation = explain_images(model, data.take(rows), background=case.datasets.get("train"), seed=seed)
    labels = predictions.label
    known = labels is not None and predictions.task != "regression"
    names = [predictions.classes[labels[row]] if known and labels[row] >= 0 else "" for row in rows.tolist()]  # type: ignore[index]
    return ImageExplanations(rows=tuple(rows.tolist()), labels=tuple(names), explanation=explanation)


def chosen_rows(predictions: Predictions, n: int, seed: int) -> NDArray[np.int64]:
    """Up to three wrong ones, the rest right, each of a class that was not shown yet where there is one."""
    order = generator(seed, "image_explanations.rows").permutation(n)
    if predictions.decided is not None:
        order = order[predictions.decided[order]]
    decision, label = predictions.decision, predictions.label
    if decision is None or label is None or predictions.task == "regression":
        return np.sort(order[:IMAGES])
    wrong = order[(label[order] >= 0) & (label[order] != decision[order])]
    first = _spread(wrong, decision)[:WRONG]
    rest = order[~np.isin(order, wrong)]
    seen = np.isin(decision[rest], decision[first])
    return np.concatenate([first, _spread(np.concatenate([rest[~seen], rest[seen]]), decision)])[:IMAGES]


def _spread(rows: NDArray[np.int64], classes: NDArray[np.int32]) -> NDArray[np.int64]:
    """The first row of each class, then the second of each, and so on."""
    if not len(rows):
        return rows
    _, inverse = np.unique(classes[rows], return_inverse=True)
    nth = np.zeros(len(rows), dtype=np.int64)
    for code in range(int(inverse.max()) + 1):
        nth[inverse == code] = np.arange((inverse == code).sum())
    return rows[np.argsort(nth, kind="stable")]
