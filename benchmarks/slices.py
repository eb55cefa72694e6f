"""The search for slices: what it finds of what was planted, what it invents, and its cost.

20,000 rows, 8 columns of 2 to 8 levels, error rate 0.10; planted is one conjunction of 1, 2 or 3 columns that holds at
least 1 % of the rows, with error rate 0.18, 0.30 or 0.35. Found: Jaccard index of the rows at least 0.8.

The same with lognormal weights and with clusters of about ten rows that err alike (intra-cluster correlation 0.2); and
2,000 rows of ten kinds that only their embeddings tell apart, one of them with error rate 0.30.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.inputs.embedding_clusters import clustered
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
    figures |= drawn_otherwise(rng) | embedded(rng)
    columns, sizes, _ = table(rng)
    wrong = rng.random(ROWS) < 0.1
    figures["20k rows x 8 columns, depth 3, CPU s"] = cpu_seconds(lambda: search(columns, sizes, wrong), 5)
    targets = {name: ">= 0.95" for name in figures if name.startswith("share of planted slices")} | {
        **{name: "<= 0.05" for name in figures if name.startswith("share of data without")},
        "share of planted kinds found in embeddings": ">= 0.9",
        "20k rows x 8 columns, depth 3, CPU s": "<= 0.1",
    }
    return result("slices", figures, targets)


def drawn_otherwise(rng: np.random.Generator) -> dict[str, float]:
    """Weighted and clustered rows without a slice where one is named all the same."""
    named = {"weights": 0, "clusters": 0, "clusters, taken for single rows": 0}
    for _ in range(TIMES):
        columns, sizes, _ = table(rng)
        weight, wrong = rng.lognormal(size=ROWS), rng.random(ROWS) < 0.1
        named["weights"] += bool(find_slices(columns, sizes, wrong, weight=weight).found)
        cluster = np.sort(rng.integers(0, ROWS // 10, ROWS)).astype(np.int32)
        alike = rng.random(ROWS) < rng.beta(0.4, 3.6, ROWS // 10)[cluster]
        by_cluster = [*columns[:4], *(rng.integers(0, size, ROWS // 10)[cluster] for size in sizes[4:])]
        named["clusters"] += bool(find_slices(by_cluster, sizes, alike, cluster=cluster).found)
        named["clusters, taken for single rows"] += bool(find_slices(by_cluster, sizes, alike).found)
    naive = named.pop("clusters, taken for single rows")
    found = {f"share of data without a slice where one is found, {how}": k / TIMES for how, k in named.items()}
    return found | {"the same where clusters are taken for single rows": naive / TIMES}


def embedded(rng: np.random.Generator) -> dict[str, float]:
    """Ten kinds of rows in 16 dimensions: is the kind that errs more named, and is one named where none does?"""
    found = named = 0
    for time in range(TIMES // 2):
        kind = rng.integers(0, 10, 2000)
        vectors = 3 * rng.normal(size=(10, 16))[kind] + rng.normal(size=(2000, 16))
        both = [clustered(vectors, time, fewer)[0] for fewer in (1, 2)]
        columns, sizes, inside = [one.codes for one in both], [len(one.levels) for one in both], kind == 0
        planted = find_slices(columns, sizes, rng.random(2000) < np.where(inside, 0.3, 0.1)).found
        other = np.logical_or.reduce([rows(columns, one.rule) for one in planted]) if planted else ~inside
        found += bool((inside & other).sum() >= 0.8 * (inside | other).sum())
        named += bool(find_slices(columns, sizes, rng.random(2000) < 0.1).found)
    return {
        "share of planted kinds found in embeddings": found / (TIMES // 2),
        "share of data without a slice where one is found, embeddings": named / (TIMES // 2),
    }


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


def rows(columns: Sequence[NDArray[np.integer[Any]]], rule: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_and.reduce([columns[i] == level for i, level in rule]))
