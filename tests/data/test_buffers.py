"""Arrow's buffers read as NumPy hold what to_pylist says, whatever the slice, the chunks and the gaps."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.data.buffers import values_and_valid, with_nan
from audit.data.dataset import _encoded

TYPES = (pa.int8(), pa.int32(), pa.int64(), pa.uint16(), pa.float32(), pa.float64())
cells = st.lists(st.one_of(st.none(), st.integers(0, 100)), max_size=40)


@given(values=cells, start=st.integers(0, 40), kind=st.sampled_from(TYPES))
def test_every_number_and_every_gap_is_read_from_any_slice(
    values: list[int | None], start: int, kind: pa.DataType
) -> None:
    array = pa.array(values, kind).slice(min(start, len(values)))
    numbers, valid = values_and_valid(array)
    assert [
        n if there else None for n, there in zip(numbers.tolist(), valid.tolist(), strict=True)
    ] == array.to_pylist()


@given(parts=st.lists(cells, max_size=4))
def test_chunks_are_joined_and_gaps_are_nan(parts: list[list[int | None]]) -> None:
    stored = pa.chunked_array([pa.array(part, pa.float64()) for part in parts], pa.float64())
    found = [None if math.isnan(value) else value for value in with_nan(stored).tolist()]
    assert found == stored.to_pylist()


@given(values=st.lists(st.one_of(st.none(), st.sampled_from("abc")), min_size=1, max_size=40), start=st.integers(0, 40))
def test_codes_lead_back_to_the_words(values: list[str | None], start: int) -> None:
    stored = pa.chunked_array([pa.array(values, pa.string())]).slice(min(start, len(values)))
    codes = _encoded(stored, {})
    assert [codes.levels[code] for code in codes.codes] == stored.to_pylist()


@pytest.mark.parametrize("index", [pa.int8(), pa.int16(), pa.int32()])
def test_a_dictionary_that_came_with_the_file_may_have_any_index(index: pa.DataType) -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([1, None, 0, 1], index), ["x", "y"])
    codes = _encoded(pa.chunked_array([array]).slice(1), {})
    assert [codes.levels[code] for code in codes.codes] == [None, "x", "y"]


def test_an_empty_array_is_empty() -> None:
    numbers, valid = values_and_valid(pa.array([], pa.float64()))
    assert (numbers.dtype, numbers.size, valid.size) == (np.dtype("float64"), 0, 0)
