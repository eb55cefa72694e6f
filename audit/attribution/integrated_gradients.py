"""Integrated gradients (Sundararajan, Taly & Yan, ICML 2017, eq. 1) with a measured error.

phi_i = (x_i - b_i) * integral over t in [0, 1] of d f(b + t (x - b)) / d x_i, by Gauss-Legendre quadrature. The number
of nodes of a row doubles until its sum is right to 1 % and its values moved by less than 5 %: completeness alone would
pass maps that are 15 % wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from .explanation import AMBER, completeness_error
from .network import Tensors, backward, in_calls, rows_per_call

NODES = (8, 16, 32, 64, 128, 256, 512)
MOVED = 0.05  # share by which a row's values may still change when the nodes double

Scalar = Callable[[Tensors, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Integral:
    """``values`` per input, shaped like it (float64, CPU); ``moved`` their change in the last doubling of the nodes."""

    values: Tensors
    moved: Tensors
    evaluations: int
    nodes: tuple[int, ...]  # of each row

    @property
    def numerical(self) -> NDArray[np.float64]:
        """T2, shape (n,): the change in the last refinement as a share of all attributions."""
        step, size = (_row_sums(parts).numpy() for parts in (self.moved, [v.abs() for v in self.values]))
        return np.asarray(np.divide(step, size, out=np.zeros_like(step), where=size > 0))


def integrated_gradients(
    scalar: Scalar, inputs: Tensors, baselines: Tensors, targets: torch.Tensor, nodes: int
) -> Tensors:
    """Attributions of every row along the straight path from its baseline, like ``inputs``, float64 on the CPU."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    points, weights = (points + 1) / 2, weights / 2
    n, size, targets = len(targets), rows_per_call(inputs), targets.to(inputs[0].device)
    sums = tuple(torch.zeros(t.shape, dtype=torch.float64) for t in inputs)
    row, node = np.divmod(np.arange(n * nodes), nodes)

    def call(span: slice) -> None:
        rows = torch.from_numpy(row[span])
        at, share = torch.from_numpy(points[node[span]]), torch.from_numpy(weights[node[span]])
        gradients = _gradients(scalar, inputs, baselines, targets, rows, at)
        for total, gradient in zip(sums, gradients, strict=True):
            total.index_add_(0, rows, gradient * _broadcast(share, gradient))

    in_calls(n * nodes, size, call)
    changes = (x.cpu().double() - b.cpu().double() for x, b in zip(inputs, baselines, strict=True))
    return tuple(total * change for total, change in zip(sums, changes, strict=True))


def _gradients(
    scalar: Scalar, inputs: Tensors, baselines: Tensors, targets: torch.Tensor, rows: torch.Tensor, at: torch.Tensor
) -> Tensors:
    rows = rows.to(targets.device)
    points = []
    for x, b in zip(inputs, baselines, strict=True):
        t = _broadcast(at.to(x.device, x.dtype), x)
        points.append((b[rows] + t * (x[rows] - b[rows])).requires_grad_())
    gradients = backward(scalar(tuple(points), targets[rows]).sum(), points)  # rows do not meet: one sum serves all
    return tuple(
        torch.zeros(p.shape, dtype=torch.float64) if g is None else g.cpu().double()
        for p, g in zip(points, gradients, strict=True)
    )


def _broadcast(column: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return column.reshape(-1, *[1] * (like.ndim - 1))


def refined(
    rule: Callable[[torch.Tensor, int], Tensors],
    change: torch.Tensor,
    typical: torch.Tensor,
    settled: float = MOVED,
) -> Integral:
    """Double the nodes of each row until it is complete and settled.

    ``rule(rows, nodes)`` gives the attributions of these rows; ``change`` (n,) is what each row must add up to, and
    ``typical`` (n,) a change that is usual for the model; ``settled`` is the share by which values may still move.
    """
    n = len(change)
    rows, used = torch.arange(n), np.zeros(n, dtype=np.int64)
    values = list(rule(rows, NODES[0]))
    moved = [torch.zeros_like(v) for v in values]
    spent = n * NODES[0]
    for nodes in NODES[1:]:
        better = rule(rows, nodes)
        spent += len(rows) * nodes
        used[rows.numpy()] = nodes
        for value, step, new in zip(values, moved, better, strict=True):
            step[rows] = (new - value[rows]).abs()
            value[rows] = new
        rows = rows[~_settled(values, moved, change, typical, settled)[rows]]
        if not len(rows):
            break
    return Integral(
        values=tuple(values),
        moved=tuple(moved),
        evaluations=spent,
        nodes=tuple(used.tolist()),
    )


def _settled(
    values: list[torch.Tensor], moved: list[torch.Tensor], change: torch.Tensor, typical: torch.Tensor, settled: float
) -> torch.Tensor:
    total, size, step = _row_sums(values), _row_sums([v.abs() for v in values]), _row_sums(moved)
    error = completeness_error(total.numpy(), change.double().numpy(), typical.double().numpy())
    return torch.from_numpy(error <= AMBER) & (step <= settled * size)


def _row_sums(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([part.reshape(len(part), -1).sum(dim=1) for part in parts]).sum(dim=0)
