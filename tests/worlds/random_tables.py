"""Random tables with groups, missing values and known structure, and a slow way to find the rows of a group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from tests.worlds.tables import make_case

Cells = dict[str, NDArray[Any]]
CLASSES = ("ant", "bee", "cat")


def groups_of(rng: np.random.Generator, n: int) -> Cells:
    """race with missing values and a rare level, sex without."""
    race = rng.choice(np.array(["black", "white", "other", None], dtype=object), n, p=[0.35, 0.45, 0.08, 0.12])
    return {"race": race, "sex": rng.choice(np.array(["f", "m"], dtype=object), n)}


def binary_cells(seed: int, n: int = 400) -> Cells:
    """Labels 0/1 with some missing, and probabilities with ties and some NaN."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n).astype(object)
    s = np.clip(rng.normal(0.35 + 0.3 * (y == 1), 0.25), 0, 1).round(2)
    y[rng.random(n) < 0.05] = None
    s[rng.random(n) < 0.03] = np.nan
    return {**groups_of(rng, n), "y": y, "s": s}


def binary_case(cells: Mapping[str, Any], **more: Any) -> Case:
    return make_case(cells, target="y", positive=1, score="s", groups=("race", "sex"), **more)


def multiclass_cells(seed: int, n: int = 500) -> Cells:
    """Three classes, labels with some missing, one column of probability a class."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, n)
    raw = rng.gamma(1.0, size=(n, 3))
    raw[np.arange(n), label] += rng.gamma(2.0, size=n)
    p = raw / raw.sum(axis=1, keepdims=True)
    y = np.array(CLASSES, dtype=object)[label]
    y[rng.random(n) < 0.05] = None
    return {**groups_of(rng, n), "y": y, **{f"p_{name}": p[:, k] for k, name in enumerate(CLASSES)}}


def multiclass_case(cells: Mapping[str, Any], **more: Any) -> Case:
    return make_case(cells, target="y", scores=[f"p_{name}" for name in CLASSES], groups=("race", "sex"), **more)


LABELS = ("fog", "ice", "sun")


def multilabel_cells(seed: int, n: int = 400) -> Cells:
    """Three labels 0/1 that go together, each missing in some rows, a probability of each, and two features."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    cells: Cells = {**groups_of(rng, n), "x": x, "z": z}
    for k, name in enumerate(LABELS):
        p = 1 / (1 + np.exp(-((-1) ** k * x + z / 2 - 0.5 * k)))
        y = (rng.random(n) < p).astype(int).astype(object)
        y[rng.random(n) < 0.06] = None
        cells |= {name: y, f"p_{name}": np.clip(p + rng.normal(0, 0.15, n), 0, 1).round(2)}
    cells["p_ice"][rng.random(n) < 0.03] = np.nan
    return cells


def multilabel_case(cells: Mapping[str, Any], **more: Any) -> Case:
    given = {"scores": [f"p_{name}" for name in LABELS]} if "model" not in more else {}
    return make_case(cells, target=LABELS, groups=("race", "sex"), features=["x", "z"], **{**given, **more})


def shuffled(cells: Cells, seed: int) -> Cells:
    order = np.random.default_rng(seed).permutation(len(next(iter(cells.values()))))
    return {name: values[order] for name, values in cells.items()}


def slices(cells: Cells) -> Iterator[tuple[dict[str, str | None], NDArray[np.bool_]]]:
    """All rows, and each group of race, sex and their crossing, found by comparing cell with cell."""
    n = len(cells["race"])
    yield {}, np.ones(n, dtype=bool)
    for size in (1, 2):
        for columns in combinations(("race", "sex"), size):
            seen = sorted({tuple(cells[c][i] for c in columns) for i in range(n)}, key=str)
            for levels in seen:
                mask = [all(cells[c][i] == v for c, v in zip(columns, levels, strict=True)) for i in range(n)]
                yield dict(zip(columns, levels, strict=True)), np.array(mask)
