"""Error rates by group: equal to fairlearn's where they are defined, an omission where fairlearn makes up a 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    true_negative_rate,
    true_positive_rate,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from audit.results import Outcome, Reason
from audit.stats import interval, rate
from tests.worlds.random_tables import Cells, binary_case, binary_cells, shuffled, slices
from tests.worlds.tables import make_case, measurement, numbers, omission, run_check

FAIRLEARN: dict[str, Callable[..., Any]] = {
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
    "true_negative_rate": true_negative_rate,
    "false_negative_rate": false_negative_rate,
}


def rates(cells: Cells) -> Outcome:
    return run_check(binary_case(cells), "fairness.group_rates")


def usable(cells: Cells) -> tuple[Any, Any, Any]:
    there = np.isfinite(cells["s"]) & np.array([v is not None for v in cells["y"]])
    return there, cells["y"][there].astype(int), (cells["s"][there] >= 0.5).astype(int)


def counted(cells: Cells, mask: Any) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of every rate, row by row."""
    there, y, d = usable(cells)
    y, d = y[mask[there]].tolist(), d[mask[there]].tolist()
    pairs = list(zip(y, d, strict=True))
    tp, fp, fn, tn = (pairs.count(pair) for pair in ((1, 1), (0, 1), (1, 0), (0, 0)))
    return {
        "true_positive_rate": (tp, tp + fn),
        "false_positive_rate": (fp, fp + tn),
        "true_negative_rate": (tn, fp + tn),
        "false_negative_rate": (fn, tp + fn),
        "positive_predictive_value": (tp, tp + fp),
        "negative_predictive_value": (tn, tn + fn),
        "false_discovery_rate": (fp, tp + fp),
        "false_omission_rate": (fn, tn + fn),
        "base_rate": (tp + fn, len(pairs)),
        "error_rate": (fp + fn, len(pairs)),
        "miss_share_of_errors": (fn, fp + fn),
    }


@pytest.mark.parametrize("seed", range(3))
def test_every_rate_of_every_group_is_counted_over_its_exact_denominator(seed: int) -> None:
    cells = binary_cells(seed)
    outcome = rates(cells)
    for group, mask in slices(cells):
        for name, (k, n) in counted(cells, mask).items():
            if n == 0:
                assert omission(outcome, name, by=group).reason is Reason.UNDEFINED
                continue
            found = measurement(outcome, name, by=group)
            assert found.value == pytest.approx(k / n, abs=1e-12)
            assert (found.n, found.interval) == (n, interval(rate(k, n), 0.95))


@pytest.mark.parametrize("columns", [["race"], ["sex"], ["race", "sex"]])
def test_rates_equal_fairlearns(columns: list[str]) -> None:
    cells = binary_cells(7)
    outcome = rates(cells)
    there, y, d = usable(cells)
    words = {c: [str(v) for v in cells[c][there]] for c in columns}
    frame = MetricFrame(metrics=FAIRLEARN, y_true=y, y_pred=d, sensitive_features=words)
    for levels, row in frame.by_group.dropna().iterrows():
        group = dict(zip(columns, levels if isinstance(levels, tuple) else (levels,), strict=True))
        for name in FAIRLEARN:
            by = {c: None if v == "None" else v for c, v in group.items()}
            assert measurement(outcome, name, by=by).value == pytest.approx(row[name], abs=1e-12)


def test_precision_equals_scikit_learns() -> None:
    cells = binary_cells(8)
    _, y, d = usable(cells)
    found = measurement(rates(cells), "positive_predictive_value")
    assert found.value == pytest.approx(precision_score(y, d), abs=1e-12)


def test_a_group_without_positives_has_no_true_positive_rate_where_fairlearn_makes_up_a_0() -> None:
    y, d, g = [1, 1, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 1, 0], ["a"] * 4 + ["b"] * 3
    frame = MetricFrame(metrics=true_positive_rate, y_true=y, y_pred=d, sensitive_features=g)
    case = make_case({"y": y, "d": d, "g": g}, target="y", positive=1, prediction="d", groups=["g"])
    outcome = run_check(case, "fairness.group_rates")
    assert frame.by_group["b"] == 0.0
    missing = omission(outcome, "true_positive_rate", by={"g": "b"})
    assert (missing.reason, missing.n) == (Reason.UNDEFINED, 0)
    assert missing.detail == "g = b (3 rows): no row is labelled positive"
    assert measurement(outcome, "false_positive_rate", by={"g": "b"}).n == 3


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_complementary_rates_add_up_to_one_and_rows_may_come_in_any_order(seed: int) -> None:
    cells = binary_cells(seed, n=80)
    outcome = rates(cells)
    assert numbers(outcome) == numbers(rates(shuffled(cells, seed)))
    for one, other in (
        ("true_positive_rate", "false_negative_rate"),
        ("false_positive_rate", "true_negative_rate"),
        ("positive_predictive_value", "false_discovery_rate"),
        ("negative_predictive_value", "false_omission_rate"),
    ):
        both = [m.value for m in outcome.measurements if m.name in {one, other} and not m.slice]
        assert not both or sum(both) == pytest.approx(1, abs=1e-12)


def test_every_rate_of_every_group_is_measured_or_omitted_with_its_reason() -> None:
    cells = binary_cells(9, n=30)
    outcome = rates(cells)
    answered = len(outcome.measurements) + len(outcome.omissions)
    assert answered == 11 * len(list(slices(cells)))


def test_the_published_compas_counts_give_propublicas_error_rates() -> None:
    counts = {("black", 0): (990, 805), ("black", 1): (532, 1369), ("white", 0): (1139, 349), ("white", 1): (461, 505)}
    rows = [(race, y, d) for (race, y), n in counts.items() for d in (0, 1) for _ in range(n[d])]
    race, y, d = zip(*rows, strict=True)
    case = make_case({"race": race, "y": y, "d": d}, target="y", positive=1, prediction="d", groups=["race"])
    outcome = run_check(case, "fairness.group_rates")
    for name, group, published in (
        ("false_positive_rate", "black", 44.85),
        ("false_positive_rate", "white", 23.45),
        ("false_negative_rate", "black", 27.99),
        ("false_negative_rate", "white", 47.72),
    ):
        assert round(100 * measurement(outcome, name, by={"race": group}).value, 2) == published
