"""How many rows there are, what is missing in them, and how many stand there twice.

Why it matters: every other number rests on this table. Rows that stand twice count twice and make intervals too
narrow; a column that is mostly empty, or always the same, is not the evidence that it seems to be.

How it is measured: everything here is counted over the table given, so it is exact. A cell is missing when it is empty
or NaN. A row is a duplicate when an earlier row has the same features, groups and target (ids are left out), so a
group of three equal rows holds two duplicates. A column is constant when all its cells are equal. Columns that the
audit does not use are shown too. In tables with few columns of few values, equal rows may be different people.

How to reduce the risk: Remove the duplicates that are the same case, and find out why the emptiest columns are empty
and for whom. Where a value is missing more often for one group, the model may be guessing for that group.

Sources: Gebru et al., Datasheets for Datasets, CACM 2021; Breck et al., Data Validation for Machine Learning, MLSys
2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.case import Case
from audit.check import check
from audit.checks._rows import example_columns, plain, row_keys, stored_columns
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.results import Basis, Outcome, Scalar, Table
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "rows": {"unit": "rows", "better": "none", "words": "rows of the data"},
    "columns": {"unit": "columns", "better": "none", "words": "columns of the data"},
    "duplicate_rows": {"unit": "rows", "better": "lower", "words": "rows that repeat an earlier one"},
    "duplicate_rows_share": {"unit": "1", "better": "lower", "words": "share of rows that repeat an earlier one"},
    "missing_cells_share": {"unit": "1", "better": "lower", "words": "share of cells that are missing"},
    "missing_share": {
        "unit": "1",
        "better": "lower",
        "words": "share of a column that is missing",
        "params": {"column": "str"},
    },
    "constant_columns": {"unit": "columns", "better": "lower", "words": "columns that are always the same"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One stored column, counted."""

    name: str
    kind: str
    missing: int
    distinct: int
    minimum: Scalar | None
    maximum: Scalar | None


@check(cost="instant")
def profile(case: Case, data: Dataset, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    facts = [_facts(data, name) for name in _examined(case, data)]
    cells = data.n * len(facts)
    counted: dict[str, float] = {
        "rows": data.n,
        "columns": len(facts),
        "constant_columns": sum(column.distinct + (column.missing > 0) <= 1 for column in facts),
        "missing_cells_share": sum(column.missing for column in facts) / cells,
    }
    for name, count in counted.items():
        sheet.add(name, partial(exact, count), n=cells if name == "missing_cells_share" else data.n)
    repeated = _repeated(data)
    for name, divisor in (("duplicate_rows", 1), ("duplicate_rows_share", data.n)):
        sheet.add(name, partial(_duplicates, repeated, divisor), n=data.n)
    for column in facts:
        share, own = partial(exact, column.missing / data.n), (column.name,)
        sheet.add("missing_share", share, n=data.n, params={"column": column.name}, columns=own)
    return sheet.outcome(_table(facts))


def _examined(case: Case, data: Dataset) -> tuple[str, ...]:
    """Every stored column, those with a role first."""
    used = stored_columns(data, [*data.roles.used(), *data.roles.features])
    return tuple(dict.fromkeys([*used, *data.table.column_names]))


def _repeated(data: Dataset) -> int | None:
    """Rows that repeat an earlier one; None where no column is a feature, so that there is nothing to compare."""
    columns = example_columns(data)
    if not columns:
        return None
    (keys,) = row_keys([data.table], columns)
    return data.n - len(np.unique(keys))


def _duplicates(repeated: int | None, divisor: int) -> Basis:
    if repeated is None:
        raise Unavailable("missing_input", "no column is a feature, so rows cannot be compared", "give features")
    return exact(repeated / divisor)


def _facts(data: Dataset, name: str) -> Facts:
    column = plain(data.table.column(name))
    is_missing = pc.is_null(column, nan_is_null=True)
    present = column.filter(pc.invert(is_missing))
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    low, high = _range(column) if is_number else (None, None)
    return Facts(
        name=name,
        kind=data.columns[name].kind if name in data.columns else str(column.type),
        missing=len(column) - len(present),
        distinct=_distinct(present),
        minimum=low,
        maximum=high,
    )


def _distinct(present: pa.ChunkedArray) -> int:
    if not len(present):
        return 0
    if pa.types.is_nested(present.type):  # Arrow cannot count lists
        (keys,) = row_keys([pa.table({"values": present})], ["values"])
        return len(np.unique(keys))
    return int(pc.count_distinct(present).as_py())


def _range(column: pa.ChunkedArray) -> tuple[Scalar | None, Scalar | None]:
    """The smallest and the largest finite value; None where there is none."""
    finite = column.filter(pc.fill_null(pc.is_finite(column), False))
    found = pc.min_max(finite).as_py()
    return found["min"], found["max"]


def _table(facts: list[Facts]) -> Table:
    return Table(
        name="columns",
        title="The columns of the data",
        columns=("name", "kind", "missing", "distinct", "minimum", "maximum"),
        rows=tuple((f.name, f.kind, f.missing, f.distinct, f.minimum, f.maximum) for f in facts),
        note="Columns with a role come first. Minimum and maximum are of finite numbers; none are shown for text.",
    )
