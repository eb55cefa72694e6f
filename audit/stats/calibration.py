"""How far predicted probabilities are from observed frequencies. Residual = observed minus predicted.

Scores are probabilities in [0, 1], labels 0/1, both of shape (n,).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr

from audit.counting import count
from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Method, Stack, Vector, normal_quantile
from audit.stats.means import mean
from audit.stats.proportions import rate_beyond
from audit.stats.transformed import normal

_CLIP = 1e-6  # probabilities of 0 and 1 have no logit
_STEPS = 60
_RARE = 5  # fewer labels than this of one kind: the residuals hold too few large values to show their own spread


def calibration_in_the_large(score: ArrayLike, label: ArrayLike) -> Basis:
    """Mean of label minus score. Hall's t; with fewer than 5 labels of either kind the Wilson interval of the observed
    rate, moved by the mean score, since the residuals then hide the spread of the rare label.
    """
    s, y = _pair(score, label)
    if min(y.sum(), y.size - y.sum()) >= _RARE:
        return mean(y - s)
    return rate_beyond(float(y.sum()), y.size, float(s.mean()))


def calibration_slope(score: ArrayLike, label: ArrayLike) -> Basis:
    """Slope of a logistic regression of the label on logit(score): 1 is right, below 1 the scores are too extreme (Cox
    1958). Sandwich standard error, so it holds when the true curve is no logistic line.

    Raises Unavailable: undefined for constant scores and scores that separate the labels, insufficient data for fewer
    than 5 rows of a label.
    """
    x, y = slope_design(score, label)
    beta = logistic_fit(x, y, np.ones(y.size))
    fitted = expit(x @ beta)
    bread = np.linalg.inv((x * (fitted * (1 - fitted))[:, None]).T @ x)
    leverage = np.einsum("ij,jk,ik->i", x, bread, x) * fitted * (1 - fitted)
    pull = x * ((y - fitted) / (1 - np.minimum(leverage, 0.99)))[:, None]  # HC3
    se = math.sqrt(float((bread @ (pull.T @ pull) @ bread)[1, 1]))
    return normal(float(beta[1]), se, n=y.size)


def slope_design(score: ArrayLike, label: ArrayLike) -> tuple[Vector, Vector]:
    """A column of ones beside logit(score), and the labels. Raises Unavailable as ``calibration_slope``."""
    s, y = _pair(score, label)
    rarer = int(min(y.sum(), y.size - y.sum()))
    if np.ptp(s) == 0:
        raise Unavailable("undefined", "a calibration slope needs scores that differ", "give rows with other scores")
    if rarer < _RARE:
        found = f"a calibration slope needs at least {_RARE} rows of each label, got {rarer}"
        raise Unavailable("insufficient_data", found, f"give {count(_RARE - rarer, 'more row')} of the rarer label")
    return np.column_stack([np.ones_like(s), logit(np.clip(s, _CLIP, 1 - _CLIP))]), y


def logistic_fit(x: Vector, y: Vector, weight: Vector) -> Vector:
    """Maximum likelihood of weighted rows by Newton steps, halved while they do not climb."""
    beta: Vector = np.zeros(x.shape[1])
    height, enough = -math.inf, 1e-12 * y.size
    step: Vector = beta
    for _ in range(_STEPS):
        eta = x @ (beta + step)
        climbed = float(weight @ (y * eta - np.logaddexp(0, eta)))
        if climbed < height - enough:
            step = step / 2
            continue
        beta = beta + step
        p = expit(eta)
        information = (x * (weight * p * (1 - p))[:, None]).T @ x
        if climbed > -1e-6 * y.size or np.linalg.cond(information) > 1e14:
            break
        if climbed - height < enough:
            return beta
        step = np.asarray(np.linalg.solve(information, x.T @ (weight * (y - p))), dtype=float)
        height = climbed
    raise Unavailable(
        "undefined",
        "the scores separate the two classes, so the calibration slope has no finite value",
        "give rows where the classes overlap",
    )


def ecce(score: ArrayLike, label: ArrayLike) -> Basis:
    """Range of the cumulative differences between label and score in order of score, over n: Kuiper's statistic.

    It needs no bins (ECCE-R of Arrieta-Ibarra et al. 2022, JMLR 23); ``ecce_p_value`` tests it.

    Above the truth by at most the range of the noise, a Brownian motion in the rows' variance; below it by at most the
    noise between the two places where the true differences are farthest apart, a normal. Hence a valid interval.
    """
    s, y = _pair(score, label)
    order = np.argsort(s, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(s[order])), s.size - 1)  # a tie counts as a whole: row order is no order
    path = np.append(0.0, np.cumsum((y - s)[order])[ends] / s.size)
    expected = float(np.sum(s * (1 - s)))
    seen = float(np.sum((y - s) ** 2))
    numbers = {
        "ecce": float(path.max() - path.min()),
        "se": math.sqrt(max(seen, expected)) / s.size,
        "se_calibrated": math.sqrt(expected) / s.size,
        "n": float(s.size),
    }
    return Basis(method="kuiper", numbers=numbers)


def ecce_p_value(basis: Basis) -> float:
    """Probability of an ECCE at least this large if the scores were the true probabilities."""
    found, se = basis.numbers["ecce"], basis.numbers["se_calibrated"]
    if se == 0:  # every score is 0 or 1: any miss contradicts it
        return 1.0 if found == 0 else 0.0
    return brownian_range_tail(found / se)


def brownian_range_tail(x: float) -> float:
    """P(range of a Brownian motion on [0, 1] > x) = 8 sum (-1)^(k-1) k (1 - Phi(k x)) (Feller 1951)."""
    if x < 0.5:  # less than one in a million below; the sum alternates and would only lose digits
        return 1.0
    k = np.arange(1, 101)
    return float(np.clip(8 * np.sum((-1.0) ** (k - 1) * k * ndtr(-k * x)), 0.0, 1.0))


@lru_cache(maxsize=16)  # the same few levels for thousands of groups
def _brownian_range_quantile(tail: float) -> float:
    low, high = 0.5, 60.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if brownian_range_tail(middle) > tail else (low, middle)
    return high


def expected_calibration_error(score: ArrayLike, label: ArrayLike, bins: int = 15) -> Basis:
    """Sum over bins of equal mass of |sum of residuals| / n, less what calibrated scores would show by chance:
    sum sqrt(2 v_b / pi) / n with v_b the sum of s (1 - s) in a bin; 0 where that is more.

    With se^2 = sum v_b / n^2, the raw sum falls short of the truth by at most z se, since |residual| is never below the
    residual with its true sign; it exceeds it most where scores are calibrated, by bias + z se sqrt(1 - 2 / pi), or
    where all bins are far off, by z se. These bound the truth on both sides.
    """
    s, y = _pair(score, label)
    edges = np.unique(np.quantile(s, np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(edges, s)
    residual, expected = np.bincount(place, y - s), np.bincount(place, s * (1 - s))
    counts = np.maximum(np.bincount(place), 1)
    seen = np.maximum(np.bincount(place, (y - s) ** 2) - residual**2 / counts, 0.0)
    variance = np.maximum(expected, seen)
    raw = float(np.abs(residual).sum()) / s.size
    chance = float(np.sqrt(2 * expected / np.pi).sum()) / s.size
    value = max(raw - chance, 0.0)
    bias = float(np.sqrt(2 * variance / np.pi).sum()) / s.size
    numbers = {
        "ece": value,
        "above": raw - value,
        "bias": bias,
        "se": math.sqrt(float(variance.sum())) / s.size,
        "n": float(s.size),
    }
    return Basis(method="debiased_ece", numbers=numbers)


def _pair(score: ArrayLike, label: ArrayLike) -> tuple[Vector, Vector]:
    s, y = np.asarray(score, dtype=float), np.asarray(label, dtype=float)
    if s.size < 2:
        few = f"calibration of {count(s.size, 'row')} has no interval"
        raise Unavailable("insufficient_data", few, "give at least 2 rows")
    return s, y


def _kuiper(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    found = stack.numbers["ecce"]
    below = _brownian_range_quantile(tail) * stack.numbers["se"]
    above = normal_quantile(tail) * stack.numbers["se"]
    return Estimates(found, np.maximum(found - below, 0.0), found + np.maximum(above, 0.0))


def _debiased_ece(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    found, half = stack.numbers["ece"], normal_quantile(tail) * stack.numbers["se"]
    raw = found + stack.numbers["above"]
    lower = raw - np.maximum(stack.numbers["bias"] + half * math.sqrt(1 - 2 / math.pi), half)
    return Estimates(found, np.clip(lower, 0.0, found), np.clip(raw + half, found, 1.0))


METHODS = {
    "kuiper": Method(
        short="Kuiper",
        words="range of cumulative differences, less the range of a Brownian motion and plus a normal, conservative "
        "(Feller 1951; Arrieta-Ibarra et al. 2022)",
        formula=_kuiper,
        rows=("n",),
        counts=("n",),
        errors=("se", "se_calibrated"),
    ),
    "debiased_ece": Method(
        short="bias bounds",
        words="equal-mass bins less the error expected by chance, bounds from its largest bias and variance, "
        "conservative",
        formula=_debiased_ece,
        rows=("n",),
        counts=("n",),
        errors=("above", "bias", "se"),
    ),
}
