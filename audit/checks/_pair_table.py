"""Two models row by row as a table by group: who is right, what changed, and what the rows could have shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.inputs.groups import Slice
from audit.results import Basis, Scalar, Table
from audit.stats import holm, interval, mcnemar, paired_counts, paired_difference

MOST_ROWS = 40
POWER = 2.8  # 1.96 + 0.84: found at 5 % with a chance of 80 %
COLUMNS = ("group", "rows", "accuracy", "{before}", "change", "at least", "at most", "turned right", "turned wrong",
           "changed decisions", "{seed}", "smallest change it could show", "p (McNemar, Holm)")  # fmt: skip

Mask = NDArray[np.bool_]


def detectable(churn: float, n: int) -> float:
    """The smallest change of a rate that n rows would have shown with a chance of 80 %.

    2.8 sqrt(churn / n): only rows on which both decide differently can tell. No row that differs is taken for one.
    """
    return POWER * math.sqrt(max(churn, 1 / n) / n)


def margin(gap: Basis, level: float) -> float:
    """The smallest margin within which the gap is shown to lie (two one-sided tests at half of 1 - ``level``)."""
    found = interval(gap, level)
    return max(abs(found.lower), abs(found.upper))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The labelled rows of one group: who is right, which decisions changed, and which chance alone changed."""

    group: Slice
    new: Mask
    old: Mask
    changed: Mask
    by_seeds: NDArray[np.float64] | None = None  # share of the seeds that changed this row


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """How a table is named, and what it calls the accuracy of each of the two and the column of chance ("": none)."""

    name: str
    title: str
    now: str
    before: str
    seed: str = ""
    note: str = ""


def by_group(lines: Sequence[Line], heading: Heading, level: float) -> Table:
    """Groups by what they lose, the worst first; p-values are Holm's over all groups."""
    p = holm([mcnemar(*paired_counts(line.new, line.old)[1:3]) for line in lines])
    rows = [
        (*_cells(line, level), wording.number(float(adjusted), "1")) for line, adjusted in zip(lines, p, strict=True)
    ]
    whole, groups = rows[:1], sorted(rows[1:], key=lambda row: float(row[4] or 0))
    more = f" The {MOST_ROWS} groups that lose most, of {len(groups)}." if len(groups) > MOST_ROWS else ""
    names = {"accuracy": heading.now, "{before}": heading.before, "{seed}": heading.seed}
    columns = tuple(names.get(column, column) for column in COLUMNS)
    kept = [i for i, column in enumerate(columns) if column]
    return Table(
        name=heading.name,
        title=heading.title,
        columns=tuple(columns[i] for i in kept),
        rows=tuple(tuple(row[i] for i in kept) for row in (*whole, *groups[:MOST_ROWS])),
        note="A change inside its interval's reach of 0 is not shown to be none: look at what could have been shown. "
        "Every row counts alike here and stands alone." + more + heading.note,
        people=("rows",),
    )


def _cells(line: Line, level: float) -> tuple[Scalar | None, ...]:
    n, churn = len(line.changed), float(line.changed.mean())
    counts = paired_counts(line.new, line.old)
    found = interval(paired_difference(*counts), level)
    figures = (line.new.mean(), line.old.mean(), (counts[1] - counts[2]) / n, found.lower, found.upper)
    seeds = None if line.by_seeds is None else round(float(line.by_seeds.mean()), 4)
    return (
        wording.slice_words(line.group), n, *(round(float(figure), 4) for figure in figures), counts[1], counts[2],
        round(churn, 4), seeds, round(detectable(churn, n), 4),
    )  # fmt: skip
