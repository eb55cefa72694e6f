"""A table's features as numbers: one a column to bin by, and a design matrix to foresee the group from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.data import Dataset

from .players import Players, sensitive_apart

Floats = NDArray[np.float64]

MOST_LEVELS = 10  # of a category, the most frequent ones


def as_numbers(data: Dataset) -> Floats:
    """Shape (n, d): a number's value, a category's code, 0 for pictures and the like; NaN where missing or infinite."""
    return np.column_stack([_as_number(data, name) for name in data.roles.features])


def own_numbers(data: Dataset) -> list[Floats]:
    """For each player of a comparison of groups the numbers (n, members) that its contributions are about."""
    numbers, players = as_numbers(data), Players.in_data(sensitive_apart(data))
    return [numbers[:, players.places(j)] for j in range(len(players.names))]


def same_attribute(data: Dataset, columns: tuple[str, ...]) -> tuple[str, ...]:
    """These sensitive columns with all that are grouped with them as one attribute, as its one-hot columns are."""
    players = Players.in_data(sensitive_apart(data))
    named = {name: players.members(name) for name in players.names}
    return tuple({c: None for own in [columns, *named.values()] if set(own) & set(columns) for c in own})


def _as_number(data: Dataset, name: str) -> Floats:
    kind = data.column(name).kind
    if kind == "number":
        values = data.numbers(name)
        return np.where(np.isfinite(values), values, np.nan)
    if kind != "category":
        return np.zeros(data.n)
    codes = data.codes(name)
    return np.where(np.array([level is None for level in codes.levels])[codes.codes], np.nan, codes.codes)


def propensity_design(data: Dataset, without: tuple[str, ...]) -> Floats:
    """Shape (n, t): all features but these; numbers with their squares and a flag for missing ones, categories one-hot.

    Squares, because groups that differ in spread alone differ in their inputs too.
    """
    parts = [part for name in data.roles.features if name not in without for part in _parts(data, name)]
    return np.column_stack(parts) if parts else np.zeros((data.n, 0))


def _parts(data: Dataset, name: str) -> list[Floats]:
    kind = data.column(name).kind
    if kind == "number":
        values = data.numbers(name)
        missing = ~np.isfinite(values)
        known = values[~missing]
        spread = float(known.std()) if len(known) else 0.0
        scaled = np.where(missing, 0.0, (values - known.mean()) / spread) if spread > 0 else np.zeros(data.n)
        return [scaled, scaled**2, *([missing.astype(np.float64)] if missing.any() else [])]
    if kind != "category":
        return []
    codes = data.codes(name).codes
    frequent = np.argsort(-np.bincount(codes), kind="stable")[:MOST_LEVELS]
    return [(codes == level).astype(np.float64) for level in frequent.tolist()[1:]]
