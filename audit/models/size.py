"""How large a model is: its learned numbers, those that are not 0, those that training may change, and its bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.errors import Unavailable
from audit.models.base import Differentiable, LinearModel, TreeEnsemble
from audit.models.forest import LEAF, Forest
from audit.models.linear import Linear
from audit.models.loading import LoadedModel, read_model_file
from audit.models.onnx_weights import count_weights

if TYPE_CHECKING:
    import torch

NOT_LEARNED = ("running_mean", "running_var", "num_batches_tracked", "scale", "zero_point")
"""Buffers that are statistics of the data or settings of a quantised layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Learned numbers of a model, as ``what`` says. ``trainable`` is None where a model has no such notion."""

    parameters: int
    nonzero: int
    trainable: int | None
    what: str


def numbers_of(loaded: LoadedModel, root: Path) -> Numbers:
    """The learned numbers. Raises Unavailable for a model whose inside cannot be seen."""
    model = loaded.model
    if isinstance(model, Differentiable):
        return _of_network(model.module)
    if model.kind == "onnx":
        return _of_onnx(loaded, root)
    if isinstance(model, TreeEnsemble):
        return _of_trees(model.forest())
    if isinstance(model, LinearModel):
        return _of_linear(model.linear())
    detail = f"the inside of {model.name} is not known"
    raise Unavailable("not_applicable", detail, "give a network, an ONNX file, trees or a linear model")


def _of_trees(forest: Forest) -> Numbers:
    leaf = forest.column == LEAF
    values, splits = forest.value[leaf], int((~leaf).sum())
    return Numbers(
        parameters=values.size + 2 * splits,
        nonzero=int(np.count_nonzero(values)) + 2 * splits,
        trainable=None,
        what=f"{int(leaf.sum()):,} leaves with their values, {splits:,} splits with a column and a threshold each",
    )


def _of_linear(linear: Linear) -> Numbers:
    parts = (linear.coefficients, linear.intercept)
    return Numbers(
        parameters=sum(part.size for part in parts),
        nonzero=sum(int(np.count_nonzero(part)) for part in parts),
        trainable=None,
        what="weights and intercepts",
    )


def _of_network(module: torch.nn.Module) -> Numbers:
    trainable = sum(p.numel() for p in module.parameters() if p.requires_grad)
    tensors = weights(module)
    return Numbers(
        parameters=sum(tensor.numel() for tensor in tensors),
        nonzero=sum(_nonzero(tensor) for tensor in tensors),
        trainable=trainable,
        what="parameters, packed quantised weights and stored buffers, without running statistics",
    )


def weights(module: torch.nn.Module) -> list[torch.Tensor]:
    """Every tensor of learned numbers once: a quantised layer has no ``parameters()``, its weights are packed."""
    found: dict[int, torch.Tensor] = {}
    for name, value in module.state_dict(keep_vars=True).items():
        if name.rpartition(".")[2] not in NOT_LEARNED:
            found.update((id(tensor), tensor) for tensor in _tensors(value))
    return list(found.values())


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """The tensors of an entry of a state dictionary, however it is packed."""
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, torch.ScriptObject):
        yield from _tensors(_state(value))


def _state(packed: Any) -> Any:
    """A packed weight: the older kinds unpack to (weight, bias), the others hold their state."""
    return packed.__getstate__() if hasattr(packed, "__getstate__") else packed.unpack()


def _nonzero(tensor: torch.Tensor) -> int:
    import torch

    plain = tensor.detach().int_repr() if tensor.is_quantized else tensor.detach()
    return int(torch.count_nonzero(plain))


def _of_onnx(loaded: LoadedModel, root: Path) -> Numbers:
    content = read_model_file(loaded.path, root)
    if hashlib.sha256(content).hexdigest() != loaded.sha256:
        raise Unavailable("missing_input", f"{loaded.path} changed during the audit", "run the audit again")
    parameters, nonzero = count_weights(content)
    if not parameters:
        detail = f"{loaded.model.name} keeps its numbers in its nodes, not as initialisers"
        raise Unavailable("not_applicable", detail, "audit the model that it was exported from")
    return Numbers(parameters=parameters, nonzero=nonzero, trainable=None, what="weights of the initialisers")


def size_of(loaded: LoadedModel) -> tuple[int, str]:
    """(bytes, of what): the file's, or what the model would take if it were saved. Unavailable where it cannot be."""
    if loaded.bytes:
        return loaded.bytes, f"size of {Path(loaded.path).name}"
    model = loaded.model
    if isinstance(model, Differentiable):
        return _saved(model.module), "size of the state dictionary, saved"
    if model.kind == "sklearn":
        return _dumped(model), "size as a skops file"
    detail = f"{model.name} was given in memory and cannot be saved"
    raise Unavailable("missing_input", detail, "audit it from a file")


class _Counted(io.BytesIO):
    """A file that keeps nothing but its length: a copy of a large network would not fit beside it."""

    total = 0

    def write(self, content: Any, /) -> int:
        size = memoryview(content).nbytes
        self.total += size
        return size


def _saved(module: torch.nn.Module) -> int:
    import torch

    stream = _Counted()
    torch.save(module.state_dict(), stream)
    return stream.total


def _dumped(model: Any) -> int:
    import skops.io

    try:
        return len(skops.io.dumps(model.estimator))
    except (TypeError, ValueError, AttributeError) as error:
        detail = f"{model.name} cannot be saved as skops: {str(error).splitlines()[0]}"
        raise Unavailable("undefined", detail, "audit it from a file") from error
