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
            return _with_names_of_their_own(data, name)
        if isinstance(data, str | Path):
            return read_table(Path(data))
        if isinstance(data, Mapping):
            return pa.table({str(key): _column(values, f'column "{key}" of {name}') for key, values in data.items()})
        if hasattr(data, "to_numpy") and hasattr(data, "columns"):
            return pa.Table.from_pandas(data, preserve_index=False)
        if hasattr(data, "__arrow_c_stream__") and hasattr(data, "columns"):
            return pa.table(data)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{name}: the table cannot be read: {_said(error)}") from error
    raise DataError(
        f"{name} must be a data frame, an Arrow table, a mapping of columns or a path, got {type(data).__name__}"
    )


def _said(error: BaseException) -> str:
    """What pyarrow says, on one line: it may hold the value and the column apart."""
    if isinstance(error, UnicodeError):
        return "its text holds lone surrogates, which no file can: replace them"
    words = "; ".join(str(part) for part in error.args) or type(error).__name__
    remedy = {
        "Duplicate column names": "give each column a name of its own",
        "Conversion failed": "give each column values of one type",
    }
    fix = next((f": {what}" for sign, what in remedy.items() if sign in words), "")
    return words.splitlines()[0] + fix


def _with_names_of_their_own(table: pa.Table, name: str) -> pa.Table:
    twice = sorted({column for column in table.column_names if table.column_names.count(column) > 1})
    if twice:
        raise DataError(f'{name} holds "{twice[0]}" more than once: give each column a name of its own')
    return table


def _column(values: Any, where: str) -> pa.Array:
    try:
        # NumPy would cut bytes and text at trailing zeros, and write numbers beside text as text
        if isinstance(values, list | tuple) and any(isinstance(value, str | bytes) for value in values):
            return pa.array(values, from_pandas=True)
        if isinstance(values, list | tuple) and len({np.size(value) for value in values}) > 1:
            return pa.array([None if value is None else np.ravel(value) for value in values])
        array = np.asarray(values)
        if array.ndim > 1:  # a series a row; its shape is said in [columns]
            return pa.array(list(array.reshape(len(array), -1)))
        return pa.array(array.tolist() if array.dtype == object else array, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(f"{where} cannot be read: {_said(error)}") from error
