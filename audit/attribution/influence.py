"""How strongly single training rows hold the last layer in place (TracIn: Pruthi et al., NeurIPS 2020), by Captum.

A row's self-influence is the squared gradient of its own loss: a row that the network can fit only by itself, such as a
mislabelled one, has a large one. Captum's TracInCPFast is given a copy of the last layer alone, in double precision and
with what entered it, so that it never touches the audited module, reads no checkpoint file and draws nothing. It leaves
the gradient of a bias out, so the bias is a weight of the copy, on an input that is always 1. For cross-entropy its
numbers are |p - y|^2 (|h|^2 + 1), where h enters the layer.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.models.portions import in_calls

from .captum_door import TracInCPFast
from .execution import modules_run
from .network import Network, Tensors, rows_per_call

Floats = NDArray[np.float64]

ROWS = 1024  # that Captum takes at once


def self_influence(network: Network, inputs: Tensors, labels: NDArray[np.int64]) -> Floats:
    """Shape (n,): of each row with its label (index into the classes). The module must be borrowed by ``untouched``.

    Unavailable unless the network ends in a linear layer that gives logits.
    """
    layer = last_linear(network, inputs)
    head = _head(layer)
    entered: list[torch.Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, given: entered.append(given[0].detach()))

    def call(at: slice) -> Floats:
        entered.clear()
        with torch.no_grad():
            network.outputs(tuple(t[at] for t in inputs))
        hidden = entered[0].cpu().double().reshape(len(labels[at]), -1)
        if layer.bias is not None:
            hidden = torch.cat([hidden, torch.ones(len(hidden), 1, dtype=torch.float64)], dim=1)
        return _self_influence(head, hidden, torch.from_numpy(labels[at]))

    try:
        return np.concatenate(in_calls(len(labels), rows_per_call(inputs), call))
    finally:
        handle.remove()


def last_linear(network: Network, inputs: Tensors) -> torch.nn.Linear:
    """The linear layer that makes the logits."""
    ran = modules_run(network, tuple(t[:1] for t in inputs))
    last: Any = ran[-1][1] if ran else None
    if network.output != "logit" or not network.classes or not isinstance(last, torch.nn.Linear):
        why = "influence by the last layer needs a classifier that ends in a linear layer of logits"
        raise Unavailable("not_applicable", why, "nothing to do")
    return last


def _head(layer: torch.nn.Linear) -> torch.nn.Linear:
    """A copy in double precision whose last weight is the bias."""
    weight = layer.weight.detach().cpu().double()
    if layer.bias is not None:
        weight = torch.cat([weight, layer.bias.detach().cpu().double()[:, None]], dim=1)
    head = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=torch.float64)
    head.weight.data.copy_(weight)
    return head


def _self_influence(head: torch.nn.Linear, hidden: torch.Tensor, labels: torch.Tensor) -> Floats:
    single = head.out_features == 1
    loss = torch.nn.BCEWithLogitsLoss(reduction="sum") if single else torch.nn.CrossEntropyLoss(reduction="sum")
    data = torch.utils.data.TensorDataset(hidden, labels.double()[:, None] if single else labels)
    tracin = TracInCPFast(
        model=_Alone(head),
        final_fc_layer="head",
        train_dataset=data,
        checkpoints=["as it is"],
        checkpoints_load_func=lambda *_: 1.0,  # the weights are there already; the learning rate is 1
        loss_fn=loss,
        batch_size=ROWS,
    )
    found: Any = tracin.self_influence()
    return np.asarray(found.detach().numpy())


class _Alone(torch.nn.Module):
    """A last layer by itself, under a name that Captum can be given."""

    def __init__(self, head: torch.nn.Linear) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.head(hidden))
