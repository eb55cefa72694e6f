"""Integrated gradients of networks with kinks (ReLU, max pooling), where high-order rules have nothing to hold on to.

Along a path such a network's gradient is constant between kinks, and there are thousands of them: it moves like a
random walk, for which equal cells with their midpoints are best and the error falls as 1 / nodes. How far it moved from
node to node tells the error of the sum without a second rule: steps D_k at spacing h leave a standard deviation of
h sqrt(sum D_k^2 / 12) (the variance of a random walk's mean given its midpoints; exact for one kink anywhere). The
nodes of a row follow from that: eight cells, then thirds, fifths ... of each, as many as are needed; the nodes of
the eight stay in use. The error of a row's sum is known, and tells what it can about the errors of the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi, sqrt
from typing import Any

import torch

from audit.models.portions import in_calls

from .explanation import AMBER, completeness_error
from .integrated_gradients import NESTED, Integral, Nested, Scalar, at_points, refined, row_sums
from .network import Tensors, rows_per_call

CELLS = 8
MOST_PARTS = 63  # of a cell: 504 nodes
FEWEST_PARTS = 9  # that must fit the memory, else the rules are used that add up as they go
ACCURACY = 0.02  # expected error of a row's values, as a share of their sizes
NUMBERS_KEPT = 3 << 22  # gradients of one row that are held at once: 50 MB, several times over while they are added up
NUMBERS_TOGETHER = 1 << 22  # of several rows
NUMBERS_SUMMED = 1 << 19  # of the rows whose sums are made together
MOST_DEVIATIONS = 3.0  # of an error that is put down to the nodes
HALF_NORMAL = sqrt(2 / pi)  # the mean size of an error of standard deviation 1
KINKED = (
    "ReluBackward",
    "ThresholdBackward",
    "LeakyReluBackward",
    "PreluKernelBackward",
    "HardtanhBackward",
    "HardswishBackward",
    "ClampMinBackward",
    "AbsBackward",
    "MaxPool",
    "AdaptiveMaxPool",
    "MaximumBackward",
    "MinimumBackward",
)


def path_integral(
    scalar: Scalar, inputs: Tensors, baselines: Tensors, change: torch.Tensor, typical: torch.Tensor
) -> Integral:
    """Integrated gradients of every row by the rule that fits the network, refined until they are right.

    ``change`` (n,) is what each row must add up to, ``typical`` (n,) a change that is usual for the model.
    """
    if has_kinks(scalar, inputs) and _Path(scalar, inputs, baselines, change).most_parts >= FEWEST_PARTS:
        return midpoints(scalar, inputs, baselines, change, typical)
    n, size = len(change), max(1, NUMBERS_SUMMED // max(1, sum(t[0].numel() for t in inputs)))
    blocks = [slice(start, start + size) for start in range(0, n, size)]
    return _joined([_by_nested_rules(scalar, inputs, baselines, change, typical, at) for at in blocks])


def _by_nested_rules(
    scalar: Scalar, inputs: Tensors, baselines: Tensors, change: torch.Tensor, typical: torch.Tensor, at: slice
) -> Integral:
    """Of these rows: the sums of all rules are kept in double precision, which many wide rows would fill up with."""
    rule = Nested(
        lambda points, rows: scalar(points, rows + at.start),
        tuple(t[at] for t in inputs),
        tuple(t[at] for t in baselines),
    )
    return refined(rule, change[at], typical[at], levels=NESTED)


def _joined(blocks: list[Integral]) -> Integral:
    return Integral(
        values=tuple(map(torch.cat, zip(*(block.values for block in blocks), strict=True))),
        moved=tuple(map(torch.cat, zip(*(block.moved for block in blocks), strict=True))),
        evaluations=sum(block.evaluations for block in blocks),
        nodes=tuple(node for block in blocks for node in block.nodes),
    )


def has_kinks(scalar: Scalar, inputs: Tensors) -> bool:
    """Whether the way back from the scalar passes a function with a kink; whoever wrote it, as a layer or a call."""
    some = tuple(t[:2].detach().clone().requires_grad_(t.is_floating_point()) for t in inputs)
    with torch.enable_grad():
        node = scalar(some, torch.arange(len(some[0]))).grad_fn
    seen: set[Any] = set()
    ahead: list[Any] = [node]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if type(node).__name__.startswith(KINKED):
            return True
        ahead += [before for before, _ in node.next_functions]
    return False


def midpoints(
    scalar: Scalar,
    inputs: Tensors,
    baselines: Tensors,
    change: torch.Tensor,
    typical: torch.Tensor,
    accuracy: float = ACCURACY,
) -> Integral:
    """Midpoint rules whose nodes follow from each row's expected error; ``moved`` holds that of every value."""
    path = _Path(scalar, inputs, baselines, change)
    n = len(change)
    parts = torch.ones(n, dtype=torch.long)
    values, moved = (tuple(torch.zeros(t.shape, dtype=torch.float64) for t in inputs) for _ in range(2))
    spent, size = 0, max(1, NUMBERS_TOGETHER // (CELLS * path.numbers))
    for start in range(0, n, size):
        rows = torch.arange(start, min(start + size, n))
        pilot = path.gradients(rows, _midpoints(CELLS))
        spent += CELLS * len(rows)
        _put(values, moved, rows, path.integral(rows, pilot))
        left = rows  # all of them: what happens between eight nodes is too easily missed
        while len(left):
            parts[left] = _wanted(values, moved, parts, accuracy, path.most_parts)[left]
            for share in parts[left].unique().tolist():
                spent += path.refine(left[parts[left] == share], share, pilot, start, values, moved)
            left = left[~_settled(values, moved, change, typical, accuracy)[left] & (parts[left] < path.most_parts)]
    return Integral(values=values, moved=moved, evaluations=spent, nodes=tuple((CELLS * parts).tolist()))


@dataclass(frozen=True, slots=True)
class _Path:
    scalar: Scalar
    inputs: Tensors
    baselines: Tensors
    change: torch.Tensor

    @property
    def numbers(self) -> int:
        """Of one row."""
        return max(1, sum(t[0].numel() for t in self.inputs))

    @property
    def most_parts(self) -> int:
        fit = min(MOST_PARTS, NUMBERS_KEPT // (CELLS * self.numbers))
        return max(3, fit - 1 + fit % 2)

    def refine(
        self, rows: torch.Tensor, parts: int, pilot: Tensors, start: int, values: Tensors, moved: Tensors
    ) -> int:
        """Values and errors of these rows with so many nodes a cell; the number of gradients that it took."""
        nodes = _midpoints(CELLS * parts)
        middle = torch.arange(CELLS) * parts + parts // 2
        new = torch.ones(len(nodes), dtype=torch.bool)
        new[middle] = False
        for some in rows.split(max(1, NUMBERS_TOGETHER // (len(nodes) * self.numbers))):
            every = []
            for found, known in zip(self.gradients(some, nodes[new]), pilot, strict=True):
                both = found.new_empty((len(some), len(nodes), *found.shape[2:]))
                both[:, new], both[:, middle] = found, known[some - start]
                every.append(both)
            _put(values, moved, some, self.integral(some, tuple(every)))
        return len(rows) * int(new.sum())

    def gradients(self, rows: torch.Tensor, nodes: torch.Tensor) -> Tensors:
        """Shape (rows, nodes, ...) for each input on the CPU, with the axes in the order of the memory."""
        targets = torch.arange(len(self.inputs[0]), device=self.inputs[0].device)
        row, node = rows.repeat_interleave(len(nodes)), nodes.repeat(len(rows))
        parts = in_calls(
            len(row),
            rows_per_call(self.inputs),
            lambda at: at_points(self.scalar, self.inputs, self.baselines, targets, row[at], node[at]),
        )
        whole = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        flat = (_stored(t, x) for t, x in zip(whole, self.inputs, strict=True))
        return tuple(t.reshape(len(rows), len(nodes), *t.shape[1:]) for t in flat)

    def integral(self, rows: torch.Tensor, gradients: Tensors) -> tuple[Tensors, Tensors]:
        """Attributions of the rows and the expected size of their errors, float64."""
        ends = [(x[rows.to(x.device)], b[rows.to(b.device)]) for x, b in zip(self.inputs, self.baselines, strict=True)]
        lines = [_stored((x - b).cpu(), x) for x, b in ends]
        nodes = gradients[0].shape[1]
        values = [g.mean(dim=1, dtype=torch.float64) * line for g, line in zip(gradients, lines, strict=True)]
        jumps = [g.diff(dim=1).mul_(line[:, None]) for g, line in zip(gradients, lines, strict=True)]
        errors = [torch.linalg.vector_norm(j, dim=1).double() / 12**0.5 * (HALF_NORMAL / nodes) for j in jumps]
        values = _completed(values, jumps, self.change[rows], nodes)
        return tuple(tuple(map(_shaped, found, self.inputs)) for found in (values, errors))  # type: ignore[return-value]


def _completed(
    values: list[torch.Tensor], jumps: list[torch.Tensor], change: torch.Tensor, nodes: int
) -> list[torch.Tensor]:
    """Values (n, ...) with the error of their sum shared out by how each one's error goes with it.

    That error is known, for a row must add up to its change; the best linear prediction of the others' from it is their
    covariance over its variance. No more than chance explains is taken away (three standard deviations), so that
    gradients that do not belong to the function still show in the sum.
    """
    sums = torch.stack([j.reshape(*j.shape[:2], -1).sum(dim=2, dtype=torch.float64) for j in jumps]).sum(dim=0)
    variance = (sums**2).sum(dim=1)
    most = MOST_DEVIATIONS * (variance / 12).sqrt() / nodes
    missing = (change.cpu().double() - row_sums(values)).clamp(min=-most, max=most)
    share = torch.where(variance > 0, missing / variance, 0.0)[:, None] * sums
    return [v + torch.einsum("rk,rk...->r...", share.to(j.dtype), j) for v, j in zip(values, jumps, strict=True)]


def _stored(t: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """With the channels last where ``like`` lies so in memory: a copy across orders is slow."""
    return t.movedim(1, -1) if _channels_last(like) else t


def _shaped(t: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return t.movedim(-1, 1) if _channels_last(like) else t


def _channels_last(t: torch.Tensor) -> bool:
    return t.ndim == 4 and t.is_contiguous(memory_format=torch.channels_last) and not t.is_contiguous()


def _midpoints(nodes: int) -> torch.Tensor:
    return (torch.arange(nodes, dtype=torch.float64) + 0.5) / nodes


def _put(values: Tensors, moved: Tensors, rows: torch.Tensor, found: tuple[Tensors, Tensors]) -> None:
    for held, new in zip((*values, *moved), (*found[0], *found[1]), strict=True):
        held[rows] = new


def _settled(
    values: Tensors, moved: Tensors, change: torch.Tensor, typical: torch.Tensor, accuracy: float
) -> torch.Tensor:
    total = row_sums(values).numpy()
    error = completeness_error(total, change.cpu().double().numpy(), typical.cpu().double().numpy())
    return torch.from_numpy(error <= AMBER) & (row_sums(moved) <= accuracy * row_sums([v.abs() for v in values]))


def _wanted(values: Tensors, moved: Tensors, parts: torch.Tensor, accuracy: float, most: int) -> torch.Tensor:
    """Odd numbers of parts a cell that should do, (n,): the error falls as one over the nodes.

    Three times as many where the error is small and the sum is off.
    """
    error, size = row_sums(moved), row_sums([v.abs() for v in values])
    found = []
    for now, times in zip(parts.tolist(), (error / (accuracy * size).clamp(min=1e-300)).tolist(), strict=True):
        enough = max(now + 2, ceil(min(times, most) * now) if times > 1 else 3 * now)
        found.append(min(most, enough + 1 - enough % 2))
    return torch.tensor(found)
