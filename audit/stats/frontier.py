"""What accuracy the scores under review allow when groups may differ by no more than a tolerance.

With a threshold of its own, randomised between two where that helps, a group can reach every point of the concave hull
h_g of accuracy over a rate (selected, true positives or false positives). A gap of at most eps is then an interval
[t, t + eps] that all groups' rates lie in, so that best(eps) = max over t of sum_g w_g h_g(clip(peak_g, t, t + eps)),
exact, from score histograms alone (Hardt, Price & Srebro 2016 for eps = 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.errors import CheckError, Unavailable
from audit.stats.arrays import Vector

Constraint = Literal["selection_rate", "true_positive_rate", "false_positive_rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The best accuracy at each tolerance, one entry an ``eps``, and the rates of the groups that reach it."""

    constraint: Constraint
    eps: Vector
    accuracy: Vector
    rates: Vector  # (eps, groups)


@dataclass(frozen=True, slots=True)
class _Hull:
    """A concave, piecewise straight curve of accuracy over rate, and the weight of its group."""

    rate: Vector
    accuracy: Vector
    peak: float
    weight: float


def frontier(histogram: NDArray[np.int64], constraint: Constraint, eps: Sequence[float]) -> Frontier:
    """From score histograms of shape (groups, label, bins), scores rising. Groups without rows take no part.

    Raises Unavailable: undefined where a group lacks the label that the rate is about, not applicable for one group.
    """
    tables = histogram[histogram.sum(axis=(1, 2)) > 0]
    if len(tables) < 2:
        raise Unavailable("not_applicable", f"{len(tables)} group has nothing to be equal to", "give a second group")
    if min(eps, default=-1.0) < 0:
        raise CheckError("frontier needs at least one tolerance, each at least 0")
    hulls = [_hull(table, constraint, tables.sum()) for table in tables]
    accuracy, rates = zip(*(_best(hulls, float(tolerance)) for tolerance in eps), strict=True)
    return Frontier(
        constraint=constraint, eps=np.array(eps, dtype=float), accuracy=np.array(accuracy), rates=np.array(rates)
    )


def _hull(table: NDArray[np.int64], constraint: Constraint, total: int) -> _Hull:
    _, _, rate, accuracy = group_curve(table, constraint)
    return _Hull(rate, accuracy, float(rate[np.argmax(accuracy)]), float(table.sum()) / float(total))


def group_curve(table: NDArray[np.int64], constraint: Constraint) -> tuple[Vector, Vector, Vector, Vector]:
    """Rate and accuracy of every threshold between bins, from nobody selected to everybody, and of their upper hull.

    Raises Unavailable (undefined) where a group has no rows that the rate is about.
    """
    fp, tp = (np.append(0, np.cumsum(counts[::-1])).astype(float) for counts in table)
    n, negatives, positives = float(table.sum()), fp[-1], tp[-1]
    over = {
        "selection_rate": (tp + fp, n, "rows"),
        "true_positive_rate": (tp, positives, "positive rows"),
        "false_positive_rate": (fp, negatives, "negative rows"),
    }
    selected, size, rows = over[constraint]
    if size == 0:
        raise Unavailable("undefined", f"a group has no {rows}, so it has no {constraint}", "give such rows")
    points = selected / size, (tp + negatives - fp) / n
    return (*points, *_concave(*points))


def _concave(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Upper hull of points whose x never falls (Andrew's monotone chain)."""
    kept: list[tuple[float, float]] = []
    for px, py in sorted(zip(x.tolist(), y.tolist(), strict=True)):
        while len(kept) > 1 and _not_above(kept[-2], kept[-1], (px, py)):
            kept.pop()
        if kept and kept[-1][0] == px:
            kept.pop()  # the same rate with a higher accuracy
            while len(kept) > 1 and _not_above(kept[-2], kept[-1], (px, py)):
                kept.pop()
        kept.append((px, py))
    points = np.array(kept)
    return points[:, 0], points[:, 1]


def _not_above(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or below the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])


def _best(hulls: Sequence[_Hull], eps: float) -> tuple[float, Vector]:
    """The sum is concave and piecewise straight in t, so it is largest where some group's curve bends."""
    bends = np.unique(np.concatenate([hull.rate for hull in hulls]))
    t = np.unique(np.clip(np.concatenate([bends, bends - eps]), 0.0, 1.0))
    rates = np.stack([np.clip(hull.peak, t, np.minimum(t + eps, 1.0)) for hull in hulls])
    reached = [h.weight * np.interp(rate, h.rate, h.accuracy) for h, rate in zip(hulls, rates, strict=True)]
    total = np.sum(reached, axis=0)
    best = int(np.argmax(total))
    return float(total[best]), rates[:, best]


def distance_to_frontier(found: Frontier, gap: float, accuracy: float) -> float:
    """How much more accuracy the scores allow at the model's own gap, by thresholds alone; 0 on the frontier."""
    return max(float(np.interp(gap, found.eps, found.accuracy)) - accuracy, 0.0)
