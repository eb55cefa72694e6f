"""Integrated gradients (Sundararajan, Taly & Yan, ICML 2017, eq. 1) with a measured error.

phi_i = (x_i - b_i) * integral over t in [0, 1] of d f(b + t (x - b)) / d x_i. The number of nodes of a row doubles
until its sum is right to 1 % and its values moved by less than 5 %: completeness alone would pass maps that are 15 %
wrong. Clenshaw-Curtis rules share their nodes, so that doubling costs only the new ones; what is not settled by 65
nodes is integrated by Gauss-Legendre rules, which are exact to twice the degree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from audit.models.portions import in_calls

from .explanation import AMBER, completeness_error
from .network import Tensors, backward, rows_per_call

NODES = (8, 16, 32, 64, 128, 256, 512)
CLENSHAW_CURTIS = (9, 17, 33, 65)
NESTED = (*CLENSHAW_CURTIS, 128, 256, 512)
MOVED = 0.05  # share by which a row's values may still change when the nodes double

Scalar = Callable[[Tensors, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Integral:
    """``values`` per input, shaped like it (float64, CPU); ``moved`` their change in the last doubling of the nodes, or
    the error to be expected of them."""

    values: Tensors
    moved: Tensors
    evaluations: int
    nodes: tuple[int, ...]  # of each row

    @property
    def numerical(self) -> NDArray[np.float64]:
        """T2, shape (n,): ``moved`` as a share of all attributions."""
        step, size = (row_sums(parts).numpy() for parts in (self.moved, [v.abs() for v in self.values]))
        return np.asarray(np.divide(step, size, out=np.zeros_like(step), where=size > 0))


def integrated_gradients(
    scalar: Scalar, inputs: Tensors, baselines: Tensors, targets: torch.Tensor, nodes: int
) -> Tensors:
    """Attributions of every row along the straight path from its baseline, like ``inputs``, float64 on the CPU.

    Gauss-Legendre quadrature; ``targets`` (n,) is handed to ``scalar``.
    """
    points, weights = np.polynomial.legendre.leggauss(nodes)
    sums = _weighted(scalar, inputs, baselines, targets, (points + 1) / 2, weights[:, None] / 2)
    return tuple(total[0] * change for total, change in zip(sums, _changes(inputs, baselines), strict=True))


class Nested:
    """A rule for :func:`refined` that asks only for the nodes that the last Clenshaw-Curtis rule did not have."""

    def __init__(self, scalar: Scalar, inputs: Tensors, baselines: Tensors) -> None:
        self.scalar, self.inputs, self.baselines = scalar, inputs, baselines
        shapes = ((len(CLENSHAW_CURTIS), *t.shape) for t in inputs)
        self.sums = tuple(torch.zeros(shape, dtype=torch.float64) for shape in shapes)

    def __call__(self, rows: torch.Tensor, nodes: int) -> Tensors:
        inputs, baselines = (tuple(t[rows.to(t.device)] for t in ends) for ends in (self.inputs, self.baselines))
        if nodes not in CLENSHAW_CURTIS:
            return integrated_gradients(self.scalar, inputs, baselines, rows, nodes)
        level = CLENSHAW_CURTIS.index(nodes)
        points, weights = _new_nodes(level)
        sums = _weighted(self.scalar, inputs, baselines, rows, points, weights)
        for total, new in zip(self.sums, sums, strict=True):
            for later in range(level, len(CLENSHAW_CURTIS)):
                total[later].index_add_(0, rows, new[later - level])
        changes = _changes(inputs, baselines)
        return tuple(total[level][rows] * change for total, change in zip(self.sums, changes, strict=True))


def _new_nodes(level: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes in [0, 1] that a rule adds to the one before; their weights in it and in all later ones, (nodes, rules)."""
    intervals = CLENSHAW_CURTIS[level] - 1
    new = np.arange(0 if level == 0 else 1, intervals + 1, 1 if level == 0 else 2)
    later = CLENSHAW_CURTIS[level:]
    weights = [clenshaw_curtis(nodes)[new * ((nodes - 1) // intervals)] for nodes in later]
    return (1 - np.cos(np.pi * new / intervals)) / 2, np.column_stack(weights)


def clenshaw_curtis(nodes: int) -> NDArray[np.float64]:
    """Weights over [0, 1] of the rule at (1 - cos(pi k / N)) / 2, k = 0..N, N even (Clenshaw & Curtis 1960)."""
    n = nodes - 1
    k, j = np.arange(nodes), np.arange(1, n // 2 + 1)
    factor = np.where(j == n // 2, 1.0, 2.0) / (4 * j**2 - 1)
    inner = 1 - np.cos(2 * np.pi * np.outer(k, j) / n) @ factor
    return np.asarray(np.where((k == 0) | (k == n), 1.0, 2.0) / n * inner / 2)


def _weighted(
    scalar: Scalar,
    inputs: Tensors,
    baselines: Tensors,
    targets: torch.Tensor,
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> Tensors:
    """Sums of the gradients at ``points`` of each row, one for each column of ``weights``, (sums, n, ...)."""
    n, nodes, targets = len(targets), len(points), targets.to(inputs[0].device)
    # laid out like the inputs: adding up across memory orders would cost as much as the gradients
    sums = [[torch.zeros_like(t, dtype=torch.float64, device="cpu") for _ in weights.T] for t in inputs]
    row, node = np.divmod(np.arange(n * nodes), nodes)

    def call(span: slice) -> None:
        rows = torch.from_numpy(row[span])
        at, shares = torch.from_numpy(points[node[span]]), torch.from_numpy(weights[node[span]])
        gradients = at_points(scalar, inputs, baselines, targets, rows, at)
        for totals, gradient in zip(sums, gradients, strict=True):
            for total, share in zip(totals, shares.T, strict=True):
                total.index_add_(0, rows, gradient * _broadcast(share, gradient))

    in_calls(n * nodes, rows_per_call(inputs), call)
    return tuple(torch.stack(totals) for totals in sums)


def _changes(inputs: Tensors, baselines: Tensors) -> Tensors:
    return tuple(x.cpu().double() - b.cpu().double() for x, b in zip(inputs, baselines, strict=True))


def at_points(
    scalar: Scalar, inputs: Tensors, baselines: Tensors, targets: torch.Tensor, rows: torch.Tensor, at: torch.Tensor
) -> Tensors:
    """Gradients (m, ...) of each input where row ``rows[i]`` has gone the share ``at[i]`` of its path, on the CPU."""
    rows = rows.to(targets.device)
    points = []
    for x, b in zip(inputs, baselines, strict=True):
        t = _broadcast(at.to(x.device, x.dtype), x)
        points.append((b[rows] + t * (x[rows] - b[rows])).requires_grad_())
    gradients = backward(scalar(tuple(points), targets[rows]).sum(), points)  # rows do not meet: one sum serves all
    return tuple(
        torch.zeros(p.shape, dtype=p.dtype) if g is None else g.cpu() for p, g in zip(points, gradients, strict=True)
    )


def _broadcast(column: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return column.reshape(-1, *[1] * (like.ndim - 1))


def refined(
    rule: Callable[[torch.Tensor, int], Tensors],
    change: torch.Tensor,
    typical: torch.Tensor,
    settled: float = MOVED,
    levels: tuple[int, ...] = NODES,
) -> Integral:
    """Double the nodes of each row until it is complete and settled.

    ``rule(rows, nodes)`` gives the attributions of these rows; ``change`` (n,) is what each row must add up to, and
    ``typical`` (n,) a change that is usual for the model; ``settled`` is the share by which values may still move.
    A rule that is :class:`Nested` takes ``levels=NESTED``.
    """
    n = len(change)
    rows, used = torch.arange(n), np.zeros(n, dtype=np.int64)
    values = list(rule(rows, levels[0]))
    moved = [torch.zeros_like(v) for v in values]
    spent = n * levels[0]
    for before, nodes in pairwise(levels):
        better = rule(rows, nodes)
        spent += len(rows) * (nodes - before if nodes in CLENSHAW_CURTIS else nodes)
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
    total, size, step = row_sums(values), row_sums([v.abs() for v in values]), row_sums(moved)
    error = completeness_error(total.numpy(), change.double().numpy(), typical.double().numpy())
    return torch.from_numpy(error <= AMBER) & (step <= settled * size)


def row_sums(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Sums over all numbers of each row, shape (n,)."""
    return torch.stack([part.reshape(len(part), -1).sum(dim=1) for part in parts]).sum(dim=0)
