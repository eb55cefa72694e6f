"""Cells and sampling as inputs: what they count, what they refuse, and how weights reach a rate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from audit.case import Case
from audit.data import Dataset
from audit.errors import DataError, Unavailable
from audit.inputs.cells import cells
from audit.inputs.confusion import confusion
from audit.inputs.groups import groups
from audit.inputs.predictions import predictions
from audit.inputs.sampling import Sampling, sampling
from audit.inputs.score_cells import score_cells
from audit.stats import clustered_mean, clustered_rate, mean, rate, weighted_mean, weighted_rate
from tests.worlds.tables import make_case

RNG = np.random.default_rng(3)
N = 500
COLUMNS: dict[str, Any] = {
    "y": [None if i % 50 == 0 else int(v) for i, v in enumerate(RNG.random(N) < 0.4)],
    "s": np.where(RNG.random(N) < 0.02, np.nan, RNG.random(N)),
    "sex": [None if i % 11 == 0 else "fm"[i % 2] for i in range(N)],
    "site": RNG.integers(0, 9, N),
    "w": RNG.lognormal(size=N),
}


def opened(**changes: Any) -> tuple[Case, Dataset]:
    case = make_case(
        {**COLUMNS, **changes}, target="y", positive=1, score="s", groups=["sex", "site"], stats={"intersections": 2}
    )
    return case, case.datasets["test"]


def with_roles(data: Dataset, **roles: str) -> Dataset:
    return replace(data, roles=replace(data.roles, **roles))


def test_every_slice_counts_its_own_rows_and_all_rows_come_first() -> None:
    case, data = opened()
    found = cells(predictions(case, data), groups(case, data), sampling(data))
    y, s = np.array([-1 if v is None else v for v in COLUMNS["y"]]), COLUMNS["s"]
    usable = (y >= 0) & np.isfinite(s)
    assert len(found.slices) == found.cells.counts.shape[0] == 1 + 3 + 9 + len(groups(case, data).sets[2].levels)
    for at, group in enumerate(found.slices):
        mine = usable.copy()
        for column, level in group.items():
            mine &= np.array([None if v is None else str(v) for v in COLUMNS[column]], dtype=object) == level
        pairs = [(int(a), int(b >= 0.5)) for a, b in zip(y[mine], s[mine], strict=True)]
        assert [pairs.count(p) for p in ((0, 0), (0, 1), (1, 0), (1, 1))] == found.cells.counts[at].ravel().tolist()


def test_the_confusion_is_a_view_of_the_cells_and_histograms_hold_the_same_rows() -> None:
    case, data = opened()
    given, sets = predictions(case, data), groups(case, data)
    found, scored = cells(given, sets, sampling(data)), score_cells(given, sets)
    four = confusion(found)
    assert np.array_equal(four.tp + four.fp + four.fn + four.tn, found.cells.counts.sum(axis=(1, 2)))
    assert scored.cells.histogram is not None
    assert np.array_equal(scored.cells.histogram.sum(axis=2), found.cells.counts.sum(axis=2))


def test_weights_reach_the_cells_and_clusters_the_rate() -> None:
    case, data = opened()
    roles = sampling(with_roles(data, weight="w", cluster="site"))
    weighted = cells(predictions(case, data), groups(case, data), roles).cells.weights
    usable = np.isfinite(COLUMNS["s"]) & np.array([v is not None for v in COLUMNS["y"]])
    assert weighted is not None
    assert weighted.totals()[0, ..., 0].sum() == pytest.approx(COLUMNS["w"][usable].sum(), rel=1e-12)
    rows, success = np.arange(40, 300), RNG.random(260) < 0.3
    w, site, values = COLUMNS["w"][rows], COLUMNS["site"][rows], RNG.normal(size=260)
    assert roles.rate(success, rows) == clustered_rate(success, site, w)
    assert roles.mean(values, rows) == clustered_mean(values, site, w)
    only_weight, neither = replace(roles, cluster=None), Sampling(weight=None, cluster=None)
    assert only_weight.rate(success, rows) == weighted_rate(success, w)
    assert only_weight.mean(values, rows) == weighted_mean(values, w)
    assert neither.rate(success, rows) == rate(int(success.sum()), 260)
    assert neither.mean(values, rows) == mean(values)
    assert neither.plain
    assert not only_weight.plain


def test_a_group_without_rows_has_no_rate_and_says_of_what() -> None:
    with pytest.raises(Unavailable, match="no row is labelled positive"):
        Sampling(weight=None, cluster=None).rate([], np.array([], dtype=int), "labelled positive")


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.zeros(N), "is 0 in every row"),
        (-np.ones(N), "finite number of at least 0"),
        (np.where(np.arange(N) == 7, np.nan, 1.0), "row 8"),
    ],
)
def test_weights_that_cannot_be_are_refused_with_what_to_do(weights: np.ndarray, words: str) -> None:
    _, data = opened(w=weights)
    with pytest.raises(DataError, match=words):
        sampling(with_roles(data, weight="w"))


def test_no_labels_no_decisions_and_no_probabilities_are_said() -> None:
    case, data = opened()
    given, sets, none = predictions(case, data), groups(case, data), Sampling(weight=None, cluster=None)
    for changed, reason in (
        ({"label": None}, "missing_input"),
        ({"decision": None}, "missing_input"),
        ({"task": "regression"}, "not_applicable"),
        ({"label": np.full(N, -1)}, "undefined"),
    ):
        with pytest.raises(Unavailable) as why:
            cells(replace(given, **changed), sets, none)  # type: ignore[arg-type]
        assert why.value.reason == reason
    for changed in ({"score": None}, {"decision": None}, {"score": np.full(N, np.nan)}):
        with pytest.raises(Unavailable):
            score_cells(replace(given, **changed), sets)  # type: ignore[arg-type]
