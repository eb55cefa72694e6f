"""Expected gradients of a table: integrated gradients from many background rows, averaged, on the user's columns.

phi_j(x) = mean over background rows b of IG_j(x, b) (Erion et al., Nature Machine Intelligence 3, 2021). The path is
straight in the module's input space; the numbers that a column is encoded to are found by changing that column alone,
and their attributions are added up, so that a one-hot column is one bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import Unavailable
from audit.models import Differentiable
from audit.results import Scalar

from .integrated_gradients import integrated_gradients, refined
from .network import Network, Tensors, encoded, preflight
from .players import Players
from .scalar import class_index, positive_index
from .untouched import untouched

NUMBERS_PER_BLOCK = 1 << 21
SETTLED = 0.005  # tables are small, and a column is read as a number


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedGradients:
    """``values`` and ``moved`` have shape (n, d) over the user's columns or groups; ``base``, ``output``
    and ``typical`` (n,)."""

    values: NDArray[np.float64]
    moved: NDArray[np.float64]
    base: NDArray[np.float64]
    typical: NDArray[np.float64]
    output: NDArray[np.float64]
    targets: tuple[str, ...]
    words: str
    unit: str
    evaluations: int


def expected_gradients(
    model: Differentiable,
    foreground: Columns,
    background: Columns,
    positive: Scalar | None,
    target: str = "",
    players: Players | None = None,
) -> ExpectedGradients:
    """Attributions of the foreground rows; Unavailable when an input is not continuous or two players share one.

    ``target`` is the class of a multiclass model that every row is explained by (default: the predicted one), and
    ``players`` say which columns are added up (default: each is by itself).
    """
    network = Network.of(model)
    with untouched(network.module):
        inputs, baselines = encoded(model, foreground), encoded(model, background)
        answers = preflight(network, inputs)
        targets = _targets(network, answers, positive, target)
        base, typical = network.usual(preflight(network, baselines), targets)
        masks = _owners(model, foreground, background, players or Players.among(tuple(foreground)))
        output = network.scalar_of(answers, targets.to(answers.device)).cpu().double()

        def rule(rows: torch.Tensor, nodes: int) -> Tensors:
            return _averaged(network, tuple(t[rows.to(t.device)] for t in inputs), baselines, targets[rows], nodes)

        integral = refined(rule, output - base, typical, SETTLED)
    return ExpectedGradients(
        values=_by_column(integral.values, masks),
        moved=_by_column(integral.moved, masks),
        base=base.numpy(),
        typical=typical.numpy(),
        output=output.numpy(),
        targets=_names(network, targets),
        words=_words(network, targets, target),
        unit=network.words[1],
        evaluations=integral.evaluations * len(baselines[0]),
    )


def _averaged(network: Network, inputs: Tensors, baselines: Tensors, targets: torch.Tensor, nodes: int) -> Tensors:
    """Mean over all baselines of the integrated gradients of each row, in blocks that bound the memory."""
    n, m = len(targets), len(baselines[0])
    numbers = sum(int(np.prod(t.shape[1:])) for t in inputs) * m
    size = max(1, NUMBERS_PER_BLOCK // max(numbers, 1))
    blocks: list[Tensors] = []
    for start in range(0, n, size):
        rows = torch.arange(start, min(start + size, n))
        row, back = rows.repeat_interleave(m), torch.arange(m).repeat(len(rows))
        pairs = integrated_gradients(
            network.scalar,
            tuple(t[row.to(t.device)] for t in inputs),
            tuple(b[back.to(b.device)] for b in baselines),
            targets[row],
            nodes,
        )
        blocks.append(tuple(p.reshape(len(rows), m, *p.shape[1:]).mean(dim=1) for p in pairs))
    return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))


def _owners(model: Differentiable, foreground: Columns, background: Columns, players: Players) -> list[Tensors]:
    """For each player, which numbers of the module's inputs it fills, as masks over one row."""
    everything = {name: np.concatenate([foreground[name], background[name]]) for name in foreground}
    inputs = encoded(model, everything)
    masks = []
    for name in players.names:
        # shifted by one row, every value that occurs stands in for another one somewhere
        rolled = {column: np.roll(everything[column], 1, axis=0) for column in players.members(name)}
        changed = encoded(model, {**everything, **rolled})
        masks.append(tuple(_differs(a, b) for a, b in zip(changed, inputs, strict=True)))
    for tensors in zip(*masks, strict=True):
        shared = torch.stack(tensors).sum(dim=0) > 1
        if bool(shared.any()):
            raise Unavailable(
                "not_applicable",
                "encode mixes several columns into one number, so gradients cannot be told apart by column",
                "explain it as a black box, or move the mixing into the module",
            )
    return masks


def _differs(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    if first.shape != second.shape:
        raise Unavailable(
            "not_applicable",
            "encode returns another shape when one column changes",
            "explain it as a black box, or let encode return a fixed number of inputs a row",
        )
    return (first != second).any(dim=0).cpu()


def _by_column(values: Tensors, masks: Sequence[Tensors]) -> NDArray[np.float64]:
    """Shape (n, d): the numbers that belong to each player, added up."""
    columns = []
    for mask in masks:
        parts = [(v * m).reshape(len(v), -1).sum(dim=1) for v, m in zip(values, mask, strict=True)]
        columns.append(torch.stack(parts).sum(dim=0).numpy())
    return np.column_stack(columns)


def _targets(network: Network, outputs: torch.Tensor, positive: Scalar | None, target: str) -> torch.Tensor:
    """Binary: the positive class in every row. Otherwise the one that is asked for, or was predicted. On the CPU."""
    if len(network.classes) == 2:
        return torch.full((len(outputs),), positive_index(network.classes, positive))
    if target and network.classes:
        return torch.full((len(outputs),), class_index(network.classes, target))
    return network.predicted(outputs).cpu()


def _names(network: Network, targets: torch.Tensor) -> tuple[str, ...]:
    return tuple(network.classes[int(t)] if network.classes else "" for t in targets)


def _words(network: Network, targets: torch.Tensor, target: str) -> str:
    if len(network.classes) == 2:
        return f'the log-odds of class "{network.classes[int(targets[0])]}"'
    if target and network.classes:
        return network.words[0].replace("the target class", f'class "{target}"')
    return network.words[0].replace("target", "predicted")
