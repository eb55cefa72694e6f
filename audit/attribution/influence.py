"""How strongly single training rows hold the last layer in place (TracIn: Pruthi et al., NeurIPS 2020).

A row's self-influence is the squared gradient of its own loss: a row that the network can fit only by itself, such as a
mislabelled one, has a large one. For a linear last layer and cross-entropy it has a closed form, so that no row's
gradient is made: |p - y|^2 (|h|^2 + 1), where h enters the layer and the 1 stands for the bias.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.errors import Unavailable

from .execution import modules_run
from .network import Network, Tensors, in_calls, rows_per_call

Floats = NDArray[np.float64]


def self_influence(network: Network, inputs: Tensors, labels: NDArray[np.int64]) -> Floats:
    """Shape (n,): of each row with its label (index into the classes). The module must be borrowed by ``untouched``.

    Unavailable unless the network ends in a linear layer that gives logits.
    """
    layer = last_linear(network, inputs)
    entered: list[torch.Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, given: entered.append(given[0].detach()))
    try:
        with torch.no_grad():
            logits = torch.cat(
                in_calls(len(labels), rows_per_call(inputs), lambda at: network.outputs(tuple(t[at] for t in inputs)))
            )
    finally:
        handle.remove()
    hidden = torch.cat(entered).cpu().double().reshape(len(labels), -1)
    return _closed_form(logits.cpu().double(), hidden, torch.from_numpy(labels), bias=layer.bias is not None)


def last_linear(network: Network, inputs: Tensors) -> torch.nn.Linear:
    """The linear layer that makes the logits."""
    ran = modules_run(network, tuple(t[:1] for t in inputs))
    last: Any = ran[-1][1] if ran else None
    if network.output != "logit" or not network.classes or not isinstance(last, torch.nn.Linear):
        why = "influence by the last layer needs a classifier that ends in a linear layer of logits"
        raise Unavailable("not_applicable", why, "nothing to do")
    return last


def _closed_form(logits: torch.Tensor, hidden: torch.Tensor, labels: torch.Tensor, *, bias: bool) -> Floats:
    if logits.shape[1] == 1:
        miss = (torch.sigmoid(logits[:, 0]) - labels) ** 2
    else:
        wanted = torch.nn.functional.one_hot(labels, logits.shape[1])
        miss = ((torch.softmax(logits, dim=1) - wanted) ** 2).sum(dim=1)
    return np.asarray((miss * ((hidden**2).sum(dim=1) + bias)).numpy())
