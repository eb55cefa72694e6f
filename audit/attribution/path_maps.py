"""Maps of anything that has units: integrated gradients of its numbers, and units left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from .explanation import completeness_error
from .integrated_gradients import Integral, integrated_gradients
from .kinked import path_integral
from .maps import Maps
from .subject import Subject

QUICK_NODES = 16  # where a map is only made to be compared


def as_map(subject: Subject, values: torch.Tensor) -> NDArray[np.float32]:
    """Numbers (n, ...) added up over the axes that a map does not have: the last ones."""
    return values.reshape(subject.n, *subject.places.shape, -1).sum(dim=-1).float().numpy()


Shaped = Callable[[Subject, torch.Tensor], NDArray[np.float32]]
"""Makes maps of the numbers (n, ...) of the input."""


@dataclass(frozen=True, slots=True)
class Path:
    """From a baseline: its outputs and how far the rows' own lie from them, both (n,), and what the inputs add."""

    base: torch.Tensor
    change: torch.Tensor
    integral: Integral


def path_from(subject: Subject, baseline: torch.Tensor, typical: torch.Tensor) -> Path:
    """``baseline`` is like the inputs, ``typical`` (n,) a change that is usual for the model."""
    base = subject.values(baseline, torch.arange(subject.n))
    change = subject.outputs() - base
    return Path(base, change, path_integral(subject.scalar, (subject.inputs,), (baseline,), change, typical))


def integrated(subject: Subject, along: Path, typical: torch.Tensor, method: str, shaped: Shaped = as_map) -> Maps:
    """Integrated gradients as maps."""
    integral = along.integral
    total = integral.values[0].reshape(subject.n, -1).sum(dim=1)
    return Maps(
        method=f"{method} (up to {max(integral.nodes)} nodes)",
        short=method,
        family="gradients",
        values=shaped(subject, integral.values[0]),
        signed=True,
        completeness=completeness_error(total.numpy(), along.change.numpy(), typical.numpy()),
        numerical=integral.numerical,
        base=along.base.numpy(),
        evaluations=integral.evaluations + 2 * subject.n,
    )


def quick(baseline: int | torch.Tensor, shaped: Shaped = as_map) -> Callable[[Subject], NDArray[np.float32]]:
    """Integrated gradients from one of the subject's fills, or from other inputs, at a fixed number of nodes."""

    def make(subject: Subject) -> NDArray[np.float32]:
        start = subject.fills[baseline] if isinstance(baseline, int) else baseline[: subject.n]
        rows = torch.arange(subject.n)
        (values,) = integrated_gradients(subject.scalar, (subject.inputs,), (start,), rows, QUICK_NODES)
        return shaped(subject, values)

    return make


def ablation(subject: Subject, groups: NDArray[np.int64], method: str, short: str) -> Maps:
    """How far the output falls when a group of units is covered with the first fill, shared out among its units.

    ``groups`` (n, units) numbers the group of every unit of every row.
    """
    rows, kept, shares = [], [], []
    for row in range(subject.n):
        live = subject.live[row]
        for group in np.unique(groups[row][live]):
            hidden = (groups[row] == group) & live
            rows.append(row)
            kept.append(~hidden)
            shares.append(hidden / hidden.sum())
    at, by_unit = np.array(rows, dtype=np.int64), np.zeros((subject.n, subject.count))
    masks = np.array(kept, dtype=np.bool_).reshape(-1, subject.count)
    fell = subject.outputs().numpy()[at] - subject.covered(at, masks, 0)
    np.add.at(by_unit, at, fell[:, None] * np.reshape(shares, masks.shape))
    return Maps(
        method=method,
        short=short,
        family="ablation",
        values=subject.by_place(by_unit),
        signed=True,
        evaluations=len(at) + subject.n,
    )
