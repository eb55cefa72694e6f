"""Log loss and Brier score: equal to scikit-learn's for two classes and for more, for every group."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from audit.results import Reason
from tests.worlds.random_tables import (
    CLASSES,
    binary_case,
    binary_cells,
    multiclass_case,
    multiclass_cells,
    shuffled,
    slices,
)
from tests.worlds.tables import are_alike, make_case, measurement, omission, run_check

ID = "performance.probability_error"


@pytest.mark.parametrize("seed", range(2))
def test_binary_scores_equal_scikit_learns_for_every_group(seed: int) -> None:
    cells = binary_cells(seed)
    outcome = run_check(binary_case(cells), ID)
    there = np.isfinite(cells["s"]) & np.array([v is not None for v in cells["y"]])
    assert {0.0, 1.0} <= set(cells["s"][there])  # so that clipping is part of what is compared
    for group, mask in slices(cells):
        y, s = cells["y"][there & mask].astype(int), cells["s"][there & mask]
        loss = measurement(outcome, "log_loss", by=group)
        assert loss.value == pytest.approx(log_loss(y, s, labels=[0, 1]), rel=1e-12)
        assert (loss.n, loss.unit) == (len(y), "nats")
        brier = measurement(outcome, "brier_score", by=group)
        assert brier.value == pytest.approx(brier_score_loss(y, s, pos_label=1), abs=1e-12)
        assert brier.interval.lower < brier.value < brier.interval.upper


def test_multiclass_scores_equal_scikit_learns_for_every_group() -> None:
    cells = multiclass_cells(1)
    outcome = run_check(multiclass_case(cells), ID)
    there = np.array([v is not None for v in cells["y"]])
    p = np.column_stack([cells[f"p_{c}"] for c in CLASSES])
    for group, mask in slices(cells):
        y, q = cells["y"][there & mask].astype(str), p[there & mask]
        assert measurement(outcome, "log_loss", by=group).value == pytest.approx(
            log_loss(y, q, labels=CLASSES), abs=1e-12
        )
        expected = brier_score_loss(y, q, labels=CLASSES)
        assert measurement(outcome, "brier_score", by=group).value == pytest.approx(expected, abs=1e-12)


def test_a_fitted_model_is_scored_on_its_own_probabilities_of_the_positive_class() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=200)
    y = np.where(x + rng.normal(size=200) > 0, "bad", "good")
    model = LogisticRegression().fit(x[:, None], y)
    case = make_case({"x": x, "y": y}, target="y", positive="good", features=["x"], model=model)
    outcome = run_check(case, ID)
    p = model.predict_proba(x[:, None])
    assert measurement(outcome, "log_loss").value == pytest.approx(log_loss(y, p), abs=1e-12)
    brier = brier_score_loss(y == "good", p[:, 1])
    assert measurement(outcome, "brier_score").value == pytest.approx(brier, abs=1e-12)


def test_a_sure_and_wrong_probability_costs_the_clipped_36_nats_and_not_infinity() -> None:
    cells = {"y": [1] + [0, 1] * 20, "s": [0.0] + [0.2, 0.8] * 20}
    found = measurement(run_check(make_case(cells, target="y", positive=1, score="s"), ID), "log_loss")
    expected = (-math.log(np.finfo(float).eps) - 40 * math.log(0.8)) / 41
    assert found.value == pytest.approx(expected, abs=1e-12)


def test_scores_that_are_no_probabilities_are_a_missing_input() -> None:
    case = make_case({"y": [0, 1, 0], "s": [3.0, 8.0, 1.0]}, target="y", positive=1, score="s")
    assert [o.reason for o in run_check(case, ID).omissions] == [Reason.MISSING_INPUT]


def test_a_group_of_one_row_is_an_omission_with_its_n() -> None:
    cells = {"y": [0, 1, 0, 1, 1], "s": [0.2, 0.7, 0.4, 0.6, 0.9], "g": list("aaaab")}
    outcome = run_check(make_case(cells, target="y", positive=1, score="s", groups=["g"]), ID)
    missing = omission(outcome, "brier_score", by={"g": "b"})
    assert (missing.reason, missing.n) == (Reason.INSUFFICIENT_DATA, 1)


def test_the_order_of_rows_changes_nothing() -> None:
    cells = multiclass_cells(3, n=120)
    assert are_alike(run_check(multiclass_case(cells), ID), run_check(multiclass_case(shuffled(cells, 1)), ID))


@pytest.mark.parametrize("batch", [1, 7, 199])
def test_the_size_of_a_batch_changes_nothing(batch: int) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    y = (x + rng.normal(size=200) > 0).astype(int)
    model = LogisticRegression().fit(x[:, None], y)
    one, other = (
        make_case({"x": x, "y": y}, target="y", positive=1, features=["x"], model=model, batch=size)
        for size in (8192, batch)
    )
    assert are_alike(run_check(one, ID), run_check(other, ID))
