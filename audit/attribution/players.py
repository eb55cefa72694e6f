"""Who contributions are given to: the user's columns, or groups of them that come and go together.

A group is one player: its Shapley value is that of the quotient game (Owen 1977), which is not the sum over its columns
where these interact with others. For linear models and integrated gradients it is that sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.data import Dataset
from audit.data.dataset import FeatureGroup
from audit.errors import nearest

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Players:
    """``names`` (p,) of the players, each where its first column stands; ``of`` (d,) is the player of each column."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    of: Integers
    groups: Mapping[str, tuple[str, ...]]

    @classmethod
    def among(cls, columns: Sequence[str], groups: Sequence[FeatureGroup] = ()) -> Players:
        """The columns, those of a group together."""
        owner = {column: group.name for group in groups for column in group.columns}
        called = [owner.get(column, column) for column in columns]
        names = tuple(dict.fromkeys(called))
        place = {name: j for j, name in enumerate(names)}
        return cls(
            names=names,
            columns=tuple(columns),
            of=np.array([place[name] for name in called], dtype=np.int64),
            groups={g.name: own for g in groups if (own := tuple(c for c in columns if owner.get(c) == g.name))},
        )

    @classmethod
    def in_data(cls, data: Dataset) -> Players:
        """The features of ``data`` in the groups of its roles."""
        return cls.among(data.roles.features, data.roles.feature_groups)

    def members(self, name: str) -> tuple[str, ...]:
        """The columns of a player."""
        return self.groups.get(name, (name,))

    def places(self, player: int) -> list[int]:
        """Where the columns of a player stand."""
        return [int(j) for j in np.flatnonzero(self.of == player)]


def unknown(name: str, names: Sequence[str], groups: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """What to say of a name that is none of the players, and what to do."""
    group = next((group for group, columns in groups.items() if name in columns), "")
    if group:
        return f'"{name}" is explained within the group "{group}"', f'name "{group}", or take the column out of it'
    return f'"{name}" is no feature of the model{nearest(name, names)}', "name one of its features"


def sensitive_apart(data: Dataset) -> Dataset:
    """``data`` in which a sensitive column is explained by itself, and what is left of its group together.

    A group that holds sensitive columns alone is itself the sensitive attribute, and stays whole.
    """
    sensitive = set(data.roles.groups)
    kept = []
    for group in data.roles.feature_groups:
        rest = tuple(column for column in group.columns if column not in sensitive)
        if len(rest) in {0, len(group.columns)}:
            kept.append(group)
        elif len(rest) > 1:
            kept.append(replace(group, columns=rest))
    return replace(data, roles=replace(data.roles, feature_groups=tuple(kept)))


def sensitive_players(data: Dataset) -> tuple[str, ...]:
    """The players of :func:`sensitive_apart` that are sensitive columns."""
    players = Players.in_data(sensitive_apart(data))
    return tuple(name for name in players.names if set(players.members(name)) <= set(data.roles.groups))
