"""The scalar that a torch module is explained by, and what must hold before its gradients mean anything (T0).

Logits are explained, not softmax outputs: behind a softmax the other classes' evidence and saturation mix into the
map. Binary: the log-odds of the target. Multiclass: the logit of the target (log-probability where the module returns
probabilities). Regressor: the value.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch

from audit.counting import count
from audit.data import Columns
from audit.errors import ModelError, Unavailable
from audit.models import Differentiable
from audit.models.portions import in_calls, out_of_memory
from audit.models.probabilities import TOLERANCE
from audit.models.refusals import RAISED, refused

from .explanation import typical_change

Tensors = tuple[torch.Tensor, ...]
CLIP = 1e-6
# a convolutional layer may hold 64 times the numbers of its input: 16 MB of float32 a layer, and as much backwards
NUMBERS_PER_CALL = 1 << 16
ROWS_PER_CALL = 1 << 13
BATCHED = 1e-4  # relative; calls of another size may add up in another order
REPRODUCED = 1e-6  # relative; below this two calls may differ by the order of summation on a parallel device


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A module with what its outputs mean."""

    module: torch.nn.Module
    output: str
    classes: tuple[str, ...]

    @classmethod
    def of(cls, model: Differentiable) -> Network:
        # a compiled module ignores hooks once it has run; the eager one underneath computes the same
        module = in_single_precision(getattr(model.module, "_orig_mod", model.module))
        return cls(module=module, output=model.output, classes=getattr(model, "classes", ()))

    @property
    def words(self) -> tuple[str, str]:
        """What is explained, and its unit."""
        if not self.classes:
            return "the predicted value", "target"
        if len(self.classes) == 2:
            return "the log-odds of the target class", "log-odds"
        if self.output == "probability":
            return "the log-probability of the target class", "log-probability"
        return "the logit of the target class", "logit"

    def outputs(self, inputs: Tensors) -> torch.Tensor:
        """Shape (n, outputs)."""
        name = shown_name(self.module)
        try:
            out = self.module(*(t.clone() for t in inputs))  # a module may overwrite what it is given
        except RAISED as error:
            shapes = " and ".join(" x ".join(map(str, t.shape)) for t in inputs)
            raise refused(name, error, f"it was given {shapes} numbers; do features and encode fit it?") from error
        if not isinstance(out, torch.Tensor) or not out.is_floating_point():
            what = str(out.dtype) if isinstance(out, torch.Tensor) else type(out).__name__
            raise Unavailable(
                "not_applicable",
                f"{name} returns {what}, gradients need one tensor of real numbers",
                "wrap the module so that its forward pass returns the tensor of logits",
            )
        if not out.ndim or len(out) != len(inputs[0]):
            detail = (
                f"{name} returns shape {tuple(out.shape)} for {len(inputs[0])} rows: the first axis must be the row"
            )
            raise Unavailable("not_applicable", detail, "wrap the module so that its outputs are N x classes")
        return out.reshape(len(out), -1)

    def _for_classes(self, out: torch.Tensor) -> torch.Tensor:
        """The outputs, if there is one a class, or one alone of two classes and of a value."""
        outputs, names = out.shape[1], len(self.classes)
        if outputs == max(names, 1) or (outputs == 1 and names == 2):
            return out
        asked = f"{names} classes" if names else "one value"
        raise ModelError(
            f"{shown_name(self.module)} returns {outputs} outputs for {asked}: "
            "set classes in [model] to the name of each output, in order, or wrap the module so that it returns these"
        )

    def scalar(self, inputs: Tensors, targets: torch.Tensor) -> torch.Tensor:
        """Shape (n,): the explained scalar of each row; ``targets`` (n,) holds class indices."""
        return self.scalar_of(self.outputs(inputs), targets)

    def scalar_of(self, out: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The explained scalar (n,) from the module's outputs (n, outputs)."""
        out = self._for_classes(out)
        if not self.classes:
            return out[:, 0]
        if self.output == "probability":
            out = out.clamp(CLIP, 1 - CLIP)
            out = out.log() - torch.log1p(-out) if len(self.classes) == 2 else out.log()
        if len(self.classes) == 2:
            odds = out[:, 0] if out.shape[1] == 1 else self._binary(out)
            return torch.where(targets == 1, odds, -odds)
        return out.gather(1, targets[:, None])[:, 0]

    def answers(self, inputs: Tensors) -> torch.Tensor:
        """Shape (n, outputs): the outputs without gradients, in calls that bound the memory."""
        with torch.no_grad():
            return torch.cat(
                in_calls(len(inputs[0]), rows_per_call(inputs), lambda at: self.outputs(tuple(t[at] for t in inputs)))
            )

    def usual(self, answers: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean over these rows of each target's scalar and its typical distance from that mean, both (n,), float64."""
        found = {}
        for target in set(targets.tolist()):
            same = torch.full((len(answers),), target, device=answers.device)
            values = self.scalar_of(answers, same).cpu().double().numpy()
            found[target] = (float(values.mean()), float(typical_change(values)))
        both = torch.tensor([found[target] for target in targets.tolist()], dtype=torch.float64)
        return both[:, 0], both[:, 1]

    def _binary(self, out: torch.Tensor) -> torch.Tensor:
        return out[:, 1] if self.output == "probability" else out[:, 1] - out[:, 0]

    def predicted(self, outputs: torch.Tensor) -> torch.Tensor:
        """Index of the most probable class of each row, shape (n,); zeros for a regressor."""
        outputs = self._for_classes(outputs)
        if outputs.shape[1] > 1:
            return outputs.argmax(dim=1)
        middle = 0.5 if self.output == "probability" else 0.0
        return (outputs[:, 0] > middle).long() if self.classes else torch.zeros(len(outputs), dtype=torch.long)


def rows_per_call(inputs: Tensors) -> int:
    """Rows that are sent through the module at once."""
    numbers = sum(int(np.prod(t.shape[1:])) for t in inputs)
    return int(np.clip(NUMBERS_PER_CALL // max(numbers, 1), 1, ROWS_PER_CALL))


def fastest_layout(network: Network, pictures: torch.Tensor) -> torch.memory_format:
    """Channels last, in which convolutions run up to twice as fast, where the module takes it and answers the same."""
    if pictures.shape[1] == 1 or not any(isinstance(part, torch.nn.Conv2d) for part in network.module.modules()):
        return torch.contiguous_format
    plain = network.answers((pictures,))
    try:
        turned = pictures.contiguous(memory_format=torch.channels_last)
        _require_gradients(network, (turned,))
        same = torch.allclose(network.answers((turned,)), plain, rtol=BATCHED, atol=BATCHED)
    except (ModelError, Unavailable):  # a view that needs the usual order; anything else shows again without it
        return torch.contiguous_format
    return torch.channels_last if same else torch.contiguous_format


def shown_name(module: torch.nn.Module) -> str:
    """The class of the module, or the name of the model that it stands for."""
    return str(getattr(module, "audited", type(module).__name__))


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def in_single_precision(module: torch.nn.Module) -> torch.nn.Module:
    """The module itself, or a copy of it in float32 where it holds half precision: its gradients would be noise."""
    small = (torch.float16, torch.bfloat16)
    if not any(t.dtype in small for t in (*module.parameters(), *module.buffers())):
        return module
    return copy.deepcopy(module).float()


def encoded(model: Differentiable, columns: Columns) -> Tensors:
    """The module's inputs; Unavailable when no gradient can be taken along them (whole numbers, NaN)."""
    tensors = steadily_encoded(model, columns)
    tensors = tuple(t.float() if t.dtype in {torch.float16, torch.bfloat16} else t for t in tensors)
    for tensor in tensors:
        if not tensor.is_floating_point():
            raise Unavailable(
                "not_applicable",
                f"the model takes {tensor.dtype} inputs, and there is no gradient along whole numbers",
                "explain it as a black box, or let the module take embedded inputs",
            )
        if not bool(torch.isfinite(tensor).all()):
            raise Unavailable(
                "not_applicable",
                "the model is given NaN or infinite inputs, between which there is no straight path",
                "explain it as a black box, or impute missing values in encode",
            )
    return tuple(tensor.detach() for tensor in tensors)


def steadily_encoded(model: Differentiable, columns: Columns) -> Tensors:
    """What encode gives for these rows; ModelError where it gives some of them otherwise when asked for fewer."""
    n = len(next(iter(columns.values())))
    some = np.arange((n + 1) // 2)[::-1].copy()
    first, again = (
        tuple(given) if isinstance(given, tuple) else (given,)
        for given in (model.encode(columns), model.encode({name: values[some] for name, values in columns.items()}))
    )
    for whole, part in zip(first, again, strict=True):
        if whole.shape[1:] == part.shape[1:] and not _alike(whole[torch.from_numpy(some)], part):
            raise ModelError(
                "encode gives another result for the same rows when it is called again with fewer of them: it may "
                "neither draw random numbers nor use means or the like over the rows of a call; keep those of training"
            )
    return first


def _alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    if not one.is_floating_point():
        return bool((one == other).all())
    return bool(torch.isclose(one.double(), other.double(), rtol=BATCHED, atol=BATCHED, equal_nan=True).all())


def preflight(network: Network, inputs: Tensors) -> torch.Tensor:
    """T0: outputs (n, outputs) that are steady, carry gradients and are what they were declared to be, else
    Unavailable."""
    first = steady(network, inputs)
    _require_gradients(network, inputs)
    if network.output == "logit" and first.shape[1] > 1 and _sums_to_one(first):
        detail = f"{shown_name(network.module)} is declared to return logits, and its outputs are probabilities"
        raise Unavailable("withheld", detail, 'set output = "probability" in [model], or remove the softmax')
    if network.output == "probability" and network.classes and not _are_probabilities(first):
        low, high = float(first.min()), float(first.max())
        detail = f"{shown_name(network.module)} is declared to return probabilities, and its outputs "
        detail += f"lie in {low:.3g} to {high:.3g}" if low < 0 or high > 1 else "do not sum to 1"
        raise Unavailable("withheld", detail, 'set output = "logit" in [model], or end the module in a softmax')
    return first


def _are_probabilities(outputs: torch.Tensor) -> bool:
    inside = bool(((outputs >= -TOLERANCE) & (outputs <= 1 + TOLERANCE)).all())
    return inside and (outputs.shape[1] == 1 or float((outputs.sum(dim=1) - 1).abs().max()) <= TOLERANCE * 10)


def steady(network: Network, inputs: Tensors) -> torch.Tensor:
    """Outputs (n, outputs) that are finite, reproducible and independent of the rows beside them, else Unavailable."""
    first = network.answers(inputs)
    name = shown_name(network.module)
    if not bool(torch.isfinite(first).all()):
        broken = int((~torch.isfinite(first)).any(dim=1).sum())
        detail = f"{name} returned NaN or infinite outputs for {count(broken, 'row')}"
        raise Unavailable("undefined", detail, "impute missing inputs in encode, and check the weights for overflow")
    _require_reproduced(network, inputs, first)
    return first


def _require_gradients(network: Network, inputs: Tensors) -> None:
    """Unavailable, so that a black-box method takes over, when none reach the inputs."""
    some = [t[:2].detach().clone().requires_grad_(t.is_floating_point()) for t in inputs]
    backward(network.outputs(tuple(some)).sum(), [t for t in some if t.requires_grad])


def backward(total: torch.Tensor, points: list[torch.Tensor]) -> tuple[torch.Tensor | None, ...]:
    """Gradients along ``points``. Unavailable when there are none that are numbers: a map of zeros would be a lie."""
    remedy = "explain it as a black box, or give the module in floating point and without no_grad or detach"
    absent = "the outputs carry no gradients: the forward pass detaches them, runs under no_grad, or is quantised"
    if not total.requires_grad:
        raise Unavailable("not_applicable", absent, remedy)
    try:
        gradients = torch.autograd.grad(total, points, allow_unused=True)
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        raise Unavailable("not_applicable", f"no gradients can be taken: {first_line(error)}", remedy) from error
    if all(g is None for g in gradients):
        raise Unavailable("not_applicable", absent, remedy)
    if not all(g is None or bool(torch.isfinite(g).all()) for g in gradients):
        raise Unavailable("not_applicable", "the gradients are NaN or infinite between baseline and input", remedy)
    return gradients


def _require_reproduced(network: Network, inputs: Tensors, first: torch.Tensor) -> None:
    """The rows again, in the opposite order and in other calls: one pass shows chance and neighbours alike."""
    scale = 1 + float(first.abs().max()) if first.numel() else 1.0
    difference = _gap_backwards(network, inputs, first) if len(first) > 1 else _gap_beside(network, inputs, first)
    if difference <= BATCHED * scale:
        return
    name = shown_name(network.module)
    if _largest_gap(first, network.answers(inputs)) > REPRODUCED * scale:
        detail = f"{name} returns different outputs for the same input (largest difference {difference:.3g})"
        raise Unavailable("withheld", detail, "remove random layers from the forward pass in evaluation mode")
    detail = f"{name} returns another output for a row when other rows stand beside it (difference {difference:.3g})"
    if difference == float("inf"):
        detail = f"{name} answers {len(first)} rows at once and refuses another number of them"
    remedy = (
        "let the forward pass treat rows alone: running statistics in evaluation mode, no means over the batch; "
        "of texts, mask the padding that evens out their lengths, or pad every text to one length; "
        "of a dynamically quantised module, explain the one in floating point"
    )
    raise Unavailable("withheld", detail, remedy)


def _gap_backwards(network: Network, inputs: Tensors, first: torch.Tensor) -> float:
    n = len(first)
    backwards = tuple(t.flip(0) for t in inputs)
    size = max(1, min(rows_per_call(inputs), n) // 2)
    try:
        with torch.no_grad():
            again = torch.cat(in_calls(n, size, lambda at: network.outputs(tuple(t[at] for t in backwards))))
    except ModelError:  # it answered all rows together, and will not answer fewer
        return float("inf")
    return _largest_gap(first, again.flip(0))


def _gap_beside(network: Network, inputs: Tensors, first: torch.Tensor) -> float:
    """Of a single row: how far its output moves when another one, of half its numbers, stands beside it."""
    two = tuple(torch.cat([t, t / 2 if t.is_floating_point() else t]) for t in inputs)
    try:
        with torch.no_grad():
            return _largest_gap(first, network.outputs(two)[:1])
    except ModelError:  # it answers one row, and will not answer more
        return float("inf")


def _largest_gap(first: torch.Tensor, second: torch.Tensor) -> float:
    gap = (first - second).abs().max() if first.numel() else torch.zeros(())
    return float("inf") if bool(torch.isnan(gap)) else float(gap)


def _sums_to_one(outputs: torch.Tensor) -> bool:
    near = torch.allclose(outputs.sum(dim=1), torch.ones(len(outputs), dtype=outputs.dtype, device=outputs.device))
    return bool((outputs >= 0).all()) and near
