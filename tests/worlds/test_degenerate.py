"""Every degenerate table against every check of numbers: an answer or an omission with its reason, and no crash."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

from audit.case import Case
from audit.errors import DataError
from audit.results import Outcome, Reason
from tests.worlds.random_tables import (
    CLASSES,
    Cells,
    binary_case,
    binary_cells,
    multiclass_case,
    multiclass_cells,
)
from tests.worlds.tables import make_case, measurement, registry, run_check

FAMILIES = ("performance", "fairness", "calibration", "data", "leakage")
CHECKS = [info.id for info in registry().checks.values() if info.family in FAMILIES]
HOSTILE = ["<script>alert(1)</script>", "a|b`x`", "\x00\x1b[31m", "\u202eevil", "", "x" * 10_000, "=cmd()"]


def rows(n: int) -> Callable[[Cells], Cells]:
    def first(cells: Cells) -> Cells:
        labelled = [i for i, v in enumerate(cells["y"]) if v is not None and _scored(cells, i)]
        return {name: values[labelled[:n]] for name, values in cells.items()}

    return first


def _scored(cells: Cells, i: int) -> bool:
    return "s" not in cells or bool(np.isfinite(cells["s"][i]))


def filled(column: str, value: object) -> Callable[[Cells], Cells]:
    def fill(cells: Cells) -> Cells:
        return {**cells, column: np.array([value] * len(cells[column]), dtype=object)}

    return fill


def scores(value: float) -> Callable[[Cells], Cells]:
    def fill(cells: Cells) -> Cells:
        return {
            name: np.full(len(values), value) if name == "s" or name.startswith("p_") else values
            for name, values in cells.items()
        }

    return fill


def hostile(cells: Cells) -> Cells:
    n = len(cells["race"])
    return {**cells, "race": np.array([HOSTILE[i % len(HOSTILE)] for i in range(n)], dtype=object)}


def lonely(cells: Cells) -> Cells:
    return {**cells, "race": np.array([f"g{i}" for i in range(len(cells["race"]))], dtype=object)}


def some_infinite(cells: Cells) -> Cells:
    name = "s" if "s" in cells else "p_ant"
    values = cells[name].copy()
    values[::3], values[1::3] = np.inf, np.nan
    return {**cells, name: values}


TABLES: dict[str, Callable[[Cells], Cells]] = {
    "1 row": rows(1),
    "2 rows": rows(2),
    "3 rows": rows(3),
    "one group": filled("race", "all"),
    "all-missing group": filled("race", None),
    "every row its own group": lonely,
    "hostile names": hostile,
    "constant scores": scores(1 / 3),
    "NaN scores": scores(math.nan),
    "some infinite scores": some_infinite,
    "all features missing": filled("x", None),
    "constant feature": filled("x", 1.0),
}


def cells_for(task: str, seed: int) -> Cells:
    cells = binary_cells(seed, n=90) if task == "binary" else multiclass_cells(seed, n=90)
    return {**cells, "x": np.random.default_rng(seed).normal(size=90)}


def case_for(task: str, cells: Cells) -> Case:
    train = cells_for(task, 2)
    if task == "binary":
        return binary_case(cells, train=train, threshold=0.5)
    return multiclass_case(cells, train=train)


def is_sound(outcome: Outcome) -> bool:
    """All numbers finite and inside their intervals; nothing crashed; every omission says why and what helps."""
    return all(
        math.isfinite(m.value) and m.interval.lower <= m.value <= m.interval.upper and m.n >= 0
        for m in outcome.measurements
    ) and all(o.reason is not Reason.ERROR and o.detail and o.remedy for o in outcome.omissions)


@pytest.mark.parametrize("name", TABLES)
def test_every_check_answers_or_says_why_not_for_two_classes(name: str) -> None:
    case = case_for("binary", TABLES[name](cells_for("binary", 1)))
    assert [check for check in CHECKS if not is_sound(run_check(case, check))] == []


@pytest.mark.parametrize("name", TABLES)
def test_every_check_answers_or_says_why_not_for_three_classes(name: str) -> None:
    cells = TABLES[name](cells_for("multiclass", 1))
    if len(cells["y"]) <= 3:  # so few rows show too few classes for three columns of scores
        cells = {**TABLES["3 rows"](cells_for("multiclass", 1)), "y": np.array(CLASSES, dtype=object)}
    case = case_for("multiclass", cells)
    assert [check for check in CHECKS if not is_sound(run_check(case, check))] == []


def test_labels_that_are_all_missing_leave_only_what_needs_none() -> None:
    cells = filled("y", None)(cells_for("binary", 1))
    case = case_for("binary", cells)
    answered = {check for check in CHECKS if any(m.slice for m in run_check(case, check).measurements)}
    assert answered == {"data.group_sizes", "fairness.exposure", "fairness.selection", "fairness.top_of_ranking"}
    assert all(is_sound(run_check(case, check)) for check in CHECKS)


@pytest.mark.parametrize("label", [0, 1])
def test_a_single_class_leaves_measures_of_the_other_undefined_and_never_0(label: int) -> None:
    case = case_for("binary", filled("y", label)(cells_for("binary", 1)))
    outcomes = {check: run_check(case, check) for check in CHECKS}
    assert all(map(is_sound, outcomes.values()))
    measured = {m.name for outcome in outcomes.values() for m in outcome.measurements}
    assert not measured & {"roc_auc", "balanced_accuracy", "calibration_slope", "single_feature_auc"}
    assert ("true_positive_rate" in measured, "false_positive_rate" in measured) == (label == 1, label == 0)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_regression_of_few_rows_is_sound(n: int) -> None:
    model = LinearRegression().fit(np.arange(4.0)[:, None], np.arange(4.0))
    cells = {"x": np.arange(float(n)), "y": np.arange(n) + 0.5, "race": ["a", "b", "a"][:n]}
    case = make_case(cells, target="y", groups=["race"], features=["x"], model=model, train=cells)
    assert all(is_sound(run_check(case, check)) for check in CHECKS)


def test_a_score_about_a_target_of_three_values_is_refused_with_their_names() -> None:
    with pytest.raises(DataError, match=r"has 3 values \(ant, bee, cat\), and a score is about two"):
        make_case({"y": list(CLASSES), "s": [0.1, 0.5, 0.9]}, target="y", positive="cat", score="s")


@pytest.mark.parametrize(("label", "classes"), [(1, ("other", "1")), (0, ("0", "1"))])
def test_rows_of_one_class_still_leave_two_classes_to_decide_between(label: int, classes: tuple[str, str]) -> None:
    case = make_case({"y": [label] * 3, "s": [0.1, 0.5, 0.9]}, target="y", positive=1, score="s")
    assert (case.classes, case.positive) == (classes, "1")


ODD_COLUMNS = {
    "half precision": pa.array(np.array([1, 2, np.nan], dtype=np.float16)),
    "64 bits unsigned": pa.array([2**63 + 1, None, 3], pa.uint64()),
    "string view": pa.array(["a", None, "b"], pa.string_view()),
    "fixed bytes": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "time with zone": pa.array([datetime(2026, 1, 1, tzinfo=UTC), None, datetime(2026, 1, 2, tzinfo=UTC)]),
    "duration": pa.array([timedelta(1), None, timedelta(2)]),
    "decimal": pa.array([Decimal("1.5"), None, Decimal(2)], pa.decimal256(40, 2)),
    "dictionary of numbers": pa.array([1, None, 2]).dictionary_encode(),
    "structs": pa.array([{"a": 1}, None, {"a": 2}]),
    "lists": pa.array([[1.0], [math.nan], None]),
    "maps": pa.array([[("a", 1)], None, [("b", 2)]], pa.map_(pa.string(), pa.int64())),
    "nothing": pa.nulls(3),
}


@pytest.mark.parametrize("name", ODD_COLUMNS)
def test_columns_of_every_type_that_a_table_may_hold_are_profiled_and_compared(name: str) -> None:
    cells = {"y": [0, 1, 0], "s": [0.1, 0.9, 0.3], "x": ODD_COLUMNS[name]}
    case = make_case(cells, target="y", positive=1, score="s", train=cells)
    assert [check for check in CHECKS if not is_sound(run_check(case, check))] == []
    assert measurement(run_check(case, "leakage.overlap"), "train_test_overlap").value == 1.0
    missing = 3 if name == "nothing" else 1
    assert measurement(run_check(case, "data.profile"), "missing_share", column="x").value == missing / 3
