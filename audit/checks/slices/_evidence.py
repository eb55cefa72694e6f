"""Tables of a slice search: the slices that stand out, and rows that are typical of their clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.counting import count
from audit.data import Dataset
from audit.data.dataset import shown
from audit.inputs.classified import Classified
from audit.inputs.slice_columns import SliceColumns
from audit.results import Scalar, Table
from audit.stats import FoundSlice, SliceSearch, interval, value

HELD = {"overall": "the overall error rate", "scores": "what the scores predict"}
TITLES = {"overall": "Where the model errs most", "scores": "Where the model errs more than its scores say"}


def slice_table(search: SliceSearch, columns: SliceColumns, against: str, how: str, level: float) -> Table:
    """Every slice that stands out with its rate and bounds; ``how`` says by which test."""
    skipped = f" Not searched: {', '.join(columns.skipped)}." if columns.skipped else ""
    return Table(
        name="worst_slices",
        title=TITLES[against],
        columns=("slice", "rows", "error rate", "expected", "lower", "upper", "adjusted p"),
        rows=tuple(_line(one, columns, level) for one in search.found),
        note=f"Of {count(search.tested, 'slice')} tested against {HELD[against]}, those that stand out ({how}; Holm). "
        f"Bounds and p hold for all of them together.{skipped}",
    )


def _line(one: FoundSlice, columns: SliceColumns, level: float) -> tuple[Scalar, ...]:
    bounds = interval(one.rate, level)
    return (
        rule_words(columns.words(one.rule)),
        one.n,
        value(one.rate),
        one.expected / one.n,
        bounds.lower,
        bounds.upper,
        one.p,
    )


def rule_words(rule: dict[str, str | None]) -> str:
    return " and ".join(f"{column} = {'missing' if level is None else level}" for column, level in rule.items())


def example_table(
    found: Sequence[FoundSlice], columns: SliceColumns, data: Dataset, rows: Classified
) -> tuple[Table, ...]:
    """Of each cluster that a slice is made of, the rows nearest to its centre. About single rows."""
    pairs = dict.fromkeys(pair for one in found for pair in one.rule if columns.names[pair[0]] in columns.nearest)
    lines = tuple(_example(columns, data, rows, *pair) for pair in pairs if _nearest(columns, *pair))
    if not lines:
        return ()
    names = ("cluster", "nearest rows" if not data.roles.id else f"{data.roles.id} of the nearest rows", "decisions")
    note = "Rows nearest to the centre of the cluster, whether decided rightly or not; counted from 0 without an id."
    title = "What is in the clusters where the model errs"
    return (Table(name="cluster_examples", title=title, columns=names, rows=lines, note=note),)


def _nearest(columns: SliceColumns, column: int, level: int) -> tuple[int, ...]:
    levels = columns.nearest[columns.names[column]]
    return levels[level] if level < len(levels) else ()  # the level of the missing has no centre


def _example(
    columns: SliceColumns, data: Dataset, rows: Classified, column: int, level: int
) -> tuple[Scalar | None, ...]:
    at = list(_nearest(columns, column, level))
    named = data.table.column(data.roles.id).take(at).to_pylist() if data.roles.id else at
    return (
        rule_words(columns.words(((column, level),))),
        ", ".join(shown(name) for name in named),
        ", ".join(_decided(rows, row) for row in at),
    )


def _decided(rows: Classified, row: int) -> str:
    place = int(np.searchsorted(rows.rows, row))
    if place == len(rows.rows) or rows.rows[place] != row:
        return "no label or decision"
    label, decision = rows.classes[rows.label[place]], rows.classes[rows.decision[place]]
    return decision if label == decision else f"{decision}, labelled {label}"
