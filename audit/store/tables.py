"""evidence/groups.parquet: every measure of every group, one row each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from audit.errors import StoreError
from audit.record import AuditRun
from audit.store.formats.v1 import OF_THIS_MACHINE

Row = Mapping[str, Any]
_BLOCK = 20_000  # rows at a time: 10,000 groups have half a million
SCHEMA = pa.schema(
    [
        ("check", pa.string()),
        ("data", pa.string()),
        ("measure", pa.string()),
        ("params", pa.string()),
        ("by", pa.string()),
        ("slice", pa.string()),
        ("value", pa.float64()),
        ("lower", pa.float64()),
        ("upper", pa.float64()),
        ("level", pa.float64()),
        ("n", pa.int64()),
        ("unit", pa.string()),
        ("method", pa.string()),
    ]
)


def write_groups(run: AuditRun, path: Path) -> str:
    """The digest of what was written. Nothing is written when no measure was taken by group."""
    return _digest(_written(run, path), run)


def _written(run: AuditRun, path: Path) -> Iterator[Row]:
    """The rows, while they are written."""
    rows = _rows(run)
    if not (some := list(islice(rows, _BLOCK))):
        return
    with pyarrow.parquet.ParquetWriter(path, SCHEMA) as writer:
        while some:
            writer.write_table(pa.Table.from_pylist(some, schema=SCHEMA))
            yield from some
            some = list(islice(rows, _BLOCK))


def digest(run: AuditRun) -> str:
    """sha256 over the rows of that table, however a version of Parquet lays them out; empty where there is none."""
    return _digest(_rows(run), run)


def stored_digest(run: AuditRun, path: Path) -> str:
    """The same of a table that was written. StoreError when it is none."""
    if not path.exists():
        return ""
    try:
        return _digest(_stored(path), run)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError, ValueError) as error:
        raise StoreError(f"{path} is no table of groups: {str(error).splitlines()[0]}") from error


def _stored(path: Path) -> Iterator[Row]:
    """The rows of the file, some at a time."""
    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_BLOCK):
            yield from pa.Table.from_batches([batch]).cast(SCHEMA).to_pylist()


def _digest(rows: Iterable[Row], run: AuditRun) -> str:
    """Of one line a row. What differs from run to run stays out, as it does of the run's identity."""
    timed = {record.check for record in run.records if record.cost in OF_THIS_MACHINE}
    found, between = hashlib.sha256(), b""
    for row in rows:
        if row["check"] not in timed:
            found.update(between + json.dumps(row, sort_keys=True).encode())
            between = b"\n"
    return found.hexdigest() if between else ""


def _rows(run: AuditRun) -> Iterator[Row]:
    for record, m in run.measurements():
        if not m.slice:
            continue
        yield {
            "check": record.check,
            "data": record.on,
            "measure": m.name,
            "params": json.dumps(dict(m.params), sort_keys=True),
            "by": "*".join(m.slice),
            "slice": json.dumps(dict(m.slice)),
            "value": m.value,
            "lower": m.interval.lower,
            "upper": m.interval.upper,
            "level": m.interval.level,
            "n": m.n,
            "unit": m.unit,
            "method": m.interval.method,
        }
