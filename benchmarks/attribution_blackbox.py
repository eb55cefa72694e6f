"""Shapley values of a cheap black box over one baseline and 12 columns, against Captum's KernelShap.

The model is a network of 12-64-64-1 on one thread, given to us as a function of columns. The error is the mean over
rows of sum |estimate - exact| / sum |exact|, exact values from all 4,096 coalitions.
"""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import KernelShap
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from audit.attribution.hybrids import Hybrids
from audit.attribution.scalar import Explained
from audit.attribution.shapley import Plan, shapley_values
from audit.data import Columns
from benchmarks._figures import Result, cpu_seconds, result

COLUMNS, ROWS, EXACT_ROWS, PEER_ROWS, EVALUATIONS, PEER_EVALUATIONS = 12, 4000, 200, 12, 290, 400

TARGETS = {
    "our error": "<= 0.03",
    "our rows a CPU second": ">= 8000",
    "times Captum's rows a second": ">= 100",
}


def main() -> Result:
    with threadpool_limits(1):
        torch.set_num_threads(1)
        module, X = trained()
        baseline, few = X.mean(axis=0, keepdims=True), X[:PEER_ROWS]
        sampled = Plan.within(EVALUATIONS, columns=COLUMNS, background=1)
        all_coalitions = Plan(background=1, exact_columns=COLUMNS, walks=2)
        exact = values(module, X[:EXACT_ROWS], baseline, all_coalitions)
        ours = ROWS / cpu_seconds(lambda: values(module, X, baseline, sampled))
        theirs = PEER_ROWS / cpu_seconds(lambda: captum_values(module, few, baseline))
        figures = {
            "our error": error(values(module, X[:EXACT_ROWS], baseline, sampled), exact),
            "our rows a CPU second": ours,
            "all coalitions, rows a CPU second": EXACT_ROWS
            / cpu_seconds(lambda: values(module, X[:EXACT_ROWS], baseline, all_coalitions)),
            "Captum's error": error(captum_values(module, few, baseline), exact[:PEER_ROWS]),
            "Captum's rows a CPU second": theirs,
            "times Captum's rows a second": ours / theirs,
        }
        return result("attribution_blackbox", figures, TARGETS)


def trained() -> tuple[torch.nn.Module, NDArray[np.float32]]:
    """A network that has learnt interactions, and rows to explain against their mean."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS)).astype(np.float32)
    y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3] * X[:, 4] + X[:, 6:] @ rng.normal(size=6) * 0.5 > 0
    layers = [torch.nn.Linear(COLUMNS, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU()]
    module = torch.nn.Sequential(*layers, torch.nn.Linear(64, 1))
    inputs, target = torch.from_numpy(X), torch.from_numpy(y.astype(np.float32))
    optimiser = torch.optim.Adam(module.parameters(), 1e-3)
    for _ in range(30):
        for start in range(0, ROWS, 128):
            optimiser.zero_grad()
            logits = module(inputs[start : start + 128])[:, 0]
            torch.nn.functional.binary_cross_entropy_with_logits(logits, target[start : start + 128]).backward()
            optimiser.step()
    return module.eval(), X


def game(module: torch.nn.Module, X: NDArray[np.float32], baseline: NDArray[np.float32]) -> Hybrids:
    def function(columns: Columns) -> NDArray[np.float64]:
        table = np.stack(list(columns.values()))
        with torch.inference_mode():
            return module(torch.from_numpy(table).T).numpy().astype(np.float64)

    explained = Explained(function=function, classes=("",), words="the logit", unit="logit")
    return Hybrids(explained, _columns(X), _columns(baseline))


def _columns(X: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return {f"x{j}": np.ascontiguousarray(X[:, j]) for j in range(COLUMNS)}


def values(
    module: torch.nn.Module, X: NDArray[np.float32], baseline: NDArray[np.float32], plan: Plan
) -> NDArray[np.float64]:
    return shapley_values(game(module, X, baseline), plan, np.random.default_rng(0)).values


def captum_values(
    module: torch.nn.Module, X: NDArray[np.float32], baseline: NDArray[np.float32]
) -> NDArray[np.float64]:
    torch.manual_seed(0)
    found = KernelShap(module).attribute(
        torch.from_numpy(X),
        baselines=torch.from_numpy(baseline),
        n_samples=PEER_EVALUATIONS,
        perturbations_per_eval=PEER_EVALUATIONS,
    )
    return found.detach().numpy().astype(np.float64)


def error(found: NDArray[np.float64], exact: NDArray[np.float64]) -> float:
    return float((np.abs(found - exact).sum(axis=1) / np.abs(exact).sum(axis=1)).mean())
