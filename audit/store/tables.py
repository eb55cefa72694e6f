"""evidence/groups.parquet: every measure of every group, one row each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from audit.record import AuditRun

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


def write_groups(run: AuditRun, path: Path) -> None:
    """Nothing is written when no measure was taken by group."""
    rows: list[dict[str, Any]] = [
        {
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
        for record, m in run.measurements()
        if m.slice
    ]
    if rows:
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
