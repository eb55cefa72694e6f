"""Rows in their lists, each with its place: what is asked of a score that sorts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling

REQUIRES = {"tasks": ("binary", "regression", "ranking")}

Vector = NDArray[np.float64]
Codes = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Rankings:
    """All arrays have one entry a ranked row, in the order of their lists and places.

    A tie is broken at random and every figure is its expected value, so that the order of rows changes none.
    ``unit`` is what was drawn: the list, or the cluster that several lists belong to. ``relevance`` is None without a
    target, NaN where a row has none. ``left_out`` rows of the data have no score or belong to no query.
    """

    rows: NDArray[np.intp]  # places in the data
    lists: Codes
    unit: Codes
    score: Vector
    weight: Vector
    relevance: Vector | None
    left_out: int

    @property
    def several(self) -> bool:
        """Whether there is more than one list, so that lists and not rows are what was drawn."""
        return bool(self.lists[0] != self.lists[-1])

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of the list of each row."""
        return np.bincount(self.lists)[self.lists]

    @cached_property
    def _ties(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of each row: the places in its list before those that it shares, and how many rows share them."""
        at = np.arange(len(self.rows))
        new_list = np.diff(self.lists, prepend=-1) != 0
        starts = at[new_list][np.cumsum(new_list) - 1]
        new_score = new_list | (np.diff(self.score, prepend=np.nan) != 0)
        tie = np.cumsum(new_score) - 1
        return at[new_score][tie] - starts, np.bincount(tie)[tie]

    def among(self, k: int) -> Vector:
        """The chance of each row to stand among the first k of its list: 0, 1, or a share of a tie over place k."""
        before, sharing = self._ties
        return np.asarray(np.clip((k - before) / sharing, 0.0, 1.0), dtype=float)

    @cached_property
    def exposure(self) -> Vector:
        """1 / log2(1 + place), the mean over the places of a tie."""
        before, sharing = self._ties
        summed = np.concatenate([[0.0], np.cumsum(1 / np.log2(2 + np.arange(int(self.sizes.max()))))])
        return np.asarray((summed[before + sharing] - summed[before]) / sharing, dtype=float)

    def only(self, kept: NDArray[np.bool_]) -> Rankings:
        """These rows alone, ranked among themselves."""
        relevance = None if self.relevance is None else self.relevance[kept]
        return replace(
            self,
            rows=self.rows[kept],
            lists=self.lists[kept],
            unit=self.unit[kept],
            score=self.score[kept],
            weight=self.weight[kept],
            relevance=relevance,
        )


def rankings(predictions: Predictions, sampling: Sampling, data: Dataset) -> Rankings:
    """Lists are queries; without a query role the whole table is one, or, of a binary score, each cluster."""
    score, relevance = _sorted_by(predictions)
    lists, in_list = _lists(predictions, sampling, data)
    rows = np.flatnonzero(np.isfinite(score) & in_list)
    if not len(rows):
        raise Unavailable("undefined", "no row has a query and a finite score", "check the score and query columns")
    weight, _ = sampling.drawn(rows)
    keys = (weight, *(() if relevance is None else (relevance[rows],)), -score[rows], lists[rows])
    order = np.lexsort(keys)
    rows = rows[order]
    nested = data.roles.query and sampling.cluster is not None
    found = Rankings(
        rows=rows,
        lists=lists[rows],
        unit=sampling.cluster[rows] if nested and sampling.cluster is not None else lists[rows],
        score=score[rows],
        weight=weight[order],
        relevance=None if relevance is None else relevance[rows],
        left_out=data.n - len(rows),
    )
    _refuse_torn_lists(found)
    return found


def _lists(found: Predictions, sampling: Sampling, data: Dataset) -> tuple[Codes, NDArray[np.bool_]]:
    """The list of each row of the data, and whether it has one: a row without a query is in none."""
    everywhere = np.ones(data.n, dtype=bool)
    if data.roles.query:
        query = data.codes(data.roles.query)
        return query.codes, query.codes != query.levels.index(None) if None in query.levels else everywhere
    if sampling.cluster is not None and found.task != "ranking":
        return sampling.cluster, everywhere
    return np.zeros(data.n, dtype=np.int32), everywhere


def _sorted_by(found: Predictions) -> tuple[Vector, Vector | None]:
    """What rows are sorted by, and what a row is worth where labels say so."""
    if found.task not in REQUIRES["tasks"]:
        raise Unavailable("not_applicable", f"the task is {found.task}: there is no one score to sort by", "give score")
    if found.task == "regression":
        if found.decision is None:
            raise Unavailable("missing_input", "there are no predictions to sort by", "give prediction in [data.test]")
        worth = None if found.label is None else np.where(np.isfinite(found.label), found.label, np.nan)
        return found.decision, None if worth is None else np.maximum(worth, 0.0)
    if found.score is None:
        raise Unavailable("not_applicable", "there is no one score to sort by", "give score")
    if found.label is None or found.task == "ranking":
        return found.score, found.label
    return found.score, np.where(found.label < 0, np.nan, 1.0 * (found.label == found.positive))


def _refuse_torn_lists(found: Rankings) -> None:
    """Unavailable where the rows of one list belong to several clusters: neither of them is what was drawn."""
    same_list = np.diff(found.lists) == 0
    if (same_list & (np.diff(found.unit) != 0)).any():
        raise Unavailable(
            "unsupported",
            "the rows of one query belong to several clusters, so that neither queries nor clusters were drawn alone",
            "name as cluster what whole queries belong to, such as the user who asked, or leave cluster out",
        )
