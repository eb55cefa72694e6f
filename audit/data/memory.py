"""Tables that the Python API is given, as Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from audit.data.reading import read_table
from audit.errors import DataError


def as_table(data: Any, name: str) -> pa.Table:
    """A data frame (pandas or anything with the Arrow interface), a mapping of columns, an Arrow table, or a path."""
    try:
        if isinstance(data, pa.Table):
            return data
        if isinstance(data, str | Path):
            return read_table(Path(data))
        if isinstance(data, Mapping):
            return pa.table({str(key): _column(values) for key, values in data.items()})
        if hasattr(data, "to_numpy") and hasattr(data, "columns"):
            return pa.Table.from_pandas(data, preserve_index=False)
        if hasattr(data, "__arrow_c_stream__"):
            return pa.table(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise DataError(f"{name}: the table cannot be read: {str(error).splitlines()[0]}") from error
    raise DataError(
        f"{name} must be a data frame, an Arrow table, a mapping of columns or a path, got {type(data).__name__}"
    )


def _column(values: Any) -> pa.Array:
    array = np.asarray(values)
    if array.ndim > 1:  # a series a row; its shape is said in [columns]
        return pa.array(list(array.reshape(len(array), -1)))
    return pa.array(array.tolist() if array.dtype == object else array, from_pandas=True)
