"""Histograms of the scores of a binary task, by label, over all rows and by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.errors import Unavailable
from audit.inputs.cells import GroupCells, tabulated
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions, need_labels

REQUIRES = {"tasks": ("binary",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class ScoreCells(GroupCells):
    """Over the rows with a label, a decision and a probability; ``cells.histogram`` is (slices, label, 256 bins)."""


def score_cells(predictions: Predictions, groups: Groups) -> ScoreCells:
    label, score = need_labels(predictions), predictions.score
    if score is None or not predictions.score_is_probability:
        remedy = "give a column of probabilities as score, or a model with predict_proba"
        raise Unavailable("missing_input", "there are no probabilities to count", remedy)
    if predictions.decided is None:
        raise Unavailable("missing_input", "there are scores and no decisions", "give threshold or prediction")
    usable = predictions.decided & (label >= 0) & np.isfinite(score)
    if not usable.any():
        raise Unavailable("undefined", "no row has both a label and a finite score", "check target and score columns")
    found = tabulated(predictions, groups, usable, score=np.clip(score, 0.0, 1.0))
    return ScoreCells(slices=found.slices, cells=found.cells)
