"""Measures of scores on rows that are weighted or come in clusters: average precision and the calibration slope.

As in :mod:`audit.stats.influence`: to first order each is its value plus a sum over rows, and the variance is that of
the clusters' summed influences.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.arrays import Vector
from audit.stats.calibration import logistic_fit, slope_design
from audit.stats.influence import Codes, linearised

_MOST_LEVERAGE = 0.99


def weighted_average_precision(score: Vector, positive: ArrayLike, weight: Vector, cluster: Codes | None) -> Basis:
    """Mean over positive weight of the precision at each row's score; rows of one score are one threshold.

    Raising a row's weight moves its own term and the precision at every threshold at or below its score. Raises
    Unavailable (undefined) where no positive row has weight.
    """
    truth = np.asarray(positive, dtype=float)
    hits = float(weight @ truth)
    if hits <= 0:
        raise Unavailable("undefined", "average precision has no value: no row is positive", "give positive rows")
    _, place = np.unique(score, return_inverse=True)
    own = np.bincount(place, weight * truth)  # from the lowest threshold up
    found, above = (np.cumsum(one[::-1])[::-1] for one in (own, np.bincount(place, weight)))
    precision = np.divide(found, above, out=np.zeros_like(found), where=above > 0)
    share = np.divide(own, above, out=np.zeros_like(own), where=above > 0)
    gained, lost = np.cumsum(share)[place], np.cumsum(share * precision)[place]
    value = float(own @ precision) / hits
    influence = weight / hits * (truth * (precision[place] - value + gained) - lost)
    return linearised(value, influence, weight, cluster, "logit")


def weighted_calibration_slope(score: ArrayLike, label: ArrayLike, weight: Vector, cluster: Codes | None) -> Basis:
    """Slope of a weighted logistic regression of the label on logit(score), leverages taken off (HC3).

    Raises Unavailable as ``calibration_slope``.
    """
    there = weight > 0
    x, y = slope_design(np.asarray(score, dtype=float)[there], np.asarray(label, dtype=float)[there])
    w = weight[there] / weight[there].mean()
    beta = logistic_fit(x, y, w)
    fitted = expit(x @ beta)
    spread = w * fitted * (1 - fitted)
    bread = np.linalg.inv((x * spread[:, None]).T @ x)
    leverage = np.minimum(np.einsum("ij,jk,ik->i", x, bread, x) * spread, _MOST_LEVERAGE)
    influence = (x @ bread)[:, 1] * w * (y - fitted) / (1 - leverage)
    return linearised(float(beta[1]), influence, w, None if cluster is None else cluster[there], "identity")
