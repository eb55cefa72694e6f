"""What a network makes of its input before it decides: the numbers that enter its last linear layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import Unavailable
from audit.models import Differentiable
from audit.models.portions import in_calls

from .execution import modules_run
from .network import Network, Tensors, rows_per_call
from .untouched import untouched


def last_hidden(model: Differentiable, columns: Columns, size: int) -> NDArray[np.float32]:
    """Shape (n, units), computed for ``size`` rows at a time; axes between row and unit (tokens, places) are averaged.

    Unavailable for a network in which no linear layer runs.
    """
    network = Network.of(model)
    n = len(next(iter(columns.values())))
    parts = []
    with untouched(network.module):
        for start in range(0, n, size):
            inputs = _inputs(model, {name: values[start : start + size] for name, values in columns.items()})
            parts.append(_entered(network, inputs))
    return np.concatenate(parts)


def _inputs(model: Differentiable, columns: Columns) -> Tensors:
    inputs = model.encode(columns)  # token ids are welcome here: no gradient is taken
    return inputs if isinstance(inputs, tuple) else (inputs,)


def _entered(network: Network, inputs: Tensors) -> NDArray[np.float32]:
    n = len(inputs[0])
    kept: list[torch.Tensor] = []

    def keep(_: torch.nn.Module, given: tuple[Any, ...]) -> None:
        kept.append(given[0].detach().float().cpu())

    def call(at: slice) -> torch.Tensor:
        kept.clear()  # of a call that ran out of memory
        network.outputs(tuple(t[at] for t in inputs))
        return torch.cat(kept)

    handle = _last_linear(network, inputs).register_forward_pre_hook(keep)
    try:
        with torch.no_grad():
            found = torch.cat(in_calls(n, rows_per_call(inputs), call))
    finally:
        handle.remove()
    if len(found) != n:
        what = f"its last linear layer is given {len(found)} rows for {n} rows of the data"
        raise Unavailable("not_applicable", what, "nothing to do")
    return np.asarray(found.reshape(n, -1, found.shape[-1]).mean(dim=1).numpy())


def _last_linear(network: Network, inputs: Tensors) -> torch.nn.Module:
    ran = modules_run(network, tuple(t[:1] for t in inputs))
    linear = [part for _, part, _ in ran if isinstance(part, torch.nn.Linear)]
    if not linear:
        name = type(network.module).__name__
        raise Unavailable("not_applicable", f"no linear layer runs in {name}", "give a column of embeddings")
    return linear[-1]
