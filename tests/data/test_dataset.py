"""Columns as codes and numbers, whatever type they were stored in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.data.dataset import Dataset
from audit.data.opening import dataset_from_table
from audit.errors import DataError
from audit.spec import ColumnSpec, DataSpec


def data(values: Any, **column: Any) -> Dataset:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    specs = {"c": ColumnSpec(**column)} if column else {}
    spec = DataSpec(path="t.parquet")
    return dataset_from_table("test", pa.table({"c": array}), spec, specs, root=Path(), path="t.parquet")


def words(values: Any, **column: Any) -> list[str | None]:
    codes = data(values, **column).codes("c")
    return [codes.levels[code] for code in codes.codes]


@given(st.lists(st.none() | st.sampled_from(["a", "b", "", " ", "NA", "é"]), min_size=1))
def test_text_comes_back_and_missing_is_a_level_of_its_own_at_the_end(values: list[str | None]) -> None:
    codes = data(pa.array(values, pa.string())).codes("c")
    assert [codes.levels[code] for code in codes.codes] == values
    assert list(codes.levels) == sorted({v for v in values if v is not None}) + [None] * (None in values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0, None, 1], ["1", "0", None, "1"]),
        ([1.0, 0.5, float("nan"), -0.0], ["1", "0.5", None, "0"]),
        ([float("inf"), 1e300, None], ["inf", "1e+300", None]),
        ([True, False, None], ["true", "false", None]),
        ([2**60, -1], [str(2**60), "-1"]),
        ([date(2020, 1, 2), None], ["2020-01-02", None]),
        ([Decimal("1.50"), None], ["1.50", None]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
        (pa.DictionaryArray.from_arrays([0, 1, 0], ["a", None]), ["a", None, "a"]),
        (pa.array(["é", "\u202e"], pa.large_string()), ["é", "\u202e"]),
        (pa.nulls(3), [None, None, None]),
    ],
)
def test_every_type_reads_as_a_person_writes_it(values: Any, expected: list[str | None]) -> None:
    assert words(values) == expected


def test_chunks_with_dictionaries_of_their_own_are_one_column() -> None:
    chunks = pa.chunked_array(
        [pa.array(["a", "b"]).dictionary_encode(), pa.array(["b", None, "c"]).dictionary_encode()]
    )
    assert words(chunks) == ["a", "b", "b", None, "c"]
    unused = pa.DictionaryArray.from_arrays([1, 1], ["never", "seen"])
    assert data(unused).codes("c").levels == ("seen",)


@given(st.lists(st.none() | st.floats(-50, 150), min_size=1))
def test_bins_hold_their_lower_edge_and_missing_stays_missing(values: list[float | None]) -> None:
    named = words(pa.array(values, pa.float64()), bins=(65, 18))
    expected = [
        None if v is None else "under 18" if v < 18 else "18 to under 65" if v < 65 else "65 or more" for v in values
    ]
    assert named == expected


def test_labels_name_values_and_may_join_them() -> None:
    assert words([1, 2, 3, None], labels={"1": "white", "2": "other", "3": "other"}) == [
        "white",
        "other",
        "other",
        None,
    ]
    assert words([1.0, 2.0], labels={"1": "white"}) == ["white", "2"]


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}], ["1", "x"], [date(2020, 1, 1)]])
def test_what_holds_no_number_is_said_with_its_column_and_file(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r'column "c" of t\.parquet must hold numbers'):
        data(values).numbers("c")


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}]])
def test_what_forms_no_groups_is_said_with_its_column_and_file(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r'column "c" of t\.parquet does not hold values that form groups'):
        data(values).codes("c")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, None, False], [1, np.nan, 0]),
        ([2**60, None], [2.0**60, np.nan]),
        (["1.5", None], [1.5, np.nan]),
        ([Decimal("1.5")], [1.5]),
        (pa.array([3, None]).dictionary_encode(), [3, np.nan]),
    ],
)
def test_numbers_are_floats_with_nan_for_missing(values: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(data(values).numbers("c"), expected)


def test_a_column_that_is_not_there_is_told_with_the_nearest_one() -> None:
    with pytest.raises(DataError, match=r'no column "cc" in t\.parquet \(did you mean "c"\?\)'):
        data([1]).codes("cc")


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="has no rows"):
        data(pa.array([], pa.int64()))


@pytest.mark.parametrize(
    "roles",
    [
        {"target": "a", "score": "a"},
        {"target": "a", "prediction": "a"},
        {"target": "a", "score": "b", "baseline": {"prediction": "a"}},
        {"target": ["a", "b"], "scores": ["c", "b"]},
        {"target": "a", "score": "b", "weight": "b"},
        {"target": "a", "score": "b", "query": "c", "weight": "c"},
    ],
)
def test_a_column_that_would_be_held_against_itself_is_refused(roles: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"is named as \w+ already"):
        roles_over_abc(roles)


@pytest.mark.parametrize(
    "roles",
    [
        {"target": "a", "score": "b", "groups": ["c"], "cluster": "c"},
        {"target": "a", "score": "b", "groups": ["c"], "features": ["c"], "control": ["c"]},
        {"target": "a", "score": "b", "threshold": 0.5, "baseline": {"score": "b", "threshold": 0.4}},
        {"target": "a", "score": "b", "query": "c", "cluster": "c"},
        {"target": "a", "score": "b", "groups": ["a"]},
        {"target": "a", "score": "b", "features": ["a", "c"], "weight": "c"},
    ],
)
def test_a_column_may_serve_two_purposes_that_do_not_meet(roles: dict[str, Any]) -> None:
    assert roles_over_abc(roles).roles.score == "b"


def roles_over_abc(roles: dict[str, Any]) -> Dataset:
    table = pa.table({"a": [0, 1], "b": [0.0, 1.0], "c": [1.0, 2.0]})
    return dataset_from_table("test", table, DataSpec(path="t.parquet", **roles), {}, root=Path())


@pytest.mark.parametrize(("kind", "got"), [({}, "none"), ({"kind": "category"}, '"category"')])
def test_columns_are_not_silently_left_apart_where_from_cannot_join_them(kind: dict[str, Any], got: str) -> None:
    spec = {"city": ColumnSpec(**{"from": "city_*"}, **kind)}
    table = pa.table({"city_x": [0, 1], "city_y": [1, 0]})
    with pytest.raises(DataError, match=f"city: from makes one column .* its kind is {got}"):
        dataset_from_table("test", table, DataSpec(path="t.parquet"), spec, root=Path())
