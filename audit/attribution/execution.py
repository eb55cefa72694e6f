"""Which modules of a network run, in which order: found by execution, for definitions may lie."""

from __future__ import annotations

from typing import Any

import torch

from .network import Network, Tensors

Ran = list[tuple[str, torch.nn.Module, tuple[int, ...]]]


def runs_once(part: torch.nn.Module, ran: Ran) -> bool:
    return sum(other is part for _, other, _ in ran) == 1


def modules_run(network: Network, inputs: Tensors) -> Ran:
    """Every innermost module in the order of its calls, with the shape of its output."""
    ran: Ran = []
    handles = []
    for name, part in network.module.named_modules():
        if next(part.children(), None) is None:

            def note(module: torch.nn.Module, _: Any, output: Any, name: str = name) -> None:
                ran.append((name, module, tuple(getattr(output, "shape", ()))))

            handles.append(part.register_forward_hook(note))
    try:
        network.answers(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return ran
