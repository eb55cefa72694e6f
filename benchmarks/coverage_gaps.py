"""How often the 95 % interval of a gap or a ratio holds the truth, over 63 pairs of sizes and rates.

Exact: every table that has a chance above 1e-9 is worked out, so there is no noise in these figures.
Miettinen and Nurminen's score interval of a gap falls to 0.936 in one cell, 20 against 100 rows at a rate of 0.02 each:
one success beside none (3.6 % of tables) has z = 2.24 there. Where so little is expected Newcombe's is taken. What lies
outside 0.94 to 0.96 lies above: at these sizes and rates no method tried (Newcombe, Mee, Miettinen-Nurminen, with a
correction for skewness) puts more than 84 % of the cells into that band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from audit.stats.arrays import Estimates
from audit.stats.mover import difference_limits as mover_difference
from audit.stats.mover import ratio_limits as mover_ratio
from audit.stats.proportions import wilson_limits
from audit.stats.score_tests import difference_limits, gap_limits, ratio_limits
from benchmarks._figures import Result, result

SIZES = ((20, 20), (20, 100), (20, 1000), (50, 50), (50, 200), (100, 100), (100, 1000), (200, 1000), (1000, 1000))
RATES = ((0.02, 0.02), (0.05, 0.05), (0.05, 0.15), (0.2, 0.2), (0.2, 0.4), (0.5, 0.5), (0.5, 0.6))
Z = 1.959963984540054


KINDS = (
    "gap as judged (Newcombe)",
    "gap (Miettinen-Nurminen, Newcombe where sparse)",
    "gap (Miettinen-Nurminen alone)",
    "ratio as judged (MOVER)",
    "ratio (Miettinen-Nurminen)",
)


def main() -> Result:
    cells = [coverages(n, m, p, q) for n, m in SIZES for p, q in RATES]
    figures: dict[str, float] = {}
    for kind, shares in zip(KINDS, zip(*cells, strict=True), strict=True):
        figures[f"{kind}: mean coverage"] = float(np.mean(shares))
        figures[f"{kind}: least coverage"] = min(shares)
        figures[f"{kind}: share of cells at 0.94 or more"] = float(np.mean([s >= 0.94 for s in shares]))
        figures[f"{kind}: share of cells in 0.94 to 0.96"] = float(np.mean([0.94 <= s <= 0.96 for s in shares]))
    targets = {f"{kind}: least coverage": ">= 0.94" for kind in KINDS if "judged" in kind or "sparse" in kind}
    targets |= {f"{kind}: share of cells at 0.94 or more": ">= 0.98" for kind in KINDS}
    return result("coverage_gaps", figures, targets)


def coverages(n: int, m: int, p: float, q: float) -> tuple[float, ...]:
    k1, k2 = (grid.ravel() for grid in np.meshgrid(likely(n, p), likely(m, q), indexing="ij"))
    n1, n2 = np.full(k1.size, float(n)), np.full(k1.size, float(m))
    chance = binom.pmf(k1, n, p) * binom.pmf(k2, m, q)
    first, second = wilson_limits(k1, n1, Z), wilson_limits(k2, n2, Z)
    some = k2 > 0  # a ratio to a rate of 0 is shown as undefined, with everything possible
    tests = ratio_limits(k1[some], n1[some], k2[some], n2[some], Z)
    with np.errstate(divide="ignore", invalid="ignore"):
        judged = Estimates(*(bound[some] for bound in mover_ratio(first, second)))
    return (
        holding(mover_difference(first, second), p - q, chance),
        holding(gap_limits(k1, n1, k2, n2, Z), p - q, chance),
        holding(difference_limits(k1, n1, k2, n2, Z), p - q, chance),
        holding(judged, p / q, chance[some]),
        holding(tests, p / q, chance[some]),
    )


def likely(n: int, p: float) -> NDArray[np.float64]:
    """The counts that have a chance worth counting."""
    k = np.arange(n + 1.0)
    return np.asarray(k[binom.pmf(k, n, p) > 1e-9])


def holding(found: Estimates, truth: float, chance: NDArray[np.float64]) -> float:
    return float(chance[(found.lower <= truth) & (truth <= found.upper)].sum() / chance.sum())
