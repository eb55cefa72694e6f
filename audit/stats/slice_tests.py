"""One-sided tests of a slice's error rate: rows that count alike, rows with weights, rows that come in clusters.

Rows that count alike are tested exactly. Of weighted rows the tail is the binomial's on an effective size, the smaller
of Kish's and the linearised one (Korn & Graubard 1998, Survey Methodology 24), against a rate taken as known, which
only makes it larger. Rows in clusters are tested by the t statistic of the clusters' summed scores (Liang & Zeger 1986,
Biometrika 73), with one degree of freedom less than the effective number of clusters in the slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, betainc, gammaln, stdtr

from audit.results import Basis
from audit.stats.arrays import Mask, Vector
from audit.stats.proportions import rate
from audit.stats.weighting import clustered_rate, selected, weighted_rate

FEWEST_CLUSTERS = 1.5  # effective ones in a slice, below which nothing is said of others


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is known of each row, shape (n,): whether it is wrong, its chance of that as the scores have it, its weight
    (1 where none was given) and the code of its cluster; None where there are none."""

    wrong: Mask
    chance: Vector | None = None
    weight: Vector | None = None
    cluster: NDArray[np.int32] | None = None

    @property
    def plain(self) -> bool:
        return self.weight is None and self.cluster is None

    @property
    def weights(self) -> Vector:
        return np.ones(self.wrong.size) if self.weight is None else self.weight

    @property
    def words(self) -> str:
        """By which test slices are found."""
        if self.cluster is not None:
            return "t test of the clusters' scores"
        if self.weight is not None:
            return "binomial tail on the effective size of the weights"
        return "hypergeometric test" if self.chance is None else "Hoeffding's bound"


def p_value(mine: Mask, left: Mask, rows: Rows) -> float:
    """Of the rows ``mine`` among the rows ``left``."""
    if rows.cluster is not None:
        return clustered_tail(mine, left, rows)
    if rows.weight is not None:
        return float(effective_tail(*weighted_sums(mine, left, rows)))
    n, k = np.array([mine.sum()], dtype=float), np.array([(mine & rows.wrong).sum()], dtype=float)
    if rows.chance is not None:
        return float(binomial_tail_bound(k, n, np.array([rows.chance[mine].sum()]))[0])
    return float(hypergeometric_tail(k, n, float((left & rows.wrong).sum()), float(left.sum()))[0])


def rate_of(inside: Mask, rows: Rows, tested: int) -> Basis:
    """The error rate of a slice that was picked out of ``tested`` ones."""
    wrong = rows.wrong[inside]
    weight = None if rows.weight is None else rows.weight[inside]
    if rows.cluster is not None:
        return selected(clustered_rate(wrong, rows.cluster[inside], weight), tested)
    plain = rate(int(wrong.sum()), wrong.size) if weight is None else weighted_rate(wrong, weight)
    return selected(plain, tested)


def binomial_tail_bound(k: Vector, n: Vector, expected: Vector) -> Vector:
    """P(at least k of n), at most, for independent trials of any chances whose sum is ``expected`` (Hoeffding 1956)."""
    tail = bdtrc(np.maximum(k - 1, 0), n.astype(np.int64), np.clip(expected / n, 0.0, 1.0))
    return np.where((k >= expected + 1) & (k >= 1), np.asarray(tail, dtype=float), 1.0)


def hypergeometric_tail(k: Vector, n: Vector, errors: float, total: float) -> Vector:
    """P(at least k wrong) among n rows drawn from ``total`` of which ``errors`` are wrong, summed from k upwards."""
    log_term = _log_choose(errors, k) + _log_choose(total - errors, n - k) - _log_choose(total, n)
    term = np.exp(log_term)
    tail, last = term.copy(), np.minimum(n, errors)
    at = k.copy()
    while term.size and np.any(term > 1e-16 * tail):
        ratio = (errors - at) * (n - at) / ((at + 1) * (total - errors - n + at + 1))
        term = np.where(at < last, term * ratio, 0.0)
        tail, at = tail + term, at + 1
    return np.minimum(tail, 1.0)


def _log_choose(n: float | Vector, k: Vector) -> Vector:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=float)


def weighted_sums(mine: Mask, left: Mask, rows: Rows) -> tuple[Vector, Vector, Vector, Vector, Vector]:
    """What ``effective_tail`` takes, of the rows ``mine`` among the rows ``left``."""
    w, wrong = rows.weights[mine], rows.wrong[mine]
    sums = [w.sum(), w @ w, w[wrong].sum(), w[wrong] @ w[wrong]]
    expected = rows.weights[left] @ rows.wrong[left] / rows.weights[left].sum() if rows.chance is None else None
    if expected is None and rows.chance is not None:
        expected = w @ rows.chance[mine] / w.sum() if w.sum() > 0 else 1.0
    total, squares, hit, hit2 = (np.asarray(one, dtype=float) for one in sums)
    return total, squares, hit, hit2, np.asarray(expected, dtype=float)


def effective_tail(w: Vector, w2: Vector, hit: Vector, hit2: Vector, expected: Vector) -> Vector:
    """Binomial tail on the effective size, from sums of weights and their squares, over all rows and the wrong ones.

    ``expected`` is the rate they are held against; rows without weight, and rates below it, have 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        p, kish = np.minimum(hit / w, 1.0), w**2 / w2
        variance = ((1 - p) ** 2 * hit2 + p**2 * (w2 - hit2)) / w**2
        linearised = np.where((p > 0) & (p < 1), p * (1 - p) / variance, kish)
        n = np.minimum(kish, linearised)
        tail = betainc(p * n, n - p * n + 1, np.clip(expected, 0.0, 1.0))
    return np.where((w > 0) & (p > expected), np.nan_to_num(tail, nan=1.0), 1.0)


def clustered_tail(mine: Mask, left: Mask, rows: Rows) -> float:
    """t test that the slice's rate is not above that of the other rows, or above what the scores predict.

    Where most rows are wrong the scores are skewed the other way and t is too sure: there the binomial tail on the
    effective size must agree.
    """
    if rows.cluster is None:
        return 1.0
    w, place = rows.weights[left], np.unique(rows.cluster[left], return_inverse=True)[1]
    inside, wrong = mine[left], rows.wrong[left]
    size, rest = float(w @ inside), float(w @ ~inside)
    if size <= 0 or (rows.chance is None and rest <= 0):
        return 1.0
    overall = float(w @ wrong) / (size + rest)
    if rows.chance is None:
        scores = w * (inside / size - ~inside / rest) * (wrong - overall)
    else:
        scores = w * inside / size * (wrong - rows.chance[left])
    sizes = np.bincount(place, w * inside)
    clusters = float(sizes.sum() ** 2 / (sizes @ sizes))
    if clusters < FEWEST_CLUSTERS:
        return 1.0
    totals = np.bincount(place, scores)
    spread = totals.size / (totals.size - 1) * float(np.sum((totals - totals.mean()) ** 2))
    t = float(totals.sum()) / spread**0.5 if spread > 0 else 0.0
    found = float(stdtr(clusters - 1, -t)) if t > 0 else 1.0
    sums = weighted_sums(mine, left, rows)
    return max(found, float(effective_tail(*sums))) if float(sums[-1]) > 0.5 else found
