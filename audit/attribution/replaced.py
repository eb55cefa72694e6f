"""A network as a function of what one of its layers gives: an embedding of tokens or of patches."""

from __future__ import annotations

from typing import Any

import torch

from audit.errors import ModelError
from audit.models.portions import in_calls

from .network import Network, Tensors, rows_per_call, shown_name


class Replaced(torch.nn.Module):
    """The module with a layer's output replaced by the first input; the others are the module's own inputs."""

    def __init__(self, module: torch.nn.Module, where: str) -> None:
        super().__init__()
        self.module, self.where, self.audited = module, where, shown_name(module)

    def forward(self, given: torch.Tensor, *others: torch.Tensor) -> Any:
        calls = []

        def replace(*_: object) -> torch.Tensor:
            calls.append(1)
            return given

        handle = self.module.get_submodule(self.where).register_forward_hook(replace)
        try:
            out = self.module(*others)
        finally:
            handle.remove()
        if len(calls) != 1:
            raise ModelError(f"the embedding {self.where} is used {len(calls)} times in a call: it must be used once")
        return out


def given_by(network: Network, where: str, inputs: Tensors) -> torch.Tensor:
    """What the layer gives for these inputs, (n, ...), without gradients. The module must be borrowed."""
    kept: list[torch.Tensor] = []

    def keep(_: torch.nn.Module, __: Any, output: torch.Tensor) -> None:
        kept.append(output.detach())

    def call(at: slice) -> torch.Tensor:
        kept.clear()  # of a call that ran out of memory
        network.outputs(tuple(t[at] for t in inputs))
        return kept.pop().clone()

    handle = network.module.get_submodule(where).register_forward_hook(keep)
    try:
        with torch.no_grad():
            return torch.cat(in_calls(len(inputs[0]), rows_per_call(inputs), call))
    finally:
        handle.remove()
