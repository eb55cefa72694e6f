"""Floating-point operations of a network, forward and backward: exact for what has a formula, and silent about nothing.

    count = count_flops(module, inputs, backward=True)
    count.per_row, count.understated

Operations are counted on a copy without numbers (:mod:`audit.energy.meta_copy`) by torch's own counter, with the
formulas that it lacks (:mod:`audit.energy.flop_formulas`). The forward count is then compared with 2 x multiply-adds
of each linear and convolutional layer that ran, from its shape alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from audit.energy.flop_formulas import FORMULAS, is_free
from audit.energy.meta_copy import meta_copy, on_meta
from audit.errors import Unavailable

Inputs = torch.Tensor | tuple[torch.Tensor, ...]
CONVENTIONS = (
    "a multiply-add is two operations",
    "work that is proportional to the elements (activations, normalisation, pooling, look-ups) counts as 0",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlopCount:
    """Operations of one batch. ``uncounted`` names what has no formula: unless it is empty, the count understates."""

    forward: int
    backward: int
    rows: int
    uncounted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.forward + self.backward

    @property
    def per_row(self) -> float:
        return self.total / self.rows

    @property
    def understated(self) -> bool:
        return bool(self.uncounted)


class _Unknown(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's base class lacks annotations
    """Collects the names of operations that neither have a formula nor are free."""

    def __init__(self, known: Mapping[Any, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known, self.names = known, dict[str, int]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket not in self.known and not is_free(func):
            name = func.overloadpacket.__name__
            self.names[name] = self.names.get(name, 0) + 1
        return func(*args, **(kwargs or {}))


def _layer_flops(layer: nn.Module, given: torch.Tensor, out: torch.Tensor) -> int:
    """2 x multiply-adds of one linear or convolutional layer, from shapes alone."""
    if isinstance(layer, nn.Linear):
        return 2 * prod(out.shape) * layer.in_features
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        return 2 * prod(given.shape) * layer.out_channels // layer.groups * prod(layer.kernel_size)
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return 2 * prod(out.shape) * layer.in_channels // layer.groups * prod(layer.kernel_size)
    return 0


class _Layers:
    """The analytic count of the layers that ran, kept by hooks on the copy."""

    def __init__(self, module: nn.Module) -> None:
        self.flops = 0
        for layer in module.modules():
            if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
                layer.register_forward_hook(self._ran)

    def _ran(self, layer: nn.Module, given: Any, out: Any) -> None:
        if given and isinstance(given[0], torch.Tensor) and isinstance(out, torch.Tensor):
            self.flops += _layer_flops(layer, given[0], out)


def _tensors(output: Any) -> Iterator[torch.Tensor]:
    """Every tensor of an output, however it is nested."""
    if isinstance(output, torch.Tensor):
        yield output
    elif isinstance(output, Mapping):
        for part in output.values():
            yield from _tensors(part)
    elif isinstance(output, list | tuple):
        for part in output:
            yield from _tensors(part)


def _differentiable(output: Any) -> list[torch.Tensor]:
    return [part for part in _tensors(output) if part.requires_grad]


def _counted(module: nn.Module, inputs: tuple[torch.Tensor, ...], *, backward: bool) -> tuple[int, int, list[str]]:
    """(forward, backward, names without a formula) of the copy; the forward is the larger of counter and shapes."""
    layers, counter = _Layers(module), FlopCounterMode(display=False, custom_mapping=FORMULAS)
    unknown = _Unknown(counter.flop_registry)
    with ExitStack() as stack:
        for context in (torch.enable_grad(), counter, unknown):
            stack.enter_context(context)
        output = module(*inputs)
        forward = counter.get_total_flops()
        parts = _differentiable(output) if backward else []
        if parts:
            torch.autograd.backward(parts, [torch.empty_like(part) for part in parts])
    names = [f"{name} ({times} x)" for name, times in sorted(unknown.names.items())]
    if layers.flops > forward:
        missed = f"layers by their shape hold {layers.flops:,} operations, the counter saw {forward:,}"
        return layers.flops, counter.get_total_flops() - forward, [*names, missed]
    return forward, counter.get_total_flops() - forward, names


def _notes(count: tuple[int, int, list[str]], replaced: tuple[str, ...], *, backward: bool) -> tuple[str, ...]:
    notes = list(CONVENTIONS)
    if replaced:
        notes.append(f"{len(replaced)} quantised layers are counted as the float layers of the same shape")
    if count[0] == 0:
        notes.append("no operation of this network has a cost by these conventions: it looks up, adds or copies")
    if backward and count[1] == 0:
        notes.append("nothing in this network is trained by gradients: the backward pass is 0")
    return tuple(notes)


def count_flops(module: nn.Module, inputs: Inputs, *, backward: bool) -> FlopCount:
    """Operations of one call on ``inputs`` (first axis the row; only shapes and types matter).

    With ``backward`` the copy runs in training mode and gradients of all trainable parameters are counted, none for
    the inputs; without, it runs in evaluation mode. The module itself is neither run nor changed. Raises Unavailable
    where the network cannot run without numbers (it branches on values, or refuses the shapes).
    """
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    try:
        shadow, replaced = meta_copy(module)
        shadow.train(backward)
        counts = _counted(shadow, tuple(on_meta(tensor) for tensor in given), backward=backward)
    except (RuntimeError, NotImplementedError, ValueError, TypeError, AttributeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Unavailable(
            "undefined",
            f"the operations of {type(module).__name__} cannot be counted on shapes alone: {first}",
            "record the training with audit.track, or give the energy by another kind of evidence",
        ) from error
    return FlopCount(
        forward=counts[0],
        backward=counts[1],
        rows=len(given[0]),
        uncounted=tuple(counts[2]),
        notes=_notes(counts, replaced, backward=backward),
    )
