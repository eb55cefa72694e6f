"""What thresholds by group do to rows that they were not chosen on: the gain in accuracy, and the gap that goes.

The rows are split in two at random, by the hypergeometric law of their cells, so that neither the order of rows nor the
names of groups matter. One half chooses the thresholds, the other judges them, and so the intervals are those of plain
means: nothing was picked on the rows that are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.arrays import Vector
from audit.stats.frontier import Constraint, frontier, group_curve
from audit.stats.means import mean_from_sums
from audit.stats.pairs import difference

Counts = NDArray[np.int64]
"""Rows by group, label, decision and score bin: shape (groups, 2, 2, bins)."""

_LABEL = np.array([0.0, 1.0])[None, :, None, None]
_DECISION = np.array([0.0, 1.0])[None, None, :, None]


@dataclass(frozen=True, slots=True)
class Halves:
    """Counts of the half that chooses and of the half that judges."""

    chosen: Counts
    judged: Counts


def halved(counts: Counts, rng: np.random.Generator) -> Halves:
    """Half of the rows, drawn without replacement; groups come in an order that their names have no part in."""
    flat = counts.reshape(len(counts), -1)
    ordered = flat[np.lexsort(flat.T[::-1])]
    there = np.flatnonzero(ordered)
    drawn = np.zeros(flat.size, dtype=np.int64)
    sizes = ordered.ravel()[there]
    drawn[there] = rng.multivariate_hypergeometric(sizes, int(sizes.sum()) // 2, method="marginals")
    chosen = drawn.reshape(counts.shape)
    return Halves(chosen, ordered.reshape(counts.shape) - chosen)


def own_rates(counts: Counts, constraint: Constraint) -> Vector:
    """The model's own rate of each group. Raises Unavailable (undefined) where a group has no such rows."""
    size = _about(counts, constraint).sum(axis=(1, 2, 3))
    if not size.all():
        raise Unavailable("undefined", f"a group has no rows that its {constraint} is about", "give more rows of it")
    return np.asarray(_about(counts, constraint)[:, :, 1].sum(axis=(1, 2)) / size, dtype=float)


def own_accuracy(counts: Counts) -> float:
    return float((counts[:, 0, 0] + counts[:, 1, 1]).sum() / counts.sum())


def thresholds(chosen: Counts, constraint: Constraint, eps: float) -> Vector:
    """Chance of a positive decision by group and score bin, the most accurate with a gap of at most ``eps``."""
    histogram = chosen.sum(axis=2)
    rates = frontier(histogram, constraint, [eps]).rates[0]
    return np.stack([_selection(table, constraint, float(rate)) for table, rate in zip(histogram, rates, strict=True)])


def smallest_gap_without_loss(chosen: Counts, constraint: Constraint, tolerances: tuple[float, ...]) -> float:
    """The smallest of the tolerances, rising, at which thresholds by group are as accurate as the model is."""
    best = frontier(chosen.sum(axis=2), constraint, tolerances).accuracy
    enough = np.flatnonzero(best >= own_accuracy(chosen) - 1e-12)
    return tolerances[int(enough[0])] if enough.size else float(np.ptp(own_rates(chosen, constraint)))


def accuracy_gain(judged: Counts, select: Vector) -> Basis:
    """Mean over rows of how much likelier the thresholds are to be right than the model. Hall's t."""
    return _mean(_likelier_right(select), judged)


def accuracy_cost(judged: Counts, select: Vector) -> Basis:
    """The same with its sign turned: what the thresholds give up. Hall's t."""
    return _mean(-_likelier_right(select), judged)


def _likelier_right(select: Vector) -> Vector:
    right = np.where(_LABEL == 1, select[:, None, None, :], 1 - select[:, None, None, :])
    return np.asarray(right - (_LABEL == _DECISION), dtype=float)


def gap_removed(halves: Halves, select: Vector, constraint: Constraint) -> Basis:
    """How much smaller the gap becomes between the two groups that differ most on the half that chose. MOVER."""
    rates = own_rates(halves.chosen, constraint)
    high, low = int(np.argmax(rates)), int(np.argmin(rates))
    counts = _about(halves.judged, constraint)
    change = np.broadcast_to(_DECISION - select[:, None, None, :], counts.shape)
    return difference(*(_mean(change[i : i + 1], counts[i : i + 1]) for i in (high, low)))


def gap_under(halves: Halves, select: Vector, constraint: Constraint) -> tuple[float, float]:
    """The same two groups' gap on the half that judges: the model's own, and under the thresholds."""
    rates = own_rates(halves.chosen, constraint)
    high, low = int(np.argmax(rates)), int(np.argmin(rates))
    counts = _about(halves.judged, constraint)
    own = own_rates(halves.judged, constraint)
    then = (counts * select[:, None, None, :]).sum(axis=(1, 2, 3)) / counts.sum(axis=(1, 2, 3))
    return float(own[high] - own[low]), float(then[high] - then[low])


def _about(counts: Counts, constraint: Constraint) -> Counts:
    """The rows that the rate is about; others count 0."""
    kept = {"selection_rate": (1, 1), "true_positive_rate": (0, 1), "false_positive_rate": (1, 0)}[constraint]
    return counts * np.array(kept, dtype=np.int64)[None, :, None, None]


def _mean(values: Vector, counts: Counts) -> Basis:
    n = float(counts.sum())
    centre = float((values * counts).sum() / n) if n else 0.0
    away = values - centre
    first, second, third = (float((away**power * counts).sum()) for power in (1, 2, 3))
    return mean_from_sums(n, first, second, third, shift=centre)


def _selection(table: Counts, constraint: Constraint, rate: float) -> Vector:
    """The mixture of two thresholds that selects at ``rate`` on the group's hull; counts are (label, bin)."""
    rates, accuracy, hull, reached = group_curve(table, constraint)
    at = int(np.clip(np.searchsorted(hull, rate, side="right") - 1, 0, len(hull) - 1))
    after = min(at + 1, len(hull) - 1)
    width = hull[after] - hull[at]
    share = (rate - hull[at]) / width if width > 0 else 0.0
    mixed = np.zeros(table.shape[1])
    for vertex, part in ((at, 1 - share), (after, share)):
        cut = int(np.argmin(np.abs(rates - hull[vertex]) + np.abs(accuracy - reached[vertex])))
        mixed[table.shape[1] - cut :] += part
    return np.clip(mixed, 0.0, 1.0)
