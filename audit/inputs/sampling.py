"""How the rows were drawn: their weights, and the person, user or site that several of them belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.data import Dataset
from audit.errors import DataError, Unavailable
from audit.results import Basis
from audit.stats import clustered_mean, clustered_rate, mean, rate, weighted_mean, weighted_rate

REQUIRES: dict[str, object] = {}

Places = NDArray[np.intp]
Drawn = tuple[NDArray[np.float64], NDArray[np.int32] | None]
"""Weight and cluster of some rows."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Both have one entry a row of the data, or are None where the column was not named.

    A rate or a mean that is asked for here is right for the way that the rows were drawn.
    """

    weight: NDArray[np.float64] | None
    cluster: NDArray[np.int32] | None  # rows without a cluster's name share one

    @property
    def plain(self) -> bool:
        """Whether every row counts alike and stands alone, so that counts are enough."""
        return self.weight is None and self.cluster is None

    def drawn(self, rows: Places) -> Drawn:
        """Weight (1 where none was named) and cluster of these rows of the data."""
        weight = np.ones(len(rows)) if self.weight is None else self.weight[rows]
        return weight, None if self.cluster is None else self.cluster[rows]

    def refuse(self, what: str) -> Basis:
        """For a measure with no interval here: raises Unavailable (unsupported)."""
        raise Unavailable(
            "unsupported",
            f"{what} has no interval for rows that are weighted or come in clusters",
            "leave weight and cluster out in a second audit, and read it as a description of these rows",
        )

    def rate(self, success: ArrayLike, rows: Places, of: str = "there") -> Basis:
        """Share of these rows of the data that are a success (0/1, in the order of ``rows``).

        Raises Unavailable: undefined where there are no rows, or none with weight; insufficient data for one cluster.
        """
        y = np.asarray(success, dtype=bool)
        if not y.size:
            raise Unavailable("undefined", f"no row is {of}", f"give rows of this group that are {of}")
        weight = None if self.weight is None else self.weight[rows]
        if self.cluster is not None:
            return clustered_rate(y, self.cluster[rows], weight)
        return rate(int(y.sum()), y.size) if weight is None else weighted_rate(y, weight)

    def mean(self, values: ArrayLike, rows: Places) -> Basis:
        """Mean of a value over these rows of the data. Raises Unavailable as ``rate``, and for fewer than two rows."""
        weight = None if self.weight is None else self.weight[rows]
        if self.cluster is not None:
            return clustered_mean(values, self.cluster[rows], weight)
        return mean(np.asarray(values, dtype=float)) if weight is None else weighted_mean(values, weight)


def sampling(data: Dataset) -> Sampling:
    """DataError for weights that are missing, negative or all zero."""
    roles = data.roles
    return Sampling(
        weight=_weights(data.numbers(roles.weight), roles.weight) if roles.weight else None,
        cluster=data.codes(roles.cluster).codes if roles.cluster else None,
    )


def _weights(weight: NDArray[np.float64], column: str) -> NDArray[np.float64]:
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(
            f'weight "{column}" must be a finite number of at least 0 in every row, got {weight[first]:g} in row '
            f"{first + 1} and {int(wrong.sum())} such rows: correct them, or give 0 to rows that should not count"
        )
    if len(weight) and not weight.any():
        raise DataError(f'weight "{column}" is 0 in every row, so that no row counts: name another column')
    return weight
