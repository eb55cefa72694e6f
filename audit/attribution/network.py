"""The scalar that a torch module is explained by, and what must hold before its gradients mean anything (T0).

Logits are explained, not softmax outputs: behind a softmax the other classes' evidence and saturation mix into the
map. Binary: the log-odds of the target. Multiclass: the logit of the target (log-probability where the module returns
probabilities). Regressor: the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from audit.data import Columns
from audit.errors import Unavailable
from audit.models import Differentiable

from .explanation import typical_change

Tensors = tuple[torch.Tensor, ...]
CLIP = 1e-6
# a convolutional layer may hold 64 times the numbers of its input: 16 MB of float32 a layer, and as much backwards
NUMBERS_PER_CALL = 1 << 16
ROWS_PER_CALL = 1 << 13
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
        module = getattr(model.module, "_orig_mod", model.module)
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
        out = self.module(*inputs)
        if not isinstance(out, torch.Tensor):
            raise Unavailable(
                "not_applicable",
                f"{type(self.module).__name__} returns {type(out).__name__}, gradients need one tensor",
                "wrap the module so that its forward pass returns the tensor of logits",
            )
        return out.reshape(len(out), -1)

    def scalar(self, inputs: Tensors, targets: torch.Tensor) -> torch.Tensor:
        """Shape (n,): the explained scalar of each row; ``targets`` (n,) holds class indices."""
        return self.scalar_of(self.outputs(inputs), targets)

    def scalar_of(self, out: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The explained scalar (n,) from the module's outputs (n, outputs)."""
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
        size = rows_per_call(inputs)
        with torch.no_grad():
            parts = [self.outputs(tuple(t[i : i + size] for t in inputs)) for i in range(0, len(inputs[0]), size)]
        return torch.cat(parts)

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
        if outputs.shape[1] > 1:
            return outputs.argmax(dim=1)
        middle = 0.5 if self.output == "probability" else 0.0
        return (outputs[:, 0] > middle).long() if self.classes else torch.zeros(len(outputs), dtype=torch.long)


def rows_per_call(inputs: Tensors) -> int:
    """Rows that are sent through the module at once."""
    numbers = sum(int(np.prod(t.shape[1:])) for t in inputs)
    return int(np.clip(NUMBERS_PER_CALL // max(numbers, 1), 1, ROWS_PER_CALL))


def encoded(model: Differentiable, columns: Columns) -> Tensors:
    """The module's inputs; Unavailable when no gradient can be taken along them (whole numbers, NaN)."""
    inputs = model.encode(columns)
    tensors = inputs if isinstance(inputs, tuple) else (inputs,)
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


def preflight(network: Network, inputs: Tensors) -> torch.Tensor:
    """T0: outputs (n, outputs) that are finite, reproducible and what they were declared to be, else Unavailable."""
    first, second = network.answers(inputs), network.answers(inputs)
    name = type(network.module).__name__
    if not bool(torch.isfinite(first).all()):
        detail = f"{name} returned NaN or infinite outputs for {int((~torch.isfinite(first)).any(dim=1).sum())} rows"
        raise Unavailable("undefined", detail, "impute missing inputs in encode, and check the weights for overflow")
    difference = float((first - second).abs().max()) if first.numel() else 0.0
    if difference > REPRODUCED * (1 + float(first.abs().max()) if first.numel() else 1.0):
        detail = f"{name} returns different outputs for the same input (largest difference {difference:.3g})"
        raise Unavailable("withheld", detail, "remove random layers from the forward pass in evaluation mode")
    if network.output == "logit" and first.shape[1] > 1 and _sums_to_one(first):
        detail = f"{name} is declared to return logits, and its outputs are probabilities"
        raise Unavailable("withheld", detail, 'set output = "probability" in [model], or remove the softmax')
    return first


def _sums_to_one(outputs: torch.Tensor) -> bool:
    near = torch.allclose(outputs.sum(dim=1), torch.ones(len(outputs), dtype=outputs.dtype, device=outputs.device))
    return bool((outputs >= 0).all()) and near
