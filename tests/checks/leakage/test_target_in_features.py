"""A column that gives the answer away is found; noise, names and ids are not taken for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from audit.case import Case
from audit.results import Reason
from tests.worlds.random_tables import Cells
from tests.worlds.tables import are_alike, make_case, measurement, run_check

ID = "leakage.target_in_features"


def cells_of(seed: int, n: int = 300) -> Cells:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return {
        "y": y,
        "s": rng.random(n),
        "signal": y + rng.normal(size=n),
        "against": -y + rng.normal(size=n),
        "noise": rng.normal(size=n),
        "town": rng.choice(np.array(["u", "v", "w"], dtype=object), n),
        "name": np.array([f"n{i:05d}" for i in rng.permutation(n)], dtype=object),
    }


def case_of(cells: Cells, positive: int | str = 1) -> Case:
    return make_case(cells, target="y", positive=positive, score="s")


def test_the_area_of_a_number_is_scikit_learns_in_the_direction_that_ranks() -> None:
    cells = cells_of(1)
    outcome = run_check(case_of(cells), ID)
    for name, sign in (("signal", 1), ("against", -1)):
        found = measurement(outcome, "single_feature_auc", feature=name)
        assert found.value == pytest.approx(roc_auc_score(cells["y"], sign * cells[name]), abs=1e-12)
        assert (found.columns, found.n) == ((name,), 300)


@pytest.mark.parametrize(
    "leak",
    [
        lambda y: y,
        lambda y: -3.5 * y,
        lambda y: np.where(y == 1, "approved", "refused").astype(object),
        lambda y: np.where(y == 1, 7.0, np.nan),
        lambda y: np.array(["2026-01-01" if v else None for v in y], dtype=object),
    ],
    ids=["copy", "scaled", "words", "number only when positive", "word only when positive"],
)
def test_a_column_that_is_the_answer_has_an_area_of_one_and_is_named(leak: Callable[[Any], Any]) -> None:
    cells = cells_of(2)
    cells["leak"] = leak(cells["y"])
    largest = measurement(run_check(case_of(cells), ID), "largest_single_feature_auc")
    assert (largest.value, largest.columns) == (1.0, ("leak",))


@pytest.mark.parametrize("seed", range(5))
def test_a_unique_name_and_noise_stay_near_one_half(seed: int) -> None:
    outcome = run_check(case_of(cells_of(seed)), ID)
    assert measurement(outcome, "single_feature_auc", feature="name").value == 0.5
    assert measurement(outcome, "single_feature_auc", feature="noise").value < 0.6
    assert measurement(outcome, "single_feature_auc", feature="town").value < 0.6


def test_a_column_that_tells_one_of_three_classes_is_found() -> None:
    rng = np.random.default_rng(3)
    y = rng.choice(np.array(["ant", "bee", "cat"], dtype=object), 300)
    d = rng.choice(np.array(["ant", "bee", "cat"], dtype=object), 300)
    cells = {"y": y, "d": d, "wings": (y == "bee").astype(int), "noise": rng.normal(size=300)}
    outcome = run_check(make_case(cells, target="y", prediction="d"), ID)
    assert measurement(outcome, "single_feature_auc", feature="wings").value == 1.0
    assert measurement(outcome, "largest_single_feature_auc").columns == ("wings",)


def test_one_class_and_no_usable_feature_are_omissions() -> None:
    one = make_case({"x": [1, 2], "y": [1, 1], "s": [0.2, 0.7]}, target="y", positive=1, score="s")
    assert [o.reason for o in run_check(one, ID).omissions] == [Reason.UNDEFINED]
    bare = make_case({"y": [0, 1], "d": [0, 1]}, target="y", positive=1, prediction="d")
    assert [o.reason for o in run_check(bare, ID).omissions] == [Reason.NOT_APPLICABLE]


def test_of_very_many_features_the_hundred_highest_are_listed() -> None:
    rng = np.random.default_rng(4)
    cells = {"y": rng.integers(0, 2, 50), "s": rng.random(50), **{f"f{j}": rng.normal(size=50) for j in range(130)}}
    outcome = run_check(case_of(cells), ID)
    listed = [m.value for m in outcome.measurements if m.name == "single_feature_auc"]
    assert len(listed) == 100
    assert listed[0] == measurement(outcome, "largest_single_feature_auc").value


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_the_side_called_positive_changes_an_area(seed: int) -> None:
    cells = cells_of(seed, n=60)
    order = np.random.default_rng(seed).permutation(60)
    shuffled = {name: values[order] for name, values in cells.items()}
    assert are_alike(run_check(case_of(cells), ID), run_check(case_of(shuffled, positive=0), ID))
