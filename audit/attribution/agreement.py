"""Do two attribution maps say the same? Rank correlation and the overlap of what they call most important.

Methods often disagree (Krishna et al., "The disagreement problem in explainable machine learning", TMLR 2024). Maps are
first averaged over at most 14 x 14 cells, because methods resolve to different grains.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.stats.ranks import midranks

CELLS = 14
TOP = 0.10


def cells(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """One map (H, W) as the means of at most 14 x 14 cells, flat."""
    coarse = values.astype(np.float64)
    for axis in (0, 1):
        size = coarse.shape[axis]
        edges = np.unique(np.linspace(0, size, min(CELLS, size) + 1).astype(int))
        counts = np.diff(edges).reshape([-1 if a == axis else 1 for a in (0, 1)])
        coarse = np.add.reduceat(coarse, edges[:-1], axis=axis) / counts
    return coarse.reshape(-1)


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Spearman's rho with mid-ranks, from -1 to 1; None where a map is constant."""
    a, b = midranks(first), midranks(second)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else None


def top_overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Share of the cells among the top 10 % of one map that are among the other's; chance gives 0.10."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    k = max(1, round(TOP * len(first)))
    tops = (set(np.argsort(-values, kind="stable")[:k].tolist()) for values in (first, second))
    return len(set.intersection(*tops)) / k
