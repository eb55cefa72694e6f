"""The usual rates from cells: a rate is a sum of cells over a larger sum of cells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from audit.errors import CheckError, Unavailable, nearest
from audit.results import Basis
from audit.stats.arrays import Mask, Vector
from audit.stats.cells import Cells
from audit.stats.means import mean_from_sums
from audit.stats.proportions import rate
from audit.stats.weighting import weighted_rate_from_sums

_TN, _FP, _FN, _TP = (0, 0), (0, 1), (1, 0), (1, 1)  # (label, decision)

Cell = tuple[int, int]

RATES: Mapping[str, tuple[tuple[Cell, ...], tuple[Cell, ...]]] = MappingProxyType(
    {
        "selection_rate": ((_TP, _FP), (_TN, _FN)),
        "true_positive_rate": ((_TP,), (_FN,)),
        "false_positive_rate": ((_FP,), (_TN,)),
        "true_negative_rate": ((_TN,), (_FP,)),
        "false_negative_rate": ((_FN,), (_TP,)),
        "positive_predictive_value": ((_TP,), (_FP,)),
        "negative_predictive_value": ((_TN,), (_FN,)),
        "false_discovery_rate": ((_FP,), (_TP,)),
        "false_omission_rate": ((_FN,), (_TN,)),
        "base_rate": ((_TP, _FN), (_TN, _FP)),
        "accuracy": ((_TP, _TN), (_FP, _FN)),
        "error_rate": ((_FP, _FN), (_TP, _TN)),
    }
)
"""Each rate of a binary task: the cells that count, and the further cells of its denominator."""


def group_rates(cells: Cells, name: str) -> list[Basis | None]:
    """One basis a group, in C order of the group axes; None where the denominator is 0, which has no rate.

    Weighted where the cells hold weights. CheckError for a name that is not in ``RATES``.
    """
    if name not in RATES:
        raise CheckError(f'no rate is named "{name}"{nearest(name, RATES)}: {", ".join(RATES)}')
    counted, others = (_mask(places) for places in RATES[name])
    counts = cells.counts.reshape(-1, 2, 2)
    k = counts[:, counted].sum(axis=1)
    n = k + counts[:, others].sum(axis=1)
    if cells.weights is not None:
        return _weighted(cells.weights.totals().reshape(-1, 2, 2, 2), n, counted, others)
    return [rate(a, b) if b else None for a, b in zip(k.tolist(), n.tolist(), strict=True)]


def _weighted(
    totals: Vector, n: np.ndarray[tuple[int, ...], np.dtype[np.int64]], counted: Mask, others: Mask
) -> list[Basis | None]:
    hits, misses = totals[:, counted].sum(axis=1), totals[:, others].sum(axis=1)
    return [
        weighted_rate_from_sums(rows, w1 + w0, s1 + s0, w1, s1) if rows and w1 + w0 > 0 else None
        for rows, (w1, s1), (w0, s0) in zip(n.tolist(), hits.tolist(), misses.tolist(), strict=True)
    ]


def _mask(places: tuple[Cell, ...]) -> Mask:
    mask = np.zeros((2, 2), dtype=bool)
    mask[tuple(zip(*places, strict=True))] = True
    return mask


def group_means(cells: Cells) -> list[Basis | None]:
    """Mean of the value of each group, by Hall's t; None where fewer than two rows or too few equal ones are there."""
    if cells.moments is None:
        raise CheckError("these cells hold no moments: give tabulate a value")
    totals, n = cells.moments.totals().reshape(-1, 3), cells.counts.sum(axis=(-2, -1)).ravel()
    return [_mean(*row) for row in np.column_stack([n, totals]).tolist()]


def _mean(n: float, s1: float, s2: float, s3: float) -> Basis | None:
    try:
        return mean_from_sums(n, s1, s2, s3)
    except Unavailable:
        return None
