"""ROC AUC and average precision: equal to scikit-learn's, for every group, with curves that end where they must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from audit.results import Curve, Reason
from audit.stats import auc, interval
from tests.worlds.random_tables import binary_case, binary_cells, shuffled, slices
from tests.worlds.tables import are_alike, evidence, make_case, measurement, omission, run_check

ID = "performance.discrimination"


@pytest.mark.parametrize("seed", range(3))
def test_areas_equal_scikit_learns_for_every_group(seed: int) -> None:
    cells = binary_cells(seed)
    outcome = run_check(binary_case(cells), ID)
    there = np.isfinite(cells["s"]) & np.array([v is not None for v in cells["y"]])
    for group, mask in slices(cells):
        y, s = cells["y"][there & mask].astype(int), cells["s"][there & mask]
        area = measurement(outcome, "roc_auc", by=group)
        assert area.value == pytest.approx(roc_auc_score(y, s), abs=1e-12)
        assert (area.n, area.interval) == (len(y), interval(auc(s, y), 0.95))
        precision = measurement(outcome, "average_precision", by=group)
        assert precision.value == pytest.approx(average_precision_score(y, s), abs=1e-12)


def test_a_group_of_one_class_has_no_area_and_its_omission_names_it() -> None:
    cells = {"y": [0, 1, 0, 1, 0, 0], "s": [0.1, 0.9, 0.4, 0.3, 0.2, 0.6], "g": list("aaaabb")}
    outcome = run_check(make_case(cells, target="y", positive=1, score="s", groups=["g"]), ID)
    missing = omission(outcome, "roc_auc", by={"g": "b"})
    assert missing.reason is Reason.UNDEFINED
    assert missing.detail.startswith("g = b (2 rows): ")
    assert omission(outcome, "average_precision", by={"g": "b"}).reason is Reason.UNDEFINED


def test_constant_scores_have_an_area_of_one_half() -> None:
    case = make_case({"y": [0, 1] * 30, "s": [0.4] * 60}, target="y", positive=1, score="s")
    found = measurement(run_check(case, ID), "roc_auc")
    assert found.value == 0.5
    assert found.interval.lower < 0.4
    assert found.interval.upper > 0.6


@pytest.mark.parametrize("n", [40, 3000])
def test_the_area_under_the_drawn_curve_is_the_measured_one_but_for_thinning(n: int) -> None:
    outcome = run_check(binary_case(binary_cells(4, n)), ID)
    drawn = evidence(outcome, "roc")
    assert isinstance(drawn, Curve)
    (series,) = drawn.series
    assert (series.x[0], series.y[0], series.x[-1], series.y[-1]) == (0, 0, 1, 1)
    assert len(series.x) <= 100
    assert np.trapezoid(series.y, series.x) == pytest.approx(measurement(outcome, "roc_auc").value, abs=0.005)


def test_there_is_a_chart_over_all_rows_and_one_for_each_sensitive_column() -> None:
    outcome = run_check(binary_case(binary_cells(5)), ID)
    names = [item.name for item in outcome.evidence]
    assert names == [f"{kind}{by}" for kind in ("roc", "precision_recall") for by in ("", " by race", " by sex")]
    by_race = evidence(outcome, "roc by race")
    assert isinstance(by_race, Curve)
    assert by_race.diagonal
    assert [s.label for s in by_race.series] == ["black", "other", "white", "(missing)"]


def test_a_column_with_many_groups_is_drawn_for_its_six_largest() -> None:
    g = [f"g{i:02d}" for i in range(12) for _ in range(2 + 2 * i)]
    cells = {"y": [0, 1] * (len(g) // 2), "s": np.linspace(0, 1, len(g)), "g": g}
    by_group = evidence(run_check(make_case(cells, target="y", positive=1, score="s", groups=["g"]), ID), "roc by g")
    assert isinstance(by_group, Curve)
    assert [s.label for s in by_group.series] == [f"g{i:02d}" for i in range(6, 12)]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_neither_the_order_of_rows_nor_the_unit_of_a_score_changes_an_area(
    seed: int, factor: float, shift: float
) -> None:
    cells = binary_cells(seed, n=80)
    moved = {**shuffled(cells, seed), "s": shuffled(cells, seed)["s"] * factor + shift}
    one, other = (run_check(binary_case(c, threshold=0.5), ID) for c in (cells, moved))
    assert are_alike(one, other)


def test_swapped_labels_mirror_the_area() -> None:
    cells = binary_cells(6)
    swapped = {**cells, "y": np.array([None if v is None else 1 - v for v in cells["y"]], dtype=object)}
    one, other = (measurement(run_check(binary_case(c), ID), "roc_auc") for c in (cells, swapped))
    assert one.value + other.value == pytest.approx(1, abs=1e-12)
