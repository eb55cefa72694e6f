"""Compound measures of rows that are weighted or come in clusters: F1, balanced accuracy, AUC, R squared, RMSE.

Each is a smooth function of weighted sums, so that to first order it is its value plus a sum over rows, the influence
of each row. The variance is that of the clusters' summed influences (Huber 1967; Binder 1983, International Statistical
Review 51), with t quantiles of the effective number of clusters less one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.arrays import Vector
from audit.stats.transformed import Scale, normal

FEWEST = 3
Codes = NDArray[np.int32]


def linearised(value: float, influence: Vector, weight: Vector, cluster: Codes | None, scale: Scale) -> Basis:
    """A basis from the influence of each row, shape (n,). At 0 and 1 the logit scale gives way to the plain one.

    Raises Unavailable (insufficient data) below three clusters, or three rows with weight.
    """
    kept = weight > 0
    units = np.arange(kept.sum()) if cluster is None else np.unique(cluster[kept], return_inverse=True)[1]
    totals, sizes = np.bincount(units, influence[kept]), np.bincount(units, weight[kept])
    if totals.size < FEWEST:
        what = "rows with weight" if cluster is None else "clusters"
        raise Unavailable(
            "insufficient_data", f"{totals.size} {what} say too little of others", f"give {FEWEST} {what}"
        )
    effective = float(sizes.sum() ** 2 / (sizes @ sizes))
    ordered = np.sort(totals)
    se = float(np.sqrt(ordered @ ordered * totals.size / (totals.size - 1)))
    inside = scale == "identity" or (0 < value < 1 if scale == "logit" else value > 0)
    return normal(value, se, scale=scale if inside else "identity", df=max(effective - 1, 1.0), n=int(kept.sum()))


Influence = tuple[float, Vector]
"""A value, and how much each row moves it."""


def weighted_f1(positive: ArrayLike, decided: ArrayLike, weight: Vector, cluster: Codes | None) -> Basis:
    """F1 = 2 TP / (labelled + decided), in weight. Raises Unavailable (undefined) where both are 0."""
    return linearised(*f1_influence(positive, decided, weight), weight, cluster, "logit")


def f1_influence(positive: ArrayLike, decided: ArrayLike, weight: Vector) -> Influence:
    both = np.asarray(positive, dtype=float) + np.asarray(decided, dtype=float)
    size = float(weight @ both)
    if size <= 0:
        raise Unavailable("undefined", "F1 has no value: no row is positive or predicted positive", "give such rows")
    f1 = float(weight @ (2.0 * (both == 2))) / size
    return f1, weight * (2.0 * (both == 2) - f1 * both) / size


def share_influence(success: ArrayLike, among: ArrayLike, weight: Vector) -> Influence:
    """Of the share of the rows ``among`` that are a success. Raises Unavailable (undefined) where there are none."""
    inside = weight * np.asarray(among, dtype=float)
    size = float(inside.sum())
    if size <= 0:
        raise Unavailable("undefined", "a share of no rows has no value", "give such rows")
    y = np.asarray(success, dtype=float)
    share = float(inside @ y) / size
    return share, inside * (y - share) / size


def mean_influence(parts: Sequence[Influence]) -> Influence:
    """Of the mean of several values of the same rows, each with an influence of shape (n,)."""
    return float(np.mean([value for value, _ in parts])), np.mean([each for _, each in parts], axis=0)


def weighted_balanced_accuracy(
    label: Codes, decision: Codes, classes: int, weight: Vector, cluster: Codes | None
) -> Basis:
    """Mean over classes of recall."""
    actual = np.bincount(label, weight, minlength=classes)
    if not (actual > 0).all():
        raise Unavailable("undefined", "a class has no rows with weight", "give rows of every class")
    hit = (label == decision).astype(float)
    recall = np.bincount(label, weight * hit, minlength=classes) / actual
    influence = weight * (hit - recall[label]) / actual[label] / classes
    return linearised(float(recall.mean()), influence, weight, cluster, "logit")


def weighted_auc(score: Vector, positive: ArrayLike, weight: Vector, cluster: Codes | None) -> Basis:
    """Area under the ROC curve in weight; ties count one half. Raises Unavailable (undefined) for a single class."""
    area, influence = auc_influence(score, positive, weight)
    return linearised(area, influence, weight, cluster, "logit")


def auc_influence(score: Vector, positive: ArrayLike, weight: Vector) -> tuple[float, Vector]:
    """The area, and each row's share in its deviation (DeLong's placements). Raises as ``weighted_auc``."""
    truth = np.asarray(positive, dtype=bool)
    up, down = weight * truth, weight * ~truth
    if up.sum() <= 0 or down.sum() <= 0:
        raise Unavailable("undefined", "ROC AUC has no value: the rows hold one class", "give rows of both classes")
    placed = np.where(truth, _below(score, down), 1 - _below(score, up))
    area = float(up @ placed / up.sum())
    return area, (placed - area) * np.where(truth, up / up.sum(), down / down.sum())


def _below(score: Vector, weight: Vector) -> Vector:
    """Share of the weight that lies on lower scores, and half of that on equal ones, of each row."""
    _, place = np.unique(score, return_inverse=True)
    at = np.bincount(place, weight)
    return np.asarray(((np.cumsum(at) - at / 2) / weight.sum())[place], dtype=float)


def weighted_root_mean(squares: Vector, weight: Vector, cluster: Codes | None) -> Basis:
    """Root of the weighted mean of squares."""
    root, influence = root_mean_influence(squares, weight)
    return linearised(root, influence, weight, cluster, "log")


def root_mean_influence(squares: Vector, weight: Vector) -> tuple[float, Vector]:
    """The root of the weighted mean, and each row's share in its deviation."""
    mean = float(weight @ squares / weight.sum())
    root = float(np.sqrt(mean))
    slope = 1 / (2 * root) if root > 0 else 0.0
    return root, slope * weight * (squares - mean) / weight.sum()


def weighted_r_squared(y: Vector, prediction: Vector, weight: Vector, cluster: Codes | None) -> Basis:
    """1 - SSE / SST in weight. Raises Unavailable (undefined) for a constant target."""
    centre = float(weight @ y / weight.sum())
    errors, spread = weight * (y - prediction) ** 2, weight * (y - centre) ** 2
    if spread.sum() <= 0:
        raise Unavailable("undefined", "R squared has no value: the target is constant", "give rows that differ")
    missed = float(errors.sum() / spread.sum())
    return linearised(1 - missed, (missed * spread - errors) / spread.sum(), weight, cluster, "identity")
