"""How much of an output each modality makes: exact Shapley values over the kinds of input.

A coalition of modalities keeps their columns of the row; the others come together from one background row, so that a
picture is never mixed with another (Shapley 1953; SHAP's marginal value function). 2^m values a row and background row.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from audit.counting import count
from audit.data import Columns, Dataset
from audit.errors import Unavailable
from audit.models import Model
from audit.results import Scalar

from .hybrids import Hybrids
from .scalar import explained_scalar

Floats = NDArray[np.float64]

MOST = 6
ROUNDING = 1e-12  # what is smaller is no movement of the output
ALONE = ("image", "audio", "series", "text")  # each such column is a modality; numbers and categories are one


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityValues:
    """``values`` (n, m) add up to output less base in every row; ``names`` says which columns each stands for."""

    names: tuple[str, ...]
    values: Floats
    scalar: str
    background: int

    @property
    def shares(self) -> Floats:
        """Each modality's part of all that the row's modalities moved, (n, m); NaN where nothing moved."""
        size = np.abs(self.values).sum(axis=1, keepdims=True)
        return np.asarray(
            np.divide(np.abs(self.values), size, out=np.full(self.values.shape, np.nan), where=size > ROUNDING)
        )


def modality_values(model: Model, data: Dataset, background: Columns, positive: Scalar | None) -> ModalityValues:
    """For every row of ``data`` over all background rows. Unavailable for one modality or more than six."""
    members = modalities(data)
    m = len(members)
    if not 2 <= m <= MOST:
        what = f"the model reads {count(m, 'modality', 'modalities')}, shares need 2 to {MOST}"
        raise Unavailable("not_applicable", what, "nothing to do")
    game = Hybrids(explained_scalar(model, positive), data.features, background)
    column = np.array([[name in names for name in game.names] for names in members.values()])
    coalitions = (np.arange(2**m)[:, None] >> np.arange(m)[None, :]) & 1 == 1
    kept = (coalitions[:, :, None] & column[None, :, :]).any(axis=1)
    pairs = np.arange(game.n * game.m)
    worth = np.empty((game.n, 2**m))
    for i, columns in enumerate(kept):
        mixtures = np.broadcast_to(columns, (len(pairs), len(columns)))
        worth[:, i] = game.values(pairs // game.m, pairs % game.m, mixtures).reshape(game.n, game.m).mean(axis=1)
    return ModalityValues(
        names=tuple(members), values=worth @ shapley_weights(coalitions), scalar=game.explained.words, background=game.m
    )


def modalities(data: Dataset) -> dict[str, tuple[str, ...]]:
    """Name of each modality and its feature columns: ``scan``, ``note``, and ``table`` for numbers and categories."""
    features = data.roles.features
    alone = {name: (name,) for name in features if data.column(name).kind in ALONE}
    rest = tuple(name for name in features if name not in alone)
    return {**alone, **({"table" if "table" not in alone else "other columns": rest} if rest else {})}


def shapley_weights(coalitions: NDArray[np.bool_]) -> Floats:
    """The matrix (2^m, m) that turns the values of all coalitions (2^m, m) into Shapley values."""
    m = coalitions.shape[1]
    size = coalitions.sum(axis=1)
    joins = np.array([factorial(s - 1) * factorial(m - s) / factorial(m) if s else 0.0 for s in size])
    stays = np.array([factorial(s) * factorial(m - s - 1) / factorial(m) if s < m else 0.0 for s in size])
    return np.where(coalitions, joins[:, None], -stays[:, None])
