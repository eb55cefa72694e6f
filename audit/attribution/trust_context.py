"""T8, of the model: does a column matter as much where rows are mixed as where they are real?

A model can be built to judge real rows by one column and mixed ones, such as explanations ask about, by another (Slack
et al., "Fooling LIME and SHAP", AIES 2020). Here each column takes the value of a near neighbour, once in the real row
and once, with the same two values, in a row whose other columns are mixed. How much the answer moves, summed over rows
and divided by that of all columns, is the column's share of influence; the statistic is the total variation distance
of the two sets of shares: 0 where the company of a column does not matter, 1 where other columns decide. Columns that
are explained as one take the values of one neighbour together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import normal

from .players import Players
from .scalar import Explained
from .trust_rows import numeric

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

PROBED, NEIGHBOURS, FEWEST = 300, 20, 60
MOST_COLUMNS = 40  # of a wide table, drawn at random


def context_shift(
    explained: Explained, rows: Columns, rng: np.random.Generator, players: Players | None = None
) -> Basis:
    """Total variation distance of the shares of influence, with the standard error of the delta method over rows.

    ``rows`` are real rows; up to 300 of them are probed. Unavailable for fewer than 60 rows or two columns, and where
    nothing moves the model.
    """
    flat = {name: column for name, column in rows.items() if column.ndim == 1}
    n = len(next(iter(rows.values())))
    players = players or Players.among(tuple(rows))
    whole = [name for name in players.names if set(players.members(name)) <= set(flat)]
    if len(whole) < 2:
        raise Unavailable("not_applicable", "one column cannot be mixed with another", "nothing to do")
    if n < FEWEST:
        raise Unavailable("insufficient_data", f"too few rows to have near neighbours: {n}", f"give at least {FEWEST}")
    names = [whole[j] for j in np.sort(rng.permutation(len(whole))[:MOST_COLUMNS])]
    probed = rng.permutation(n)[:PROBED]
    first, second = rng.integers(0, n, (2, len(probed)))
    d = len(players.names)
    from_first = rng.permuted(np.tile(np.arange(d) < d // 2, (len(probed), 1)), axis=1)[:, players.of]
    mixed = {name: _where(from_first[:, j], rows[name][first], rows[name][second]) for j, name in enumerate(rows)}
    real = {name: column[probed] for name, column in rows.items()}
    answers = _Answers(explained, real)
    apart = {name: _distances(values, probed) for name, values in flat.items()}
    near, far = (np.empty((len(probed), len(names))) for _ in range(2))
    for j, name in enumerate(names):
        own = players.members(name)
        at = _neighbour({column: flat[column] for column in own}, apart, probed, rng)
        other, kept = {c: rows[c][at] for c in own}, {c: real[c] for c in own}
        near[:, j] = np.abs(answers.of(real | other) - answers.real)
        far[:, j] = np.abs(answers.of(mixed | other) - answers.of(mixed | kept))
    return _distance(near, far)


class _Answers:
    """Ranks of the explained scalar among those of the real rows, each row's for the class that it is explained by."""

    def __init__(self, explained: Explained, real: Columns) -> None:
        self.explained = explained
        outputs = explained.function(real)
        self.targets = explained.targets(outputs)
        self.usual = np.sort(outputs[np.arange(len(outputs)), self.targets])
        self.real = self.of(real)

    def of(self, columns: Columns) -> Floats:
        outputs = self.explained.function(columns)
        found = outputs[np.arange(len(outputs)), self.targets]
        sides = (np.searchsorted(self.usual, found, side=side) for side in ("left", "right"))
        return np.asarray(sum(sides) / (2 * len(self.usual)))


def _distances(column: NDArray[Any], probed: Places) -> Floats:
    """Squared distance (probed, n) of one column, in its own standard deviations."""
    block = numeric({"": column})
    block = block / np.where(block.std(axis=0) > 0, block.std(axis=0), 1.0)
    return np.asarray(sum((part[probed, None] - part[None, :]) ** 2 for part in block.T))


def _neighbour(own: Columns, apart: Mapping[str, Floats], probed: Places, rng: np.random.Generator) -> Places:
    """For each probed row one of the 20 rows that are nearest in the other columns and hold another value here."""
    away = np.add.reduce([far for other, far in apart.items() if other not in own])
    same = np.logical_and.reduce([column[probed][:, None] == column[None, :] for column in own.values()])
    away = np.where(same, np.inf, away)
    most = min(NEIGHBOURS, away.shape[1])
    near = np.argpartition(away, most - 1, axis=1)[:, :most]
    chosen = near[np.arange(len(probed)), rng.integers(0, most, len(probed))]
    # without a row of another value the column keeps its own, and moves nothing
    return np.where(np.isfinite(away[np.arange(len(probed)), chosen]), chosen, probed)


def _where(first: NDArray[np.bool_], yes: NDArray[Any], no: NDArray[Any]) -> NDArray[Any]:
    return np.where(first.reshape(-1, *[1] * (yes.ndim - 1)), yes, no)


def _distance(near: Floats, far: Floats) -> Basis:
    sums = near.sum(axis=0), far.sum(axis=0)
    n = len(near)
    if not sums[0].sum() and not sums[1].sum():
        raise Unavailable("undefined", "no column moves the model's answer", "check that the model uses its columns")
    if not sums[0].sum() or not sums[1].sum():
        return normal(1.0, 0.0, n=n)  # it answers on one side only
    shares = [total / total.sum() for total in sums]
    sign = np.sign(shares[0] - shares[1])
    parts = [
        (moved - share * moved.sum(axis=1, keepdims=True)) @ sign / moved.sum(axis=1).mean()
        for moved, share in zip((near, far), shares, strict=True)
    ]
    error = (parts[0] - parts[1]).std(ddof=1) / 2 / np.sqrt(n)
    return normal(float(np.abs(shares[0] - shares[1]).sum() / 2), float(error), df=n - 1, n=n)
