"""The evidence of reasons by group: which column makes the gap, and which goes along with the group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.attribution import Explanation
from audit.attribution.disparity import Gap, correlation
from audit.attribution.group_inputs import own_numbers
from audit.data import Dataset
from audit.results import RankedItem, Ranking, Table

MOST = 20


def gap_ranking(split: Gap, kept: Explanation, words: str, level: float) -> Ranking:
    """The gap of mean scores, column by column; beyond the twentieth they are one item, so that the sum stays whole."""
    order = np.argsort(-np.abs(split.parts), kind="stable")
    items = [
        RankedItem(
            label=kept.names[j],
            value=float(split.parts[j]),
            lower=float(split.lower[j]),
            upper=float(split.upper[j]),
        )
        for j in order[:MOST]
    ]
    if len(order) > MOST:
        # where all intervals hold at once, so does the sum of their ends
        value, lower, upper = (float(part[order[MOST:]].sum()) for part in (split.parts, split.lower, split.upper))
        items.append(RankedItem(label=f"{len(order) - MOST} other columns", value=value, lower=lower, upper=upper))
    return Ranking(
        name=f"gap {words}",
        title=f"What makes the gap between {words} and the others",
        unit=kept.unit,
        level=level,
        method=f"difference of mean contributions, simultaneous over {len(order)} columns (max-T)",
        n=kept.n,
        items=tuple(items),
        note=(
            f"Right of zero: it raises the group's mean above the others'. The items add up to the gap of the mean "
            f"scores, {split.total:+.4g}: {kept.scalar}. It does not show that a column causes the gap."
        ),
        quantity="part of the gap",
    )


def proxy_table(kept: Explanation, sample: Dataset, group: NDArray[np.bool_], split: Gap, words: str) -> Table:
    """Per column: its part of the gap, and how it and its contributions go along with the group."""
    features = own_numbers(sample)
    ordered = [[sample.column(c).kind == "number" for c in kept.columns_of(name)] for name in kept.names]
    rows = tuple(
        (
            kept.names[j],
            float(kept.values[group, j].mean()),
            float(kept.values[~group, j].mean()),
            float(split.parts[j]),
            correlation(kept.values[:, j], group),
            _strongest(features[j][:, ordered[j]], group),
        )
        for j in np.argsort(-np.abs(split.parts), kind="stable")[:MOST]
    )
    return Table(
        name=f"proxies {words}",
        title=f"How columns and their contributions go along with {words}",
        columns=(
            "column",
            "mean contribution in the group",
            "among the others",
            "difference",
            "correlation of the contribution with the group",
            "correlation of the value with the group",
        ),
        rows=rows,
        note=_PROXY + (_OF_GROUPS if kept.groups else ""),
    )


_PROXY = "A column whose contribution goes along with the group stands in for it, whatever it is called."
_OF_GROUPS = " Of columns that are grouped, the correlation of the value is that of the one that goes along most."


def _strongest(values: NDArray[np.float64], group: NDArray[np.bool_]) -> float | None:
    """The correlation with the group that is largest in size, of several columns (n, members)."""
    found = [r for column in values.T if (r := correlation(column, group)) is not None]
    return max(found, key=abs, default=None)
