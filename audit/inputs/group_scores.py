"""Rows by group, label, decision and score bin: what the choice of another threshold for a group changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.inputs.groups import Groups, GroupSet
from audit.inputs.predictions import Predictions, need_labels
from audit.inputs.sampling import Sampling
from audit.stats.cells import BINS, score_bins

REQUIRES = {"tasks": ("binary",), "roles": ("target", "groups")}

FEWEST = 30  # rows of a group that takes part
MOST = 50  # groups: with more, thresholds of each group's own follow noise


@dataclass(frozen=True, kw_only=True)
class GroupScores:
    """For each sensitive column, counts of shape (groups, label, decision, 256 bins) of its known groups of 30 rows."""

    columns: Mapping[str, NDArray[np.int64]]


def group_scores(predictions: Predictions, groups: Groups, sampling: Sampling) -> GroupScores:
    """Unavailable without probabilities, decisions or groups, and for rows that are weighted or come in clusters."""
    label, score, decided = need_labels(predictions), predictions.score, predictions.decided
    if not groups.sets:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    if score is None or not predictions.score_is_probability:
        remedy = "give a column of probabilities as score, or a model with predict_proba"
        raise Unavailable("missing_input", "there are no probabilities to count", remedy)
    if predictions.decision is None or decided is None:
        raise Unavailable("missing_input", "there are scores and no decisions", "give threshold or prediction")
    if not sampling.plain:
        sampling.refuse("what other thresholds would do")
    rows = np.flatnonzero(decided & (label >= 0) & np.isfinite(score))
    codes = (label[rows] == predictions.positive) * 2 + (predictions.decision[rows] == predictions.positive)
    cells = codes.astype(np.int64) * BINS + score_bins(np.clip(score[rows], 0.0, 1.0))
    single = [group_set for group_set in groups.sets if len(group_set.columns) == 1]
    return GroupScores(columns={one.columns[0]: _counted(one, rows, cells) for one in single})


def _counted(group_set: GroupSet, rows: NDArray[np.intp], cells: NDArray[np.int64]) -> NDArray[np.int64]:
    codes = group_set.codes[rows]
    size = np.bincount(codes, minlength=len(group_set.levels))
    known = [i for i, level in enumerate(group_set.levels) if None not in level.values() and size[i] >= FEWEST]
    largest = sorted(sorted(known, key=lambda i: -size[i])[:MOST])
    place = np.full(len(group_set.levels), -1, dtype=np.int64)
    place[largest] = np.arange(len(largest))
    at = place[codes]
    flat = np.bincount(at[at >= 0] * 4 * BINS + cells[at >= 0], minlength=len(largest) * 4 * BINS)
    return flat.reshape(len(largest), 2, 2, BINS)
