"""How often the intervals of explanations hold the truth.

Standard errors of Shapley values: a trained network of 12 columns, exact values from all 4,096 coalitions, 95 %
intervals at 1.96 standard errors over fresh draws of coalitions and permutations. Importances, rank intervals and the
waterfall of a group gap: rows drawn anew from distributions whose truth is known in closed form; rank intervals and the
waterfall hold for all columns at once.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from audit.attribution.disparity import gap
from audit.attribution.importance import mean_absolute, ranked
from audit.attribution.shapley import Plan, shapley_values
from audit.stats import interval
from benchmarks._figures import Result, result
from benchmarks.attribution_blackbox import COLUMNS, game, trained
from tests.checks.attribution.test_global_importance import draws, made

TIMES, ROWS, DRAWS, LEVEL, Z = 1000, 40, 60, 0.95, 1.959963984540054
SMALL = "mean |contribution|, n = 50"
PLANS = {
    "KernelSHAP on 102 coalitions": Plan(background=1, exact_columns=1, walks=2, fit=102),
    "KernelSHAP on 330 coalitions": Plan(background=1, exact_columns=1, walks=2, fit=330),
    "10 pairs of permutations": Plan(background=1, exact_columns=1, walks=10),
    "26 pairs of permutations": Plan(background=1, exact_columns=1, walks=26),
}


def main() -> Result:
    with threadpool_limits(1):
        torch.set_num_threads(1)
        shapley = {f"standard errors, {name}": share for name, share in standard_errors().items()}
        sizes = {f"mean |contribution|, n = {n}": importance(n) for n in (50, 200, 1000)}
        ranks = {f"rank intervals, n = {n}": rank_intervals(n) for n in (60, 200, 600)}
        waterfall = {f"waterfall of a group gap, n = {n}": gaps(n) for n in (150, 600)}
    held = shapley | {name: share for name, share in (sizes | waterfall).items() if name != SMALL}
    furthest = {"furthest of these from 95 %, n >= 150": max(abs(share - LEVEL) for share in held.values())}
    targets = dict.fromkeys(furthest, "<= 0.02") | {SMALL: ">= 0.92"} | dict.fromkeys(ranks, ">= 0.95")
    return result("attribution_coverage", shapley | sizes | waterfall | furthest | ranks, targets)


def standard_errors() -> dict[str, float]:
    """Share of the values of ROWS rows whose interval holds the exact one, over DRAWS draws of each plan."""
    module, X = trained()
    about = game(module, X[:ROWS], X.mean(axis=0, keepdims=True))
    every = Plan(background=1, exact_columns=COLUMNS, walks=2)
    exact = shapley_values(about, every, np.random.default_rng(0)).values
    found = {}
    for name, plan in PLANS.items():
        inside: list[NDArray[np.bool_]] = []
        for seed in range(DRAWS):
            estimate = shapley_values(about, plan, np.random.default_rng(seed))
            inside.append(np.abs(estimate.values - exact) <= Z * estimate.standard_errors)
        found[name] = float(np.mean(inside))
    return found


def importance(n: int) -> float:
    truth, inside = 2 * np.sqrt(2 / np.pi), []
    for seed in range(TIMES):
        found = interval(mean_absolute(made(draws(n, 3, seed)).overall, 1), LEVEL)
        inside.append(found.lower <= truth <= found.upper)
    return float(np.mean(inside))


def rank_intervals(n: int) -> float:
    """Five columns, two of which are nearly equal and two of which are."""
    spread, order, placed = np.array([3, 2.9, 1, 1, 0.2]), np.array([1, 2, 3, 3, 5]), []
    for seed in range(TIMES):
        rng = np.random.default_rng(seed)
        found = ranked(np.abs(rng.normal(size=(n, 5)) * spread), LEVEL, rng)
        placed.append(((found.best <= order) & (order <= found.worst)).all())
    return float(np.mean(placed))


def gaps(n: int) -> float:
    """Six skewed columns, whose means differ between a group of 40 % and the others."""
    group, truth, inside = np.arange(n) < 0.4 * n, np.arange(6) * 0.3, []
    for seed in range(TIMES):
        rng = np.random.default_rng(seed)
        phi = np.exp(rng.normal(size=(n, 6)) * 0.5) + np.outer(group, truth)
        found = gap(phi, group, LEVEL, seed)
        inside.append(((found.lower <= truth) & (truth <= found.upper)).all())
    return float(np.mean(inside))
