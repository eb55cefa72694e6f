"""The layers of a network that can be explained: those that run once and give one tensor, found by running it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.errors import Unavailable, nearest

from .network import Network, Tensors

MOST_NAMES = 20  # in a message
CHANNELS_FIRST = (torch.nn.Conv1d, torch.nn.BatchNorm1d, torch.nn.MaxPool1d, torch.nn.AvgPool1d)

Given = dict[str, list[Any]]


def layer_names(network: Network, inputs: Tensors) -> tuple[str, ...]:
    """Names of all layers that can be explained, in the order in which they finish."""
    return tuple(name for name, outputs in _outputs(network, inputs).items() if _usable(outputs))


def chosen_layer(network: Network, inputs: Tensors, name: str, prefix: str = "", given: str = "") -> str:
    """The full name of the layer ``prefix + name``, or of the one in the middle of the pass where no name is given.

    ``given`` is a layer whose output is an input here. Unavailable names the layers that there are.
    """
    found = _outputs(network, inputs)
    usable = [
        full
        for full, outputs in found.items()
        if full.startswith(prefix) and _usable(outputs) and full != prefix + given
    ]
    if not usable:
        raise Unavailable(
            "not_applicable", "the network has no layer that runs once and gives one tensor", "nothing to do"
        )
    if not name:
        inner = [full for full in usable if next(network.module.get_submodule(full).children(), None) is None]
        return (inner or usable)[len(inner or usable) // 2]
    if prefix + name in usable:
        return prefix + name
    known = [full.removeprefix(prefix) for full in usable]
    shown = ", ".join(known[:MOST_NAMES]) + (f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else "")
    why = "is explained by the maps of tokens" if name == given else _why(network, found, prefix + name)
    detail = f'layer "{name}" {why}{nearest(name, known)}'
    raise Unavailable("not_applicable", detail, f"name one of {shown}")


def unit_numbers(part: torch.nn.Module, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The unit of every place of what a layer gives for one row: its channel, its number of the embedding, itself."""
    axis = 0 if len(shape) != 2 or isinstance(part, CHANNELS_FIRST) else 1
    number = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return np.broadcast_to(number, shape).copy()


def _why(network: Network, found: Given, full: str) -> str:
    if full not in dict(network.module.named_modules()) or not full:
        return "is not in the network"
    outputs = found.get(full, [])
    if len(outputs) != 1:
        return f"runs {len(outputs)} times in a pass, and only one that runs once has activations of its own"
    return "gives no single tensor of real numbers with a row for each row"


def _outputs(network: Network, inputs: Tensors) -> Given:
    """What every module gave, call by call; the order is that in which they first finished."""
    found: Given = {}
    handles = []
    for name, part in network.module.named_modules():
        if name:

            def note(_: torch.nn.Module, __: Any, output: Any, name: str = name) -> None:
                found.setdefault(name, []).append(output)

            handles.append(part.register_forward_hook(note))
    try:
        with torch.no_grad():
            network.outputs(tuple(t[:2] for t in inputs))
    finally:
        for handle in handles:
            handle.remove()
    return found


def _usable(outputs: list[Any]) -> bool:
    one = outputs[0] if len(outputs) == 1 else None
    return isinstance(one, torch.Tensor) and one.is_floating_point() and one.ndim > 1
