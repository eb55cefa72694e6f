"""How often the 95 % interval of a difference between two models on the same rows holds the truth.

Rates are exact: every table of gained and lost rows that has a chance above 1e-12 is worked out. Areas under the ROC
curve and predictive values are simulated with fixed seeds, 48 cells of 1,000 draws each, so that of cells that truly
hold 0.95 some show 0.935.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.stats import multinomial, norm

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import paired_auc, paired_difference, paired_predictive_value
from audit.stats.bases import evaluate
from benchmarks._figures import Result, result

DRAWS = 1000
SIZES = (20, 50, 100)
TURNED = ((0.02, 0.02), (0.05, 0.05), (0.1, 0.02), (0.2, 0.1), (0.3, 0.3))  # gained and lost
AREAS = tuple(product((30, 60, 150, 600), (0.0, 0.5, 0.9, 0.99), ((0.75, 0.75), (0.9, 0.85), (0.97, 0.97))))
SELECTED = (
    (0.9, 0.05, 0.05),
    (0.99, 0.005, 0.005),
    (0.5, 0.3, 0.2),
    (0.05, 0.5, 0.45),
)  # by both, by one, by the other
TRUE = ((0.9, 0.5, 0.5), (0.97, 0.9, 0.6), (0.6, 0.6, 0.6), (0.99, 0.99, 0.99))
VALUES = tuple(product((30, 100, 400), SELECTED, TRUE))


def main() -> Result:
    cells = {
        "rates (Tango)": [of_rates(n, *turned) for n, turned in product(SIZES, TURNED)],
        "areas (paired MOVER)": [of_areas(*cell) for cell in AREAS],
        "predictive values (paired MOVER)": [of_values(*cell) for cell in VALUES],
    }
    figures: dict[str, float] = {}
    for kind, shares in cells.items():
        figures[f"{kind}: mean coverage"] = float(np.mean(shares))
        figures[f"{kind}: least coverage"] = float(min(shares))
    return result("coverage_paired", figures, {f"{kind}: least coverage": ">= 0.93" for kind in cells})


def of_rates(n: int, gained: float, lost: float) -> float:
    """Exact: over every number of gained and lost rows."""
    b, c = (grid.ravel() for grid in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
    fits = b + c <= n
    counts = np.stack([b[fits], c[fits], n - b[fits] - c[fits]], axis=1)
    chance = np.asarray(multinomial.pmf(counts, n, [gained, lost, 1 - gained - lost]))
    likely = chance > 1e-12
    found = evaluate([paired_difference(rest, b, c, 0) for b, c, rest in counts[likely].tolist()], 0.025)
    truth = gained - lost
    return float(chance[likely][(found.lower <= truth) & (truth <= found.upper)].sum())


def of_areas(n: int, correlation: float, areas: tuple[float, float]) -> float:
    """Normal scores of a third of positives, shifted so that each model has its area."""
    shift = np.sqrt(2) * norm.ppf(areas)
    truth = np.arange(n) < n // 3
    root = np.linalg.cholesky([[1, correlation], [correlation, 1]])

    def draw(rng: np.random.Generator) -> Basis:
        scores = rng.normal(size=(n, 2)) @ root.T + truth[:, None] * shift
        return paired_auc(scores[:, 0], scores[:, 1], truth)

    return simulated(draw, areas[0] - areas[1])


def of_values(n: int, chances: tuple[float, ...], true: tuple[float, ...]) -> float:
    """Rows that both models select, or one of them, each kind with its own share of true rows."""
    weight, share = np.array(chances), np.array(true)
    first, second = (float(w @ share / w.sum()) for w in (weight * [1, 1, 0], weight * [1, 0, 1]))

    def draw(rng: np.random.Generator) -> Basis:
        kind = rng.choice(3, n, p=weight)
        return paired_predictive_value(rng.random(n) < share[kind], kind < 2, kind != 1)

    return simulated(draw, first - second)


def simulated(draw: Callable[[np.random.Generator], Basis], truth: float) -> float:
    """Share of the draws whose interval holds the truth; a draw without a value does not count."""
    rng = np.random.default_rng(1)
    bases = []
    for _ in range(DRAWS):
        try:
            bases.append(draw(rng))
        except Unavailable:
            continue
    found = evaluate(bases, 0.025)
    return float(np.mean((found.lower <= truth) & (truth <= found.upper)))
