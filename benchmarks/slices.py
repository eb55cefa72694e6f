"""The search for slices: what it finds of what was planted, what it invents, and its cost.

20,000 rows, 8 columns of 2 to 8 levels, error rate 0.10; planted is one conjunction of 1, 2 or 3 columns that holds at
least 1 % of the rows, with error rate 0.18, 0.30 or 0.35. Found: Jaccard index of the rows at least 0.8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.stats import SliceSearch, find_slices
from benchmarks._figures import Result, cpu_seconds, result

ROWS, TIMES = 20_000, 200
RATES = {1: 0.18, 2: 0.30, 3: 0.35}
Codes = NDArray[np.int64]


def main() -> Result:
    rng = np.random.default_rng(11)
    figures: dict[str, float] = {}
    for order, rate in RATES.items():
        figures[f"share of planted slices of order {order} found"] = float(
            np.mean([finds(rng, order, rate) for _ in range(TIMES)])
        )
    figures["share of data without a slice where one is found"] = float(
        np.mean([bool(search(*table(rng)[:2], rng.random(ROWS) < 0.1).found) for _ in range(TIMES)])
    )
    columns, sizes, _ = table(rng)
    wrong = rng.random(ROWS) < 0.1
    figures["20k rows x 8 columns, depth 3, CPU s"] = cpu_seconds(lambda: search(columns, sizes, wrong), 5)
    targets = {name: ">= 0.95" for name in figures if name.startswith("share of planted")} | {
        "share of data without a slice where one is found": "<= 0.05",
        "20k rows x 8 columns, depth 3, CPU s": "<= 0.1",
    }
    return result("slices", figures, targets)


def table(rng: np.random.Generator) -> tuple[list[Codes], list[int], dict[int, int]]:
    """Columns, their sizes, and one level of each in random order."""
    sizes = rng.integers(2, 9, 8).tolist()
    columns = [rng.integers(0, size, ROWS) for size in sizes]
    order = rng.permutation(8).tolist()
    return columns, sizes, {i: int(rng.integers(sizes[i])) for i in order}


def search(columns: list[Codes], sizes: list[int], wrong: NDArray[np.bool_]) -> SliceSearch:
    return find_slices(columns, sizes, wrong, depth=3)


def finds(rng: np.random.Generator, order: int, rate: float) -> bool:
    while True:
        columns, sizes, levels = table(rng)
        rule = list(levels.items())[:order]
        inside = rows(columns, tuple(rule))
        if inside.sum() >= ROWS / 100:
            break
    found = search(columns, sizes, rng.random(ROWS) < np.where(inside, rate, 0.1)).found
    overlaps = [rows(columns, one.rule) for one in found]
    return any((inside & other).sum() >= 0.8 * (inside | other).sum() for other in overlaps)


def rows(columns: list[Codes], rule: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_and.reduce([columns[i] == level for i, level in rule]))
