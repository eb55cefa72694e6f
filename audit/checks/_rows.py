"""Rows that are alike: every row as 128 bits, equal for equal cells whatever the order of rows or the chunks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audit.data import Dataset

_ODD = np.uint64(0x9E3779B97F4A7C15)


def stored_columns(data: Dataset, names: Iterable[str]) -> tuple[str, ...]:
    """The columns of the table that these logical columns are made of."""
    return tuple(dict.fromkeys(s for name in names for s in (data.column(name).sources or (name,))))


def example_columns(data: Dataset, within: Iterable[str] | None = None) -> tuple[str, ...]:
    """What makes a row an example: its features, its groups and its target, and no id; none where it has no features.

    Without features most rows are alike: two people with the same answer are not the same case. ``within`` are the
    stored columns of another table, where only those count that both have.
    """
    there = set(data.table.column_names if within is None else within)
    features = [c for c in stored_columns(data, data.roles.features) if c in there and c != data.roles.id]
    if not features:
        return ()
    others = [*data.roles.groups, *data.roles.truths]
    return tuple(dict.fromkeys([*features, *(c for c in stored_columns(data, others) if c in there)]))


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values in a type that Arrow's functions know: no dictionary, no view, no half precision."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain(column.cast(kind.value_type))
    for is_odd, simple in (
        (pa.types.is_float16, pa.float32()),
        (pa.types.is_string_view, pa.string()),
        (pa.types.is_binary_view, pa.binary()),
    ):
        if is_odd(kind):
            return column.cast(simple)
    return column


def row_keys(tables: Sequence[pa.Table], columns: Sequence[str]) -> list[NDArray[np.int64]]:
    """A number for each row of each table: two rows have the same one when all ``columns`` are alike.

    Missing equals missing, NaN equals NaN, 1 equals 1.0. Two hashes of 64 bits: among a thousand million rows a false
    match has a chance of less than one in 10^20.
    """
    n = sum(table.num_rows for table in tables)
    first, second = np.zeros(n, dtype=np.uint64), np.full(n, _ODD)
    for column in columns:
        codes = _codes([table.column(column) for table in tables])
        first, second = _mixed(first * _ODD + codes), _mixed((second ^ codes) + _ODD)
    both = np.empty(n, dtype=[("first", np.uint64), ("second", np.uint64)])
    both["first"], both["second"] = first, second
    order = np.lexsort((second, first))
    ordered = both[order]
    keys = np.empty(n, dtype=np.int64)
    keys[order] = np.cumsum(np.append(False, ordered[1:] != ordered[:-1])) if n else 0
    return np.split(keys, np.cumsum([table.num_rows for table in tables])[:-1])


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): every bit in moves half of the bits out."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _codes(chunks: Sequence[pa.ChunkedArray]) -> NDArray[np.uint64]:
    """One column of all tables as 64-bit codes, equal for equal cells."""
    columns = [plain(c) for c in chunks]
    common = _common_type([c.type for c in columns])
    if common is None:
        joined = pa.chunked_array([pa.array([repr(v) for v in c.to_pylist()]) for c in columns], pa.string())
    else:
        joined = pa.chunked_array([p for c in columns for p in c.cast(common, safe=False).chunks], common)
    if pa.types.is_floating(joined.type):
        return _float_bits(np.asarray(joined.to_numpy(), dtype=np.float64))
    encoded = pc.dictionary_encode(joined, null_encoding="encode").combine_chunks()
    encoded = pa.concat_arrays(encoded.chunks) if isinstance(encoded, pa.ChunkedArray) else encoded
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.uint64)


def _float_bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    values = np.where(np.isnan(values), np.nan, values) + 0.0  # one NaN, and 0 for both zeros
    return values.view(np.uint64)


def _common_type(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """A type that all of them can be compared in; None: by how the values are written."""
    if any(pa.types.is_nested(t) for t in types):
        return None
    if all(_is_number(t) for t in types):
        whole = all(pa.types.is_integer(t) for t in types) and len(set(types)) == 1
        return types[0] if whole else pa.float64()
    return types[0] if len(set(types)) == 1 else pa.string() if not any(map(pa.types.is_binary, types)) else None


def _is_number(kind: pa.DataType) -> bool:
    is_real = pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(is_real or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind))
