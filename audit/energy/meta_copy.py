"""A copy of a network without its numbers: it can be run to count operations, and the network itself stays untouched.

The copy lives on torch's meta device, where tensors have a shape and no content. There the fused kernels of the CPU
(LSTM, attention, the fast path of the Transformer) fall apart into the matrix products that they stand for, so that
each can be counted. Quantised layers are replaced by the float layer of the same shape.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

META = torch.device("meta")


def on_meta(tensor: torch.Tensor) -> torch.Tensor:
    """The same shape, type and strides, without content."""
    return torch.empty_like(tensor, device=META)


def _parameter(tensor: torch.Tensor) -> torch.Tensor:
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(on_meta(tensor), requires_grad=tensor.requires_grad)
    return on_meta(tensor.detach())


def _linear(layer: Any) -> nn.Module:
    return nn.Linear(layer.in_features, layer.out_features, device=META)


def _convolution(kind: type[nn.Module]) -> Callable[[Any], nn.Module]:
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
    return lambda layer: kind(**{name: getattr(layer, name) for name in names}, device=META)


def _recurrent(kind: type[nn.Module]) -> Callable[[Any], nn.Module]:
    names = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
    return lambda layer: kind(**{name: getattr(layer, name) for name in names}, device=META)


def _identity(layer: Any) -> nn.Module:
    return nn.Identity()


QUANTISED = "torch.ao.nn.quantized."  # by name: these modules are about to leave torch, and must not be needed here
TWINS: Mapping[str, Callable[[Any], nn.Module]] = MappingProxyType(
    {
        "Linear": _linear,
        "LSTM": _recurrent(nn.LSTM),
        "GRU": _recurrent(nn.GRU),
        "Conv1d": _convolution(nn.Conv1d),
        "Conv2d": _convolution(nn.Conv2d),
        "Conv3d": _convolution(nn.Conv3d),
        "Quantize": _identity,
        "DeQuantize": _identity,
    }
)
"""Quantised layers, by the name of their class, and the float layer that does the same work."""


def twin(layer: nn.Module) -> nn.Module | None:
    """The float layer that a quantised one stands for, or None where the layer is no quantised one."""
    kind = type(layer)
    make = TWINS.get(kind.__name__) if kind.__module__.startswith(QUANTISED) else None
    return make(layer) if make else None


def meta_copy(module: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """(copy on the meta device, names of the quantised layers that were replaced). No content is ever copied."""
    memo: dict[int, Any] = {}
    replaced = []
    for name, layer in module.named_modules():
        if (float_layer := twin(layer)) is not None:
            memo[id(layer)] = float_layer
            replaced.append(name or type(layer).__name__)
            continue
        plain = [value for value in vars(layer).values() if isinstance(value, torch.Tensor)]
        for tensor in (*layer.parameters(recurse=False), *layer.buffers(recurse=False), *plain):
            memo.setdefault(id(tensor), _parameter(tensor))
    return copy.deepcopy(module, memo), tuple(replaced)
