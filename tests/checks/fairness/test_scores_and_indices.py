"""Score distances, inequality indices, group disparity and consistency, against scipy and slow definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp, wasserstein_distance
from sklearn.metrics import roc_curve

from audit.results import Measurement, Outcome, Reason
from tests.worlds.random_tables import Cells, binary_case, binary_cells, slices
from tests.worlds.tables import make_case, measurement, omission, run_check


def usable(cells: Cells) -> Any:
    return np.isfinite(cells["s"]) & np.array([v is not None for v in cells["y"]])


def check(cells: Cells, name: str, **params: Any) -> Outcome:
    return run_check(binary_case(cells), f"fairness.{name}", **params)


def test_distances_are_scipys_and_balance_is_the_mean_by_label() -> None:
    cells = binary_cells(1)
    outcome = check(cells, "score_gaps")
    there = usable(cells)
    for group, mask in slices(cells):
        mine, rest = cells["s"][there & mask], cells["s"][there & ~mask]
        assert measurement(outcome, "mean_score", by=group).value == pytest.approx(mine.mean(), abs=1e-12)
        positive = cells["s"][there & mask & (cells["y"] == 1)]
        assert measurement(outcome, "mean_score_of_positives", by=group).value == pytest.approx(
            positive.mean(), abs=1e-12
        )
        if group:
            ks = measurement(outcome, "score_ks_distance", by=group)
            assert ks.value == pytest.approx(ks_2samp(mine, rest).statistic, abs=1e-12)
            area = measurement(outcome, "score_wasserstein_distance", by=group)
            assert area.value == pytest.approx(wasserstein_distance(mine, rest), abs=1e-12)


def test_abroca_is_the_area_between_scikit_learns_curves() -> None:
    cells = binary_cells(2)
    there, inside = usable(cells), cells["sex"] == "f"
    grid = np.linspace(0, 1, 200_001)
    curves = []
    for mask in (inside, ~inside):
        fpr, tpr, _ = roc_curve(cells["y"][there & mask].astype(int), cells["s"][there & mask], drop_intermediate=False)
        curves.append(np.interp(grid, fpr, tpr))
    found = measurement(check(cells, "score_gaps"), "abroca", by={"sex": "f"})
    assert found.value == pytest.approx(np.abs(curves[0] - curves[1]).mean(), abs=2e-3)


def test_inequality_indices_are_those_of_the_benefits() -> None:
    cells = binary_cells(3)
    there = usable(cells)
    outcome = check(cells, "inequality")
    for group, mask in slices(cells):
        mine = there & mask
        b = (cells["s"][mine] >= 0.5) - 1.0 * (cells["y"][mine] == 1) + 1
        r = b / b.mean()
        theil = np.mean([x * np.log(x) if x else 0.0 for x in r])
        assert measurement(outcome, "generalised_entropy", by=group).value == pytest.approx(((r**2).mean() - 1) / 2)
        assert measurement(outcome, "theil_index", by=group).value == pytest.approx(theil)


def test_group_disparity_is_the_worst_log_ratio_and_the_widest_weighted_gap() -> None:
    cells = binary_cells(4)
    decided = np.isfinite(cells["s"])
    counts = []
    for level in ("black", "white", "other", None):
        mine = decided & np.array([v == level for v in cells["race"]])
        counts.append((int((cells["s"][mine] >= 0.5).sum()), int(mine.sum())))
    eps, gap = 0.0, 0.0
    total = sum(n for _, n in counts)
    p = sum(k for k, _ in counts) / total
    for k, n in counts:
        gap = max(gap, n / total * abs(k / n - p))
        for j, m in counts:
            eps = max(eps, abs(np.log((k + 1) / (n + 2)) - np.log((j + 1) / (m + 2))))
            eps = max(eps, abs(np.log((n - k + 1) / (n + 2)) - np.log((m - j + 1) / (m + 2))))
    outcome = check(cells, "group_disparity")
    assert measurement(outcome, "differential_fairness", groups="race").value == pytest.approx(eps, abs=1e-12)
    assert measurement(outcome, "subgroup_selection_gap", groups="race").value == pytest.approx(gap, abs=1e-12)
    assert {m.params["groups"] for m in outcome.measurements} == {"race", "sex", "race*sex"}


def world(n: int = 300, noise: float = 0.0) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    x, z = rng.normal(size=n), rng.normal(size=n) * 100
    return {"x": x, "z": z, "d": ((x + noise * rng.normal(size=n)) > 0).astype(int), "y": (x > 0).astype(int)}


def consistency(cells: dict[str, Any], **params: Any) -> Measurement:
    case = make_case(cells, target="y", positive=1, prediction="d", features=["x", "z"])
    return measurement(run_check(case, "fairness.consistency", **params), "consistency", **params)  # type: ignore[no-any-return]


def test_consistency_is_the_slow_definition_over_standardised_features() -> None:
    cells = world()
    design = np.column_stack([cells["x"] / cells["x"].std(), cells["z"] / cells["z"].std()])
    terms = []
    for i in range(len(design)):
        distance = ((design - design[i]) ** 2).sum(axis=1)
        distance[i] = np.inf
        terms.append(abs(cells["d"][i] - cells["d"][np.argsort(distance)[:5]].mean()))
    assert consistency(cells).value == pytest.approx(1 - np.mean(terms), abs=1e-12)
    assert consistency(world(noise=5.0)).value < consistency(cells).value
    assert consistency(cells, neighbours=1).value == pytest.approx(1.0, abs=0.1)


def test_too_many_neighbours_are_an_omission() -> None:
    case = make_case(world(n=12), target="y", positive=1, prediction="d", features=["x", "z"])
    missing = omission(run_check(case, "fairness.consistency", neighbours=12), "consistency", neighbours=12)
    assert missing.reason is Reason.INSUFFICIENT_DATA


def test_hundreds_of_groups_have_no_one_number() -> None:
    cells = binary_cells(6)
    cells["race"] = np.array([f"g{i}" for i in range(len(cells["race"]))], dtype=object)
    missing = omission(check(cells, "group_disparity"), "differential_fairness", groups="race")
    assert missing.reason is Reason.INSUFFICIENT_DATA
    assert "400 groups" in missing.detail
