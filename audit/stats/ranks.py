"""How well scores rank: area under the ROC curve and average precision."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Indices, Mask, Method, Stack, Vector, normal_quantile
from audit.stats.proportions import wilson_limits
from audit.stats.transformed import logit_limits

_ENOUGH = 50  # positives and negatives from which the logit-DeLong interval keeps its level
_MISPLACED = 5  # rows of the smaller class, in whole rows out of order, that the variance must rest on
_STEPS = 60


def auc(scores: ArrayLike, labels: ArrayLike) -> Basis:
    """Area under the ROC curve of ``scores`` for 0/1 ``labels``; ties count one half.

    DeLong's variance by mid-ranks (Sun & Xu 2014) on the logit scale; the score interval of Newcombe (2006) below 50 of
    either class, near 0 or 1, or where that variance is 0. Raises Unavailable (undefined) for a single class.
    """
    positive, negative = split(scores, labels, "ROC AUC")
    ranks = midranks(np.concatenate([positive, negative]))
    above_negative = (ranks[: positive.size] - midranks(positive)) / negative.size
    below_positive = 1 - (ranks[positive.size :] - midranks(negative)) / positive.size
    area = float(above_negative.mean())
    numbers = {"auc": area, "n_positive": float(positive.size), "n_negative": float(negative.size)}
    fewer = min(positive.size, negative.size)
    if fewer < _ENOUGH or fewer * min(area, 1 - area) < _MISPLACED:
        return Basis(method="newcombe_auc", numbers=numbers)
    variance = float(np.var(above_negative, ddof=1) / positive.size + np.var(below_positive, ddof=1) / negative.size)
    if variance <= 0:
        return Basis(method="newcombe_auc", numbers=numbers)
    return Basis(method="logit_delong", numbers=numbers | {"se": math.sqrt(variance)})


def average_precision(scores: ArrayLike, labels: ArrayLike) -> Basis:
    """Sum over thresholds of (recall step) x precision, without interpolation, as scikit-learn defines it.

    On the logit scale: with the standard error of its influence values from 50 positives that are not nearly in order,
    with that of Boyd, Eng & Page (2013) below. Raises Unavailable (undefined) without positives.
    """
    values, truth = np.asarray(scores, dtype=float), np.asarray(labels).astype(bool)
    order, ends, precision, ap = _steps(values, truth)
    positives = int(truth.sum())
    numbers = {"average_precision": ap, "n_positive": float(positives)}
    if positives < _ENOUGH or positives * (1 - ap) < _MISPLACED:
        return Basis(method="logit_average_precision", numbers=numbers)
    influence = _precision_influence(truth[order], ends, precision, ap)
    numbers["se"] = math.sqrt(float(influence @ influence) * values.size / max(values.size - 1, 1))
    return Basis(method="influence_average_precision", numbers=numbers)


def _steps(values: Vector, truth: Mask) -> tuple[Indices, Indices, Vector, float]:
    """Rows from the highest score down, the last place of each threshold, the precision there, and their mean."""
    positives = int(truth.sum())
    if positives == 0:
        raise Unavailable("undefined", "average precision has no value: no positive rows", "give positive rows")
    order = np.argsort(-values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), values.size - 1)
    hits = np.cumsum(truth[order])[ends]
    precision = hits / (ends + 1)
    steps = np.diff(hits, prepend=0) / positives
    return order, ends, precision, min(float(steps @ precision), 1.0)


def average_precision_influence(scores: ArrayLike, labels: ArrayLike) -> tuple[float, Vector]:
    """Average precision, and how much each row moves it, in the order of the rows. Raises as ``average_precision``."""
    values, truth = np.asarray(scores, dtype=float), np.asarray(labels).astype(bool)
    order, ends, precision, ap = _steps(values, truth)
    influence = np.empty(values.size)
    influence[order] = _precision_influence(truth[order], ends, precision, ap)
    return ap, influence


def _precision_influence(truth: Mask, ends: Indices, precision: Vector, ap: float) -> Vector:
    """Derivative of average precision by each row's weight: its own term, and its place in the precision of every
    threshold at or below its score. Rows from the highest score to the lowest.
    """
    sizes = np.diff(ends, prepend=-1)
    positives = truth.sum()
    hits = np.add.reduceat(truth.astype(float), np.append(0, ends[:-1] + 1)) / positives
    gained = np.cumsum((hits * (1 - precision) / (ends + 1))[::-1])[::-1]
    lost = np.cumsum((hits * precision / (ends + 1))[::-1])[::-1]
    return np.where(truth, np.repeat((precision - ap) / positives + gained, sizes), -np.repeat(lost, sizes))


def midranks(values: Vector) -> Vector:
    """Ranks from 1; ties share the mean of their ranks."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))[: len(values)]  # of each run of ties
    after = np.append(first[1:], len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((first + 1 + after) / 2, after - first)
    return ranks


def split(scores: ArrayLike, labels: ArrayLike, what: str) -> tuple[Vector, Vector]:
    values, truth = np.asarray(scores, dtype=float), np.asarray(labels).astype(bool)
    if truth.all() or not truth.any():
        raise Unavailable("undefined", f"{what} has no value: the rows hold one class", "give rows of both classes")
    return values[truth], values[~truth]


def _logit_delong(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return logit_limits(stack.numbers["auc"], stack.numbers["se"], normal_quantile(tail))


def _newcombe(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    area, m, n = (stack.numbers[name] for name in ("auc", "n_positive", "n_negative"))
    return newcombe_limits(area, m, n, tail)


def newcombe_limits(area: Vector, m: Vector, n: Vector, tail: float) -> Estimates:
    """Solutions t of |auc - t| = z sqrt(V(t)), V of Hanley & McNeil with (m + n) / 2 - 1 for both sizes (method 5)."""
    z, size = normal_quantile(tail), (m + n) / 2 - 1

    def edge(outside: Vector) -> Vector:
        inside = area
        for _ in range(_STEPS):
            t = (inside + outside) / 2
            variance = t * (1 - t) / (m * n) * (1 + size * ((1 - t) / (2 - t) + t / (1 + t)))
            out = (area - t) ** 2 > z * z * variance
            inside, outside = np.where(out, inside, t), np.where(out, t, outside)
        return inside

    lower, upper = edge(np.zeros_like(area)), edge(np.ones_like(area))
    return Estimates(area, np.where(area <= 0, 0.0, lower), np.where(area >= 1, 1.0, upper))


def _influence(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return logit_limits(stack.numbers["average_precision"], stack.numbers["se"], normal_quantile(tail))


def _average_precision(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    """logit AP -+ z / sqrt(n_positive AP (1 - AP)); at AP = 1, where that has no value, Wilson's interval."""
    ap, n = stack.numbers["average_precision"], stack.numbers["n_positive"]
    z = normal_quantile(tail)
    inner = np.where(ap < 1, ap, 0.5)
    logit = logit_limits(inner, np.sqrt(inner * (1 - inner) / n), z)
    whole = wilson_limits(n * ap, n, z)
    return Estimates(ap, *(np.where(ap < 1, x, y) for x, y in zip(logit[1:], whole[1:], strict=True)))


METHODS = {
    "logit_delong": Method(
        short="logit-DeLong",
        words="DeLong interval on the logit scale (DeLong et al. 1988; Sun & Xu 2014)",
        formula=_logit_delong,
        rows=("n_positive", "n_negative"),
        counts=("n_positive", "n_negative"),
        errors=("se",),
    ),
    "newcombe_auc": Method(
        short="Newcombe 2006",
        words="score interval of the ROC AUC with the Hanley-McNeil variance (Newcombe 2006, method 5)",
        formula=_newcombe,
        rows=("n_positive", "n_negative"),
        counts=("n_positive", "n_negative"),
    ),
    "influence_average_precision": Method(
        short="logit",
        words="logit interval of average precision, standard error from influence values (delta method)",
        formula=_influence,
        rows=("n_positive",),
        counts=("n_positive",),
        errors=("se",),
    ),
    "logit_average_precision": Method(
        short="logit",
        words="logit interval of average precision (Boyd, Eng & Page 2013)",
        formula=_average_precision,
        rows=("n_positive",),
        counts=("n_positive",),
    ),
}
