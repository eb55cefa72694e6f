"""Reading tables: CSV and Parquet, one file, a folder or a glob, into Arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from glob import glob
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from audit.errors import DataError, nearest

SUFFIXES = (".csv", ".parquet")


def files(path: Path) -> tuple[Path, ...]:
    """The files that ``path`` (a file, a folder or a glob) names, sorted. DataError when there is none."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
    elif any(mark in str(path) for mark in "*?["):
        found = sorted(Path(p) for p in glob(str(path), recursive=True))
    else:
        found = [path] if path.exists() else []
    if not found:
        raise DataError(f"no data at {path}: name a CSV or Parquet file, a folder of them, or a glob")
    for file in found:
        if file.suffix.lower() not in SUFFIXES:
            raise DataError(f"{file} is neither .csv nor .parquet: convert it, for example with pandas' to_parquet")
    return tuple(found)


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The whole table, or only ``columns`` of it."""
    tables = [_read_file(file, columns) for file in files(path)]
    try:
        return tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"the files of {path} do not have the same columns and types: {error}") from error


def schema(path: Path) -> pa.Schema:
    """Column names and types without reading the rows (of a CSV: from its first block)."""
    file = files(path)[0]
    try:
        if file.suffix.lower() == ".parquet":
            return pyarrow.parquet.read_schema(file)
        with pyarrow.csv.open_csv(file, convert_options=_csv_options(None)) as reader:
            return reader.schema
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise _unreadable(file, error) from error


def digest(path: Path) -> str:
    """sha256 over the bytes of every file that ``path`` names, in order."""
    found = files(path)
    if len(found) == 1:
        return file_digest(found[0])
    return hashlib.sha256("".join(file_digest(file) for file in found).encode()).hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def table_digest(table: pa.Table) -> str:
    """sha256 of a table in memory: names, types and values, whatever its chunks."""
    summary = hashlib.sha256(str([(field.name, str(field.type)) for field in table.schema]).encode())
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        sink = pa.BufferOutputStream()
        batch = pa.table({"values": column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)})
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_table(batch)
        summary.update(sink.getvalue())
    return summary.hexdigest()


def _csv_options(columns: Sequence[str] | None) -> pyarrow.csv.ConvertOptions:
    return pyarrow.csv.ConvertOptions(
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        include_columns=list(columns) if columns is not None else None,
    )


def _read_file(file: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        if file.suffix.lower() == ".parquet":
            # Not read_table: it reads through a data set, which imports pandas.
            with pyarrow.parquet.ParquetFile(file) as parquet:
                table = parquet.read(columns=list(columns) if columns is not None else None)
        else:
            table = pyarrow.csv.read_csv(file, convert_options=_csv_options(columns))
            _refuse_other_encodings(table, file)
    except pa.ArrowKeyError as error:
        raise DataError(f"{file}: {error}") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(file, error) from error
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise DataError(f'{file} has two columns named "{twice[0]}": rename one')
    if columns is not None and (absent := [c for c in columns if c not in table.column_names]):
        raise DataError(f'no column "{absent[0]}" in {file}{nearest(absent[0], table.column_names)}')
    return table


def _refuse_other_encodings(table: pa.Table, file: Path) -> None:
    """Text that is not UTF-8 comes as bytes, which would pass for pictures further on."""
    strange = [field.name for field in table.schema if pa.types.is_binary(field.type)]
    if strange:
        raise DataError(f'{file}: column "{strange[0]}" is not UTF-8 text: save the file as UTF-8')


def _unreadable(file: Path, error: Exception) -> DataError:
    if file.stat().st_size == 0:
        return DataError(f"{file} is empty: it must hold at least a header line")
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(f"{file} cannot be read as {file.suffix.lower().lstrip('.').upper()}: {first}")
