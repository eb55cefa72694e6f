"""Does a hidden layer move the output along a concept? (Kim et al., "Interpretability beyond feature attribution:
quantitative testing with concept activation vectors", ICML 2018.)

A concept is a set of rows. Its activation vector separates their activations from those of the other rows; the score
is the share of rows whose output rises along it. Any direction has some score, and one of 0 or 1 where the gradient
hardly varies; so the test asks how steep the output is along the vector, against vectors of random concepts of the same
size. (Repeated draws from the same rows are not independent, and a t test over them would find too much.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.counting import count
from audit.errors import Unavailable

from .execution import modules_run, runs_once
from .network import Network, Tensors, backward

Floats = NDArray[np.float64]

NULLS = 199
FEWEST = 20
RIDGE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Activations (rows, units) of every row and the gradient of the explained scalar by them."""

    name: str
    activations: Floats
    gradients: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """``rising`` of ``rows`` rise along the concept; ``slope`` is the mean cosine of gradient and vector, -1 to 1;
    ``p`` the share of random concepts (199, or 40 by Captum, and the concept itself) along which the output is as
    steep."""

    rising: int
    rows: int
    slope: float
    p: float


def hidden_layer(network: Network, inputs: Tensors, targets: torch.Tensor) -> Layer:
    """The innermost module in the middle of the forward pass, by order of execution. The module must be borrowed."""
    ran = [(name, part) for name, part, shape in _named(network, inputs) if len(shape) > 1]
    if len(ran) < 3:
        raise Unavailable("not_applicable", "the network has no hidden layer that runs once", "nothing to do")
    name, part = ran[len(ran) // 2]
    kept: list[torch.Tensor] = []

    def keep(_: torch.nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
        leaf = output.detach().requires_grad_()
        kept.append(leaf)
        return leaf.clone()  # a module after it may overwrite what it is given

    handle = part.register_forward_hook(keep)
    try:
        total = network.scalar(inputs, targets).sum()
    finally:
        handle.remove()
    (gradient,) = backward(total, [kept[0]])
    if gradient is None:
        raise Unavailable("not_applicable", f"the output does not depend on layer {name}", "nothing to do")
    flat = (t.detach().reshape(len(targets), -1).cpu().double().numpy() for t in (kept[0], gradient))
    return Layer(name=name, activations=next(flat), gradients=next(flat))


def _named(network: Network, inputs: Tensors) -> list[tuple[str, torch.nn.Module, tuple[int, ...]]]:
    ran = modules_run(network, tuple(t[:1] for t in inputs))
    return [one for one in ran if runs_once(one[1], ran)]


def sensitivity(layer: Layer, concept: NDArray[np.bool_], rng: np.random.Generator) -> Sensitivity:
    """Of the rows' output to the concept that the marked rows share. Unavailable for fewer than 20 rows on a side."""
    require_concept(concept)
    concepts = np.column_stack([concept, *(rng.permutation(concept) for _ in range(NULLS))])
    vectors = activation_vectors(layer.activations, concepts.astype(np.float64))
    along = layer.gradients @ vectors
    size = np.linalg.norm(layer.gradients, axis=1).mean()
    slopes = along.mean(axis=0) / size if size > 0 else np.zeros(1 + NULLS)
    as_steep = int((np.abs(slopes[1:]) >= abs(slopes[0]) - 1e-12).sum())
    return Sensitivity(
        rising=int((along[:, 0] > 0).sum()), rows=len(concept), slope=float(slopes[0]), p=(1 + as_steep) / (1 + NULLS)
    )


def require_concept(concept: NDArray[np.bool_]) -> None:
    """Unavailable for fewer than 20 rows in the concept or outside it."""
    fewest = int(min(concept.sum(), (~concept).sum()))
    if fewest < FEWEST:
        raise Unavailable("insufficient_data", f"{count(fewest, 'row')} show no concept", f"give at least {FEWEST}")


def activation_vectors(activations: Floats, marks: Floats) -> Floats:
    """Unit normals (units, concepts) of ridge classifiers of each column of marks (rows, concepts), by the rows' Gram
    matrix, because layers are wider than concepts are large."""
    centred = activations - activations.mean(axis=0)
    gram = centred @ centred.T
    penalty = RIDGE * max(float(np.trace(gram)), 1e-12)
    normals = centred.T @ np.linalg.solve(gram + penalty * np.eye(len(gram)), marks - marks.mean(axis=0))
    length = np.linalg.norm(normals, axis=0)
    return np.asarray(normals / np.where(length > 0, length, 1.0))
