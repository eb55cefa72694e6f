"""The frontier, unknown group labels, flipped attributes, and the labels of the training data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression

from audit.case import Case
from audit.results import Curve, Outcome
from audit.stats import Tally, missing_label_bounds
from tests.worlds.random_tables import binary_case, binary_cells
from tests.worlds.tables import evidence, make_case, measurement, omission, run_check


def curve(outcome: Outcome, name: str) -> Curve:
    found = evidence(outcome, name)
    assert isinstance(found, Curve)
    return found


def test_the_frontier_rises_with_the_gap_and_no_model_lies_above_it() -> None:
    found = curve(run_check(binary_case(binary_cells(1, n=3000)), "fairness.frontier"), "frontier by race")
    assert "unlawful" in found.note
    assert len(found.series) == 6
    for best, own in zip(found.series[::2], found.series[1::2], strict=True):
        assert list(best.y) == sorted(best.y)
        assert own.y[0] <= np.interp(own.x[0], best.x, best.y) + 1e-9


def with_missing(case: Case, how: str) -> Case:
    test = case.spec.data.test.model_copy(update={"missing": how})
    return replace(case, spec=case.spec.model_copy(update={"data": case.spec.data.model_copy(update={"test": test})}))


def test_rows_of_unknown_group_widen_the_gap_to_its_sharp_bounds() -> None:
    cells = binary_cells(2, n=800)
    case = with_missing(binary_case(cells), "bounds")
    outcome = run_check(case, "fairness.unknown_groups")
    found = measurement(outcome, "selection_gap_with_unknown", groups="race")
    decided = np.isfinite(cells["s"])
    tallies = {}
    for level in ("black", "white", "other", None):
        mine = decided & np.array([v == level for v in cells["race"]])
        tallies[level] = Tally(int((cells["s"][mine] >= 0.5).sum()), int(mine.sum()))
    known = sorted((t for name, t in tallies.items() if name and t.n >= 30), key=lambda t: t.k / t.n)
    low, high = known[0], known[-1]
    assert found.value == pytest.approx(high.k / high.n - low.k / low.n)
    bounds = missing_label_bounds(high, low, tallies[None]).interval
    assert (found.interval.lower, found.interval.upper) == (pytest.approx(bounds.lower), pytest.approx(bounds.upper))
    assert found.interval.kind == "range"
    sex = measurement(outcome, "selection_gap_with_unknown", groups="sex")
    assert sex.interval.half_width < found.interval.half_width


def test_without_being_asked_only_the_curve_is_drawn_and_it_widens() -> None:
    outcome = run_check(binary_case(binary_cells(3, n=800)), "fairness.unknown_groups")
    assert not outcome.measurements
    line = curve(outcome, "wrong labels by sex").series[0]
    assert list(line.upper) == sorted(line.upper)
    assert list(line.lower) == sorted(line.lower, reverse=True)


def flipped(weight: float) -> Outcome:
    rng = np.random.default_rng(4)
    x, g = rng.normal(size=600), rng.integers(0, 2, 600)
    model = LogisticRegression().fit(np.column_stack([x, g]), (x + weight * g + rng.normal(size=600) > 0).astype(int))
    model.coef_ = np.array([[1.0, weight]])
    model.intercept_ = np.zeros(1)
    cells = {"x": x, "g": g, "y": (x > 0).astype(int)}
    case = make_case(cells, target="y", positive=1, groups=["g"], features=["x", "g"], model=model)
    return run_check(case, "fairness.attribute_flip")


def test_decisions_that_turn_with_the_attribute_alone_are_counted() -> None:
    x = np.random.default_rng(4).normal(size=600)
    found = measurement(flipped(0.5), "attribute_flip_share", column="g")
    assert found.value == pytest.approx(np.mean((x > 0) != (x + 0.5 > 0)))
    assert found.columns == ("g",)
    assert measurement(flipped(0.0), "attribute_flip_share", column="g").value == 0


def training(**more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    g = rng.choice(np.array(["a", "b", "c"], dtype=object), 500, p=[0.6, 0.3, 0.1])
    y = (rng.random(500) < np.where(g == "a", 0.5, 0.3)).astype(int)
    return {"g": g, "y": y, "s": rng.random(500), "dept": rng.integers(0, 3, 500), **more}


def disparity(cells: dict[str, Any]) -> Outcome:
    case = make_case(cells, target="y", positive=1, score="s", groups=["g"], train=cells)
    train = case.datasets["train"]
    controlled = replace(train, roles=replace(train.roles, control=("dept",)))
    return run_check(replace(case, datasets={**case.datasets, "train": controlled}), "data.label_disparity")


def test_label_disparities_of_the_training_data_are_scipys() -> None:
    cells = training()
    outcome, mine = disparity(cells), cells["g"] == "b"
    p, q = (np.bincount(cells["y"][side], minlength=2) / side.sum() for side in (mine, ~mine))
    by_hand = []
    for dept in range(3):
        here = cells["dept"] == dept
        no, yes = here & (cells["y"] == 0), here & (cells["y"] == 1)
        by_hand.append(((no & mine).sum() / no.sum() - (yes & mine).sum() / yes.sum(), here.sum()))
    for name, expected in {
        "train_class_imbalance": ((~mine).sum() - mine.sum()) / 500,
        "train_label_proportion_gap": q[1] - p[1],
        "train_label_kl": entropy(p, q),
        "train_label_js": jensenshannon(p, q) ** 2,
        "train_label_tvd": abs(p[1] - q[1]),
        "train_label_ks": abs(p[1] - q[1]),
        "train_conditional_disparity": np.average([d for d, _ in by_hand], weights=[n for _, n in by_hand]),
    }.items():
        found = measurement(outcome, name, by={"g": "b"})
        assert found.value == pytest.approx(expected, abs=1e-12), name
        assert found.interval.kind == "exact"


def test_a_label_that_the_others_lack_leaves_the_divergence_undefined() -> None:
    cells = training()
    cells["y"] = (cells["g"] == "c").astype(int)
    assert "lack a label" in omission(disparity(cells), "train_label_kl", by={"g": "c"}).detail
    assert measurement(disparity(cells), "train_label_js", by={"g": "c"}).value == pytest.approx(np.log(2))
