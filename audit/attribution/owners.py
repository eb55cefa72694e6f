"""Which of the user's columns each column of a model's design matrix is made of, found by changing one at a time.

Columns of a group are changed together, so that a group may be mixed within itself, as by its principal components.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import Unavailable
from audit.models.base import LinearModel, TreeEnsemble
from audit.stats import generator

from .players import Players

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PROBED_ROWS = 400
MIXTURES = 256


def owners(
    model: TreeEnsemble | LinearModel, columns: Columns, design: Floats, seed: int, players: Players
) -> Integers:
    """For each design column the place of its player (0 for a constant one), shape (t,).

    ``design`` is that of ``columns``. Unavailable (not_applicable) when several players are mixed into one, as by
    principal components or imputation from neighbours.
    """
    if model.plain:
        return players.of[np.arange(design.shape[1])]
    n = len(design)
    some = np.unique(np.linspace(0, n - 1, min(n, PROBED_ROWS)).astype(int))
    changed = _changed(model, columns, design, some, players)
    if (_varies(design) & ~changed.any(axis=0)).any():  # a rare category was not among the rows that were tried
        changed = _changed(model, columns, design, np.arange(n), players)
    if (changed.sum(axis=0) > 1).any():
        raise _mixes()
    owner = changed.argmax(axis=0)
    _require_separable(model, columns, design, owner, seed, players)
    return np.asarray(owner, dtype=np.int64)


def _changed(
    model: TreeEnsemble | LinearModel, columns: Columns, design: Floats, rows: Integers, players: Players
) -> NDArray[np.bool_]:
    """Shape (d, t): which design columns differ anywhere when one player takes the values of the row before."""
    some, own = {name: values[rows] for name, values in columns.items()}, design[rows]
    found = []
    for name in players.names:
        rolled = {column: np.roll(some[column], 1, axis=0) for column in players.members(name)}
        other = model.design({**some, **rolled})
        if other.shape != own.shape:
            raise _mixes()
        found.append((_differ(other, own)).any(axis=0))
    return np.array(found)


def _require_separable(
    model: TreeEnsemble | LinearModel,
    columns: Columns,
    design: Floats,
    owner: Integers,
    seed: int,
    players: Players,
) -> None:
    """Random mixtures of rows must encode to the mixture of their encodings: the guard of all the above."""
    draw = generator(seed, "attribution.owners")
    source = draw.integers(0, len(design), (MIXTURES, len(players.names)))
    places = zip(columns.items(), players.of.tolist(), strict=True)
    mixed = model.design({name: values[source[:, j]] for (name, values), j in places})
    expected = np.take_along_axis(design, source[:, owner], axis=0)
    if mixed.shape != expected.shape or _differ(mixed, expected).any():
        raise _mixes()


def _varies(design: Floats) -> NDArray[np.bool_]:
    return np.asarray(_differ(design, design[:1]).any(axis=0))


def _differ(first: Floats, second: Floats) -> NDArray[np.bool_]:
    return np.asarray((first != second) & ~(np.isnan(first) & np.isnan(second)))


def _mixes() -> Unavailable:
    return Unavailable(
        "not_applicable",
        "its preprocessing mixes several columns into one number",
        "nothing to do: it is explained as a black box",
    )
