"""torch modules: logits, probabilities or values from float32 inputs, or from the user's own ``encode``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from audit.data import Columns
from audit.data.dataset import shown
from audit.errors import ModelError
from audit.models.base import Output
from audit.models.label_columns import of_labels
from audit.models.portions import by_halves, out_of_memory
from audit.models.refusals import RAISED, in_words, one_value, refused
from audit.results import Scalar

Encoded = torch.Tensor | tuple[torch.Tensor, ...]
Encode = Callable[[Columns], Encoded]


class TorchModel:
    """What a factory may return: a module, how to encode a table for it, and what its outputs mean.

    ``encode`` maps :data:`audit.data.Columns` to the module's input tensors (first axis the row); without it numbers
    are stacked in order as float32, and one image column is passed as N x C x H x W.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        encode: Encode | None = None,
        classes: Sequence[Scalar] = (),
        output: Output | None = None,
        features: Sequence[str] | None = None,
    ) -> None:
        self.module, self.encode, self.output = module, encode or stacked, output
        self.classes = tuple(map(shown, classes))
        self.features = None if features is None else tuple(features)

    def finished(self, adapter: TorchAdapter) -> TorchAdapter:
        """The adapter with what a more particular kind of model adds to it."""
        return adapter


def stacked(columns: Columns, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Numbers side by side as ``dtype`` of shape (n, features); one picture column as N x C x H x W."""
    exact = np.float64 if dtype == torch.float64 else np.float32
    if len(columns) == 1 and (only := next(iter(columns.values()))).ndim > 1:
        return torch.from_numpy(np.ascontiguousarray(only, dtype=exact)).to(dtype)
    for name, values in columns.items():
        if values.ndim > 1 or values.dtype.kind not in "biuf":
            raise ModelError(
                f'column "{name}" does not hold plain numbers: give the model an encode hook '
                "(the factory returns audit.TorchModel(module, encode=...))"
            )
    return torch.from_numpy(np.column_stack([np.asarray(v, dtype=exact) for v in columns.values()])).to(dtype)


def _own_dtype(module: torch.nn.Module) -> torch.dtype:
    """What the module's layers compute in, float32 where they differ: it takes no other numbers."""
    found = {parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()}
    return found.pop() if len(found) == 1 else torch.float32


def _placed(module: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """The module on the device. ModelError where it holds no weights yet, or cannot be put in evaluation mode."""
    name, tensors = type(module).__name__, [*module.parameters(), *module.buffers()]
    if any(torch.nn.parameter.is_lazy(tensor) for tensor in tensors):
        raise ModelError(f"{name} has lazy layers without weights: call it once with some rows, and load its weights")
    if any(tensor.is_meta for tensor in tensors):
        raise ModelError(f"{name} is on the meta device, where tensors hold no numbers: load its weights on the CPU")
    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()
    except NotImplementedError as error:
        raise ModelError(
            f"{name} has no evaluation mode ({in_words(error)}): audit the module it was made from"
        ) from error
    finally:
        for part, mode in modes.items():
            part.training = mode
    return module.to(device)


def _tensor(part: object, name: str, n: int, device: torch.device) -> torch.Tensor:
    """A copy on the device, for a module may overwrite its input, which may be the table itself."""
    if not isinstance(part, torch.Tensor) or not part.ndim or len(part) != n:
        got = f"shape {tuple(part.shape)}" if isinstance(part, torch.Tensor) else type(part).__name__
        raise ModelError(
            f"the encode of {name} must return a tensor, or a tuple of tensors, with a row for each of the {n} rows "
            f"of the data, got {got}"
        )
    return part.to(device, copy=True)


class _Network:
    kind = "torch"

    def __init__(self, spec: TorchModel, output: Output, device: torch.device) -> None:
        self.module, self.output, self.device = _placed(spec.module, device), output, device
        self._encode = spec.encode
        self.name, self.classes, self.features = type(spec.module).__name__, spec.classes, spec.features

    def encode(self, columns: Columns) -> Encoded:
        try:
            own = self._encode is stacked
            given = stacked(columns, _own_dtype(self.module)) if own else self._encode(columns)
        except RAISED as error:
            raise refused(f"the encode of {self.name}", error) from error
        n = len(next(iter(columns.values())))
        if isinstance(given, tuple):
            return tuple(_tensor(part, self.name, n, self.device) for part in given)
        return _tensor(given, self.name, n, self.device)

    def _outputs(self, columns: Columns) -> NDArray[np.float64]:
        """Shape (n, outputs), computed in evaluation mode; the module's mode is put back afterwards."""
        modes = {name: part.training for name, part in self.module.named_modules()}
        self.module.eval()
        try:
            out = self._answered(columns)
        except RAISED as error:
            fitting = ": one row needs more memory than there is" if out_of_memory(error) else self._fitting(columns)
            raise ModelError(f"{self.name} refused the data: {in_words(error)}{fitting}") from error
        finally:
            for name, part in self.module.named_modules():
                part.training = modes[name]
        if not isinstance(out, torch.Tensor) or out.ndim == 0 or len(out) != len(next(iter(columns.values()))):
            found = f"shape {tuple(out.shape)}" if isinstance(out, torch.Tensor) else type(out).__name__
            raise ModelError(f"{self.name} must return one tensor with a row for each row of the data, got {found}")
        if not isinstance(out, torch.Tensor) or out.is_complex():
            what = "complex numbers" if isinstance(out, torch.Tensor) else type(out).__name__
            raise ModelError(
                f"{self.name} returns {what}: wrap it so that its forward pass returns one tensor of real numbers"
            )
        outputs = out.detach().to("cpu", torch.float64).numpy()
        return np.asarray(outputs.reshape(len(outputs), -1))

    def _fitting(self, columns: Columns) -> str:
        """What a user compares when a module does not fit its columns."""
        names = list(columns)
        return f": it was given {', '.join(names[:8])}{', ...' if names[8:] else ''}; do features and encode fit it?"

    def _answered(self, columns: Columns) -> Any:
        parts = by_halves(columns, self._once)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _once(self, columns: Columns) -> Any:
        encoded = self.encode(columns)
        with torch.inference_mode():
            return self.module(*encoded) if isinstance(encoded, tuple) else self.module(encoded)


class TorchRegressor(_Network):
    def predict_value(self, columns: Columns) -> NDArray[np.float64]:
        return one_value(self._outputs(columns), self.name)

    def predict(self, columns: Columns) -> NDArray[Any]:
        return self.predict_value(columns)


class TorchClassifier(_Network):
    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        outputs = self._outputs(columns)
        if outputs.shape[1] not in {1, len(self.classes)} or (outputs.shape[1] == 1 and len(self.classes) != 2):
            raise ModelError(
                f"{self.name} returns {outputs.shape[1]} outputs for {len(self.classes)} classes: "
                "set classes in [model] to the name of each output, in order"
            )
        return probabilities(outputs, self.output)

    def predict(self, columns: Columns) -> NDArray[Any]:
        return np.asarray(np.array(self.classes, dtype=object)[self.predict_proba(columns).argmax(axis=1)])


class TorchMultilabel(_Network):
    """A network with one output a label; each says by itself whether its label holds."""

    def predict_labels(self, columns: Columns) -> NDArray[np.float64]:
        outputs = of_labels(self._outputs(columns), self.classes, self.name)
        return each_probability(outputs, self.output)


TorchAdapter = TorchRegressor | TorchClassifier | TorchMultilabel


class OneOutput(torch.nn.Module):
    """A network with all outputs but one cut off."""

    def __init__(self, inner: torch.nn.Module, at: int) -> None:
        super().__init__()
        self.inner, self.at = inner, at

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.inner(*inputs)
        return out.reshape(len(out), -1)[:, self.at : self.at + 1]


def each_probability(outputs: NDArray[np.float64], output: Output) -> NDArray[np.float64]:
    """(n, labels) logits or probabilities as probabilities, each output by itself; an infinite logit has none."""
    return np.where(np.isfinite(outputs), expit(outputs), np.nan) if output == "logit" else outputs


def probabilities(outputs: NDArray[np.float64], output: Output) -> NDArray[np.float64]:
    """(n, 1) or (n, K) logits or probabilities as (n, K) probabilities, the single output being the second class."""
    if output == "logit":
        if outputs.shape[1] == 1:
            outputs = np.column_stack([np.zeros(len(outputs)), outputs[:, 0]])
        with np.errstate(invalid="ignore"):  # an infinite logit has no probability: its row becomes NaN
            shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
    return np.column_stack([1 - outputs[:, 0], outputs[:, 0]]) if outputs.shape[1] == 1 else outputs


def device_for(name: str) -> torch.device:
    """``auto`` takes CUDA, then Apple's MPS, then the CPU. ModelError when a named device is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(f'[model] device = "{name}" cannot be used here ({first}): use "auto" or "cpu"') from error
    return device


def adapt(
    model: torch.nn.Module | TorchModel,
    *,
    classes: Sequence[Scalar] = (),
    output: Output | None = None,
    device: str = "auto",
    multilabel: bool = False,
) -> TorchAdapter:
    """The adapter of a module. ModelError when what its outputs mean was said nowhere.

    ``multilabel``: the classes are labels, and each output says by itself whether its label holds.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise ModelError("a TorchScript module runs code of its own: audit the eager module it was made from")
    spec = model if isinstance(model, TorchModel) else TorchModel(model)
    names = tuple(map(shown, classes)) or spec.classes
    meaning = output or spec.output
    if meaning is None:
        raise ModelError('say what the network returns: output = "logit", "probability" or "value" in [model]')
    known = TorchModel(spec.module, spec.encode, names, meaning, spec.features)
    if meaning == "value":
        return spec.finished(TorchRegressor(known, meaning, device_for(device)))
    if not names:
        raise ModelError("say what the outputs are: classes = [...] in [model], one name an output, in order")
    kind = TorchMultilabel if multilabel else TorchClassifier
    return spec.finished(kind(known, meaning, device_for(device)))
