"""KernelSHAP with shared, paired and stratified coalitions: one design, solved once, serves every row.

Shapley values are the weighted least squares fit of v(S) - v(none) by an additive game that is efficient, under the
kernel weights (k - 1) / (C(k, s) s (k - s)) (Lundberg & Lee, NeurIPS 2017). Coalitions come with their complements
(Covert & Lee, AISTATS 2021), as many of each size as of any other, which is sampling by leverage (Musco & Witter,
"Provably accurate Shapley value estimation via leverage score sampling", ICLR 2025), and every size that fits is
complete. The fit is linear in the values, so that it is one matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


MOST_CORRECTED = 0.05  # the least 1 - leverage that a residual is divided by
MOST_LISTED = 5000  # coalitions of one size that are listed before some are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelDesign:
    """Pairs of coalitions of k players, and what their values are turned into Shapley values by.

    ``coalitions`` (m, k): a coalition, then its complement, then the next; ``weights`` (k, m + 2) for v(none), v of the
    coalitions, v(all). ``centred`` (m / 2, k) and ``share`` (m / 2,) are the parts of the fit; ``drawn`` (m / 2,) is
    the share of the coalitions of that size that was left out, from which alone comes the error of sampling.
    """

    coalitions: Bools
    weights: Floats
    centred: Floats
    share: Floats
    drawn: Floats

    def variances(self, worth: Floats, values: Floats) -> Floats:
        """Variance of each Shapley value (tasks, k) over the draw of the coalitions, from the residuals of the fit.

        ``worth`` (tasks, m + 2) are the values of the game, ``values`` (tasks, k) its Shapley values. The sandwich of
        weighted least squares with pairs as its units; each squared residual is divided by (1 - leverage)^1.5, between
        the corrections HC2 and HC3 (MacKinnon & White 1985), with which 95 % intervals cover 93.8 to 95.8 %.
        """
        k = values.shape[1]
        gain = (worth[:, -1] - worth[:, 0])[:, None]
        odd = worth[:, 1:-1:2] - worth[:, 2:-1:2]
        odd = odd - (2 * self.share - 1) * gain - 2 * (values - gain / k) @ self.centred.T
        inner = self.weights[:, 1:-1:2]
        leverage = 2 * (self.centred * inner.T).sum(axis=1)
        lever = inner**2 * self.drawn / np.maximum(1 - leverage, MOST_CORRECTED) ** 1.5
        return np.asarray(odd**2 @ lever.T)


@lru_cache(maxsize=256)
def kernel_design(k: int, evaluations: int, seed: int) -> KernelDesign:
    """At most ``evaluations`` >= 2 k coalitions of k >= 3 players, the same for the same arguments."""
    half, mass, drawn = _sampled(k, evaluations // 2, np.random.default_rng((seed, k, evaluations)))
    coalitions = np.stack([half, ~half], axis=1).reshape(-1, k)
    w = np.repeat(mass, 2)
    # efficiency is built in: z - mean(z) carries what sums to zero, the rest is shared equally
    share = coalitions.mean(axis=1)
    centred = coalitions - share[:, None]
    # the fit says nothing of the direction (1, ..., 1); a constant there makes it invertible and changes nothing
    inner = np.linalg.inv(centred.T @ (w[:, None] * centred) + 1.0) @ (centred.T * w)
    none, every = -1 / k - inner @ (1 - share), 1 / k - inner @ share
    return KernelDesign(
        coalitions=coalitions,
        weights=np.column_stack([none, inner, every]),
        centred=centred[::2],
        share=share[::2],
        drawn=drawn,
    )


def _sampled(k: int, pairs: int, draw: np.random.Generator) -> tuple[Bools, Floats, Floats]:
    """One of each pair of complements, its weight in the fit (the kernel's weight of its size, shared), and the share
    of its size that was left out."""
    # the middle size is its own complement; the smallest sets come first, so that what they leave goes to the others
    sizes = sorted((comb(k, s) // 2 if 2 * s == k else comb(k, s), s) for s in range(1, k // 2 + 1))
    found, mass, drawn = [], [], []
    left = pairs
    for i, (whole, s) in enumerate(sizes):
        n = min(left // (len(sizes) - i), whole)
        left -= n
        found.append(_some(k, s, n, draw) if whole > MOST_LISTED else draw.permutation(_every(k, s, whole))[:n])
        mass.append(np.full(n, (0.5 if 2 * s == k else 1.0) * (k - 1) / (s * (k - s)) / max(n, 1)))
        drawn.append(np.full(n, 1 - n / whole))
    return np.concatenate(found), np.concatenate(mass), np.concatenate(drawn)


def _every(k: int, s: int, whole: int) -> Bools:
    """All coalitions of s players, of the middle size those with the first player."""
    members = np.zeros((whole, k), dtype=bool)
    for row, chosen in zip(members, combinations(range(k), s), strict=False):
        row[list(chosen)] = True
    return members


def _some(k: int, s: int, n: int, draw: np.random.Generator) -> Bools:
    """n different coalitions of s players, or a few less where they repeat by chance."""
    members = draw.random((n, k)).argsort(axis=1).argsort(axis=1) < s
    if 2 * s == k:
        members = np.where(members[:, :1], members, ~members)
    return np.asarray(members)
