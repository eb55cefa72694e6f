"""Arrow numbers as NumPy arrays by their buffers: to_numpy would import pandas, and the start path must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def values_and_valid(array: pa.Array) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """(the numbers, whether each is there), both of shape (n,). What stands where nothing is there is arbitrary."""
    n, offset = len(array), array.offset
    mask, numbers = array.buffers()
    # Arrow names its numbers as NumPy does, except for double, float and halffloat.
    dtype = {"double": "float64", "float": "float32", "halffloat": "float16"}.get(str(array.type), str(array.type))
    if n == 0 or numbers is None:
        return np.zeros(n, dtype=dtype), np.zeros(n, dtype=bool)
    values = np.frombuffer(numbers, dtype=dtype, count=offset + n)[offset:]
    if mask is None:
        return values, np.ones(n, dtype=bool)
    bits = np.unpackbits(np.frombuffer(mask, dtype=np.uint8), bitorder="little", count=offset + n)
    return values, bits[offset:].astype(bool)


def with_nan(stored: pa.ChunkedArray) -> NDArray[np.float64]:
    """Shape (n,), NaN where there is no value; ``stored`` holds 64-bit floats."""
    parts = [values_and_valid(chunk) for chunk in stored.chunks]
    return np.concatenate([np.where(valid, values, np.nan) for values, valid in parts] or [np.empty(0)])
