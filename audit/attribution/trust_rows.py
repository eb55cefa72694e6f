"""Trust in the contributions of a table's rows: T4 row by row, and T8, how far the questions lie from the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.counting import count
from audit.data import Columns
from audit.errors import Unavailable
from audit.models import Model
from audit.results import Basis, Scalar

from .hybrids import Hybrids
from .players import Players
from .scalar import explained_scalar
from .trust_manifold import manifold_gap

Floats = NDArray[np.float64]

COVERS = 16
BACKGROUND_ROWS = 10
FEWEST_COLUMNS = 3
MOST_LEVELS = 8  # of a category that get a number of their own


def row_faithfulness(
    model: Model,
    rows: Columns,
    values: Floats,
    background: Columns,
    positive: Scalar | None,
    rng: np.random.Generator,
    players: Players | None = None,
) -> Floats:
    """Correlation (n,) of what the contributions (n, d) say was taken away with the fall of the output.

    Half of the ``players`` (default: of the columns) take the values of background rows, 16 times; NaN where the output
    does not move. Unavailable for fewer than three of them, whose halves say nothing.
    """
    n, d = values.shape
    if d < FEWEST_COLUMNS:
        raise Unavailable("not_applicable", f"{count(d, 'column')}: too few to cover half of them", "nothing to do")
    some = {name: column[rng.permutation(len(column))[:BACKGROUND_ROWS]] for name, column in background.items()}
    game = Hybrids(explained_scalar(model, positive), rows, some, players)
    kept = rng.permuted(np.tile(np.arange(d) < d // 2, (n * COVERS, 1)), axis=1)
    row = np.repeat(np.arange(n), COVERS)
    pair, back = np.repeat(np.arange(len(row)), game.m), np.tile(np.arange(game.m), len(row))
    worth = game.values(row[pair], back, kept[pair]).reshape(n, COVERS, game.m).mean(axis=2)
    taken = ((~kept).astype(float).reshape(n, COVERS, d) * values[:, None, :]).sum(axis=2)
    return _correlation(taken, -worth)


def hybrid_gap(rows: Columns, rng: np.random.Generator, players: Players | None = None) -> Basis:
    """T8: the ROC AUC that tells rows in which half of the players come from another row from rows as they are."""
    table, owner = _owned(rows, players or Players.among(tuple(rows)))
    d = int(owner.max()) + 1
    if d < 2:
        raise Unavailable("not_applicable", "one column cannot be mixed with another", "nothing to do")
    order = rng.permutation(len(table))
    third = len(order) // 3
    real, first, second = table[order[:third]], table[order[third : 2 * third]], table[order[2 * third : 3 * third]]
    mixed = rng.permuted(np.tile(np.arange(d) < d // 2, (third, 1)), axis=1)[:, owner]
    return manifold_gap(real, np.where(mixed, first, second), rng)


def _owned(rows: Columns, players: Players) -> tuple[Floats, NDArray[np.int64]]:
    """The numbers of all columns, (n, t), and the player of each, numbered anew where a column holds no numbers."""
    parts = [(_numbers(rows[name]), j) for name, j in zip(rows, players.of.tolist(), strict=True) if _flat(rows[name])]
    if not parts:
        raise _no_numbers()
    place = np.unique([j for _, j in parts], return_inverse=True)[1].reshape(-1)
    return np.column_stack([part for part, _ in parts]), np.repeat(place, [part.shape[1] for part, _ in parts])


def numeric(rows: Columns) -> Floats:
    """Numbers as they are (missing: the mean), categories and text as one number for each frequent value."""
    parts = [_numbers(column) for column in rows.values() if _flat(column)]
    if not parts:
        raise _no_numbers()
    return np.column_stack(parts)


def _flat(column: NDArray[Any]) -> bool:
    return column.ndim == 1


def _no_numbers() -> Unavailable:
    return Unavailable("not_applicable", "no column holds numbers or categories", "nothing to do")


def _numbers(column: NDArray[Any]) -> Floats:
    if column.dtype.kind in "biuf":
        values = column.astype(np.float64)
        known = np.isfinite(values)
        return np.where(known, values, values[known].mean() if known.any() else 0.0)[:, None]
    words = np.array([str(value) for value in column.tolist()])
    levels, counts = np.unique(words, return_counts=True)
    frequent = levels[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]
    return np.asarray(words[:, None] == frequent[None, :], dtype=np.float64)


def _correlation(first: Floats, second: Floats) -> Floats:
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (first, second))
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray(np.divide((a * b).sum(axis=1), size, out=np.full(len(a), np.nan), where=size > 1e-12))
