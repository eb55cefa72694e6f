"""A variant against the model on the same rows: paired counts, what they can show, and the table by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from audit import wording
from audit.errors import Unavailable
from audit.inputs.groups import Slice
from audit.inputs.sampling import Sampling
from audit.results import Basis, Scalar, Table
from audit.stats import holm, interval, paired_counts, paired_difference, value

MOST_ROWS = 40
POWER = 2.8  # 1.96 + 0.84: found at 5 % with a chance of 80 %

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


def change(sampling: Sampling, variant: Mask, model: Mask, rows: Places) -> Basis:
    """Rate of the variant minus rate of the model over these ``rows`` of the data, whose successes are given."""
    if not len(rows):
        raise Unavailable("undefined", "there is no such row", "give rows of this group that the rate is about")
    if sampling.plain:
        return paired_difference(*paired_counts(variant, model))
    if (variant == model).all():  # a mean of zeros would have no width, as if nothing could ever differ
        return paired_difference(_effective(sampling, rows), 0, 0, 0)
    return sampling.mean(variant.astype(float) - model.astype(float), rows)


def _effective(sampling: Sampling, rows: Places) -> float:
    """Independent rows that these stand for: their clusters, or Kish's size of the weights."""
    if sampling.cluster is not None:
        return float(len(np.unique(sampling.cluster[rows])))
    weight = np.ones(len(rows)) if sampling.weight is None else sampling.weight[rows]
    return max(1.0, float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300)))


def detectable(churn: float, n: int) -> float:
    """The smallest change of a rate that n rows would have shown with a chance of 80 %.

    2.8 sqrt(churn / n): only rows on which both decide differently can tell. No row that differs is taken for one.
    """
    return POWER * math.sqrt(max(churn, 1 / n) / n)


def margin(gap: Basis, level: float) -> float:
    """The smallest margin within which the gap is shown to lie (two one-sided tests at half of 1 - ``level``)."""
    found = interval(gap, level)
    return max(abs(found.lower), abs(found.upper))


def mcnemar(variant: Mask, model: Mask) -> float:
    """Exact two-sided p-value of no change, from the rows on which only one of both is right (McNemar 1947)."""
    _, first, second, _ = paired_counts(variant, model)
    return min(1.0, 2 * float(bdtr(min(first, second), first + second, 0.5))) if first + second else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One group: who is right, row by row, which decisions changed, and which chance alone changed."""

    group: Slice
    variant: Mask
    model: Mask
    changed: Mask
    by_seeds: NDArray[np.float64] | None  # share of the seeds that changed this row


def by_group(lines: Sequence[Line], name: str, level: float) -> Table:
    """Groups by what they lose, the worst first; p-values are Holm's over all groups."""
    p = holm([mcnemar(line.variant, line.model) for line in lines])
    rows = [(*_cells(line, level), float(f"{adjusted:.3g}")) for line, adjusted in zip(lines, p, strict=True)]
    whole, groups = rows[:1], sorted(rows[1:], key=lambda row: float(row[4] or 0))
    more = f" The {MOST_ROWS} groups that lose most, of {len(groups)}." if len(groups) > MOST_ROWS else ""
    unknown = " How much chance changes is not known: give a second training as a variant named seed2."
    return Table(
        name=f"variant_{name}",
        title=f"The model and its form {wording.text(name)}, row by row",
        columns=(
            "group", "rows", "accuracy", "of the form", "change", "lower", "upper", "changed decisions",
            "changed by another seed", "smallest change it could show", "p (McNemar, Holm)",
        ),
        rows=(*whole, *groups[:MOST_ROWS]),
        note="A change inside its interval's reach of 0 is not shown to be none: look at what could have been shown. "
        "Every row counts alike here and stands alone." + more + ("" if lines[0].by_seeds is not None else unknown),
    )  # fmt: skip


def _cells(line: Line, level: float) -> tuple[Scalar | None, ...]:
    n, churn = len(line.changed), float(line.changed.mean())
    gap = paired_difference(*paired_counts(line.variant, line.model))
    found = interval(gap, level)
    seeds = None if line.by_seeds is None else float(line.by_seeds.mean())
    figures = (line.model.mean(), line.variant.mean(), value(gap), found.lower, found.upper, churn)
    rounded = [round(float(figure), 4) for figure in figures]
    return (
        wording.slice_words(line.group), n, *rounded, None if seeds is None else round(seeds, 4),
        round(detectable(churn, n), 4),
    )  # fmt: skip
