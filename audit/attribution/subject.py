"""What maps are made of and tested on: a network, one input of it, and units of that input that can be covered.

A unit is what a person would cover: a patch of a picture, a token, a stretch of a channel. The same tests then serve
every modality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from audit.models.portions import in_calls

from .network import Network, Tensors, rows_per_call

COVERS_PER_CALL = 128  # beyond it the channels of small pictures leave the processor's cache: a quarter slower

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """n rows of the input that is explained.

    ``inputs`` and each of ``fills`` have the same shape, ``units`` that of one row, ``places`` that of one map; both
    hold the number of the unit of every place, from 0. ``live`` (n, units) says which units a row has (a short text has
    no tokens beyond its end). ``others`` are inputs of the module that stay as they are. ``spread`` is the standard
    deviation of every number over the background rows.
    """

    network: Network
    inputs: torch.Tensor
    targets: torch.Tensor
    units: torch.Tensor
    places: NDArray[np.int64]
    fills: Tensors
    spread: torch.Tensor
    live: Masks
    others: Tensors = ()

    @property
    def n(self) -> int:
        return len(self.inputs)

    @property
    def count(self) -> int:
        return int(self.live.shape[1])

    def first(self, rows: int) -> Subject:
        """The first rows alone."""
        return replace(
            self,
            inputs=self.inputs[:rows],
            targets=self.targets[:rows],
            fills=tuple(fill[:rows] for fill in self.fills),
            live=self.live[:rows],
            others=tuple(other[:rows] for other in self.others),
        )

    def scalar(self, inputs: Tensors, rows: torch.Tensor) -> torch.Tensor:
        """The explained scalar (m,) of ``inputs`` that stand for these rows."""
        rows = rows.to(self.inputs.device)
        return self.network.scalar((*inputs, *(o[rows] for o in self.others)), self.targets[rows])

    def values(self, inputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """The explained scalar (m,) without gradients, float64 on the CPU, in calls that bound the memory."""
        with torch.no_grad():
            size = rows_per_call((inputs,))
            parts = in_calls(len(inputs), size, lambda at: self.scalar((inputs[at],), rows[at]).cpu().double())
        return torch.cat(parts)

    def outputs(self) -> torch.Tensor:
        """The explained scalar (n,) of the rows themselves."""
        return self.values(self.inputs, torch.arange(self.n))

    def covered(self, rows: NDArray[np.int64], kept: Masks, fill: int) -> Floats:
        """The explained scalar (m,) of these rows where only the ``kept`` (m, units) units are as they were."""

        if not len(rows):  # of a text without words there is nothing to cover
            return np.zeros(0)

        def call(at: slice) -> torch.Tensor:
            row = torch.from_numpy(rows[at])
            keep = torch.from_numpy(kept[at])[:, self.units.cpu()].to(self.inputs.device)
            own = row.to(self.inputs.device)
            mixed = self.inputs[own]  # written into, so that it stays in the order that the network reads fastest
            torch.where(keep, mixed, self.fills[fill][own], out=mixed)
            return self.scalar((mixed,), row).cpu().double()

        size = min(rows_per_call((self.inputs,)), COVERS_PER_CALL)
        with torch.no_grad():
            return torch.cat(in_calls(len(rows), size, call)).numpy()

    def by_unit(self, values: NDArray[np.float32]) -> Floats:
        """Maps (n, ...) as the sum over each unit, (n, units)."""
        flat = values.reshape(len(values), -1).astype(np.float64)
        sums = np.zeros((len(values), self.count))
        np.add.at(sums.T, self.places.reshape(-1), flat.T)
        return sums

    def by_place(self, values: Floats) -> NDArray[np.float32]:
        """Numbers (n, units) as maps (n, ...): every unit's shared out among its places."""
        sizes = np.bincount(self.places.reshape(-1), minlength=self.count)
        return (values / np.maximum(sizes, 1))[:, self.places].astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to make maps. ``make`` gives (n, ...) for any subject of the same kind, at a fixed cost."""

    short: str
    family: str
    make: Callable[[Subject], NDArray[np.float32]]


def grid(height: int, width: int, most: int = 8) -> NDArray[np.int64]:
    """A picture (H, W) in at most ``most`` x ``most`` patches: the number of the patch of every pixel."""
    rows, columns = (np.arange(size) * min(most, size) // size for size in (height, width))
    return rows[:, None] * min(most, width) + columns[None, :]
