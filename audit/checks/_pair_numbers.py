"""What changes between the scores of two models, or between the quantities that they predict."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.checks._pairs import Against, Places, drawn
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.predictions import Predictions, need_labels
from audit.inputs.sampling import Sampling
from audit.results import Basis
from audit.stats import paired_auc, paired_measure, paired_root_mean

Vector = NDArray[np.float64]
ROUNDING = 1e-12


def add_scores(
    sheet: Sheet, against: Against, new: Predictions, old: Predictions, groups: Groups, sampling: Sampling
) -> None:
    """Change of the ROC AUC, and of the Brier score where both give probabilities, over all rows and every group."""
    if new.task != "binary":
        raise Unavailable("not_applicable", f"the task is {new.task}, not binary", "nothing to do")
    if new.score is None or old.score is None:
        raise Unavailable("missing_input", "one of the two gives decisions and no scores", "give scores of both")
    label = need_labels(new)
    rows = np.flatnonzero(np.isfinite(new.score) & np.isfinite(old.score) & (label >= 0))
    truth, scores = label[rows] == new.positive, (new.score[rows], old.score[rows])
    probabilities = new.score_is_probability and old.score_is_probability
    squares = [(score - truth) ** 2 for score in scores] if probabilities else []
    for group, at in groups.over(rows):
        area = partial(paired_auc, scores[0][at], scores[1][at], truth[at], *drawn(sampling, rows[at]))
        sheet.add(against.name("roc_auc_change"), area, n=len(at), slice=group, params=against.about)
        if squares:
            closer = partial(mean_change, sampling, squares[0][at], squares[1][at], rows[at])
            sheet.add(against.name("brier_score_change"), closer, n=len(at), slice=group, params=against.about)


def add_errors(
    sheet: Sheet, against: Against, new: Predictions, old: Predictions, groups: Groups, sampling: Sampling
) -> None:
    """Change of absolute and squared errors, of the mean prediction, and the distance, over all rows and every group.

    Raises Unavailable where no quantity is predicted.
    """
    if new.task != "regression" or new.decision is None or old.decision is None:
        raise Unavailable("not_applicable", f"the task is {new.task}, not regression", "nothing to do")
    label = np.full(len(new.decision), np.nan) if new.label is None else np.asarray(new.label, dtype=float)
    rows = np.flatnonzero(np.isfinite(new.decision) & np.isfinite(old.decision))
    for group, at in groups.over(rows):
        here = rows[at]
        now, before = new.decision[here], old.decision[here]
        _add_moves(sheet, against, now, before, here, group, sampling)
        known = np.isfinite(label[here])
        wrong, was = (np.abs(predicted - label[here])[known] for predicted in (now, before))
        worse = partial(mean_change, sampling, wrong, was, here[known])
        root = partial(_root_change, wrong, was, *drawn(sampling, here[known]))
        for name, build in (("error_change", worse), ("root_mean_squared_error_change", root)):
            n = int(known.sum())
            sheet.add(against.name(name), build, n=n, rows=len(here), slice=group, params=against.about)


def _add_moves(
    sheet: Sheet, against: Against, now: Vector, before: Vector, rows: Places, group: Slice, sampling: Sampling
) -> None:
    """How far the predictions move, and to which side."""
    shift, drift = partial(sampling.mean, np.abs(now - before), rows), partial(mean_change, sampling, now, before, rows)
    for name, build in (("shift", shift), ("mean_prediction_change", drift)):
        sheet.add(against.name(name), build, n=len(rows), slice=group, params=against.about)


def _root_change(new: Vector, old: Vector, weight: Vector | None, cluster: NDArray[np.int32] | None) -> Basis:
    if new.size < 2:
        raise Unavailable("insufficient_data", f"{new.size} errors have no interval", "give at least 2 labelled rows")
    return paired_root_mean(new**2, old**2, weight, cluster)


def mean_change(sampling: Sampling, new: Vector, old: Vector, rows: Places) -> Basis:
    """Mean of the rows' differences; where no row differs, with the width that rows not yet seen could give it."""
    if not new.size or np.abs(new - old).max() > ROUNDING * np.abs(old).max():
        return sampling.mean(new - old, rows)
    weight, cluster = sampling.drawn(rows)
    influence = weight * (old - weight @ old / weight.sum()) / weight.sum()
    alone = sampling.mean(old, rows)
    return paired_measure(alone, alone, (influence, influence), cluster=cluster, share=False)
