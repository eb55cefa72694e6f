"""What is counted of a table: against pandas, for every kind of column."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.results import Reason, Table
from tests.worlds.random_tables import Cells, binary_case, binary_cells, multiclass_case, multiclass_cells, shuffled
from tests.worlds.tables import are_alike, evidence, make_case, measurement, omission, run_check

ID = "data.profile"


def frame_of(cells: Cells) -> pd.DataFrame:
    return pd.DataFrame({name: list(values) for name, values in cells.items()})


def test_rows_columns_missing_cells_and_duplicates_equal_pandas() -> None:
    cells = {**binary_cells(1, n=120), "x": np.random.default_rng(1).integers(0, 2, 120)}
    cells = {name: np.concatenate([values, values[:30]]) for name, values in cells.items()}
    outcome = run_check(binary_case(cells), ID)
    frame = frame_of(cells)
    assert measurement(outcome, "rows").value == len(frame)
    assert measurement(outcome, "columns").value == frame.shape[1]
    assert measurement(outcome, "missing_cells_share").value == pytest.approx(frame.isna().to_numpy().mean(), abs=1e-12)
    repeated = int(frame.duplicated(["x", "race", "sex", "y"]).sum())
    assert measurement(outcome, "duplicate_rows").value == repeated > 30
    assert measurement(outcome, "duplicate_rows_share").value == pytest.approx(repeated / len(frame), abs=1e-12)
    for name in frame:
        found = measurement(outcome, "missing_share", column=str(name))
        assert found.value == pytest.approx(frame[name].isna().mean(), abs=1e-12)
        assert (found.columns, found.interval.kind) == ((name,), "exact")


def test_the_table_of_columns_says_what_each_holds() -> None:
    cells = {
        "whole": [3, 1, None, 3],
        "real": [0.5, np.nan, np.inf, -2.0],
        "text": ["b", "a", "b", None],
        "flag": [True, False, None, True],
        "day": [date(2026, 1, 1)] * 4,
        "price": [Decimal("1.50"), Decimal("1.50"), Decimal("2.25"), None],
        "empty": pa.nulls(4),
        "coded": pa.array(["u", "v", None, "u"]).dictionary_encode(),
        "bytes": pa.array([b"x", b"x", b"y", None]),
        "list": pa.array([[1], [1], [2, 3], None]),
        "y": [0, 1, 0, 1],
        "d": [0, 1, 1, 1],
    }
    table = evidence(run_check(make_case(cells, target="y", positive=1, prediction="d"), ID), "columns")
    assert isinstance(table, Table)
    rows = {row[0]: row[2:] for row in table.rows}
    assert rows["whole"] == (1, 2, 1, 3)
    assert rows["real"] == (1, 3, -2.0, 0.5)
    assert rows["text"] == (1, 2, None, None)
    assert rows["flag"] == rows["coded"] == rows["price"] == rows["bytes"] == rows["list"] == (1, 2, None, None)
    assert rows["day"] == (0, 1, None, None)
    assert rows["empty"] == (4, 0, None, None)


def test_a_column_that_is_always_the_same_is_constant_and_one_with_gaps_is_not() -> None:
    cells = {"a": [7, 7, 7], "b": [7, None, 7], "c": [None, None, None], "y": [0, 1, 1], "d": [0, 1, 0]}
    outcome = run_check(make_case(cells, target="y", positive=1, prediction="d"), ID)
    assert measurement(outcome, "constant_columns").value == 2


def test_a_group_of_three_equal_rows_holds_two_duplicates_whatever_their_ids() -> None:
    cells = {"x": [1.0, 1.0, 1.0, np.nan, np.nan], "y": [0, 0, 0, 1, 1], "id": [1, 2, 3, 4, 5], "s": [0.1] * 5}
    case = make_case(cells, target="y", positive=1, score="s", id="id", features=["x", "id"])
    assert measurement(run_check(case, ID), "duplicate_rows").value == 3


def test_people_with_the_same_answer_are_no_duplicates_where_there_are_no_features() -> None:
    case = make_case({"y": [0, 1, 1], "d": [0, 1, 1]}, target="y", positive=1, prediction="d")
    missing = omission(run_check(case, ID), "duplicate_rows_share")
    assert missing.reason is Reason.MISSING_INPUT


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 59))
def test_neither_the_order_of_rows_nor_the_chunks_of_a_table_change_anything(seed: int, cut: int) -> None:
    cells = binary_cells(seed, n=60)
    arrays = {name: pa.array(values.tolist()) for name, values in cells.items()}
    chunks = {name: pa.chunked_array([array[:cut], array[cut:]]) for name, array in arrays.items()}
    whole = run_check(binary_case(cells), ID)
    assert are_alike(whole, run_check(binary_case(shuffled(cells, seed)), ID))
    assert are_alike(whole, run_check(binary_case(chunks), ID))


def test_rows_of_every_group_and_crossing_are_counted_with_missing_values_as_a_group() -> None:
    cells = binary_cells(2)
    outcome = run_check(binary_case(cells), "data.group_sizes")
    frame = frame_of(cells)
    for columns in (["race"], ["sex"], ["race", "sex"]):
        for levels, count in frame.groupby(columns, dropna=False).size().items():
            names = levels if isinstance(levels, tuple) else (levels,)
            group = {c: None if pd.isna(v) else v for c, v in zip(columns, names, strict=True)}
            assert measurement(outcome, "group_rows", by=group).value == count
    assert measurement(outcome, "group_rows").value == len(frame)


def test_without_a_sensitive_column_there_is_one_omission_that_says_what_to_give() -> None:
    case = make_case({"y": [0, 1], "s": [0.1, 0.9]}, target="y", positive=1, score="s")
    (missing,) = run_check(case, "data.group_sizes").omissions
    assert missing.remedy == "give groups in [data.test]"


def test_shares_of_the_classes_are_counted_over_labelled_rows() -> None:
    cells = multiclass_cells(3)
    outcome = run_check(multiclass_case(cells), "data.class_balance")
    labels = pd.Series(cells["y"])
    assert measurement(outcome, "unlabelled_rows").value == labels.isna().sum() > 0
    for name, share in labels.value_counts(normalize=True).items():
        about: dict[str, Any] = {"class": str(name)}
        found = measurement(outcome, "class_share", **about)
        assert (found.value, found.n) == (pytest.approx(share, abs=1e-12), labels.notna().sum())
        assert measurement(outcome, "class_rows", **about).value == (labels == name).sum()
