"""The concept test of ``concepts`` with Captum's TCAV as the engine.

Captum makes the activations, the gradients and the scores. What it would leave behind or draw by chance is taken from
it: its files lie in a temporary folder, the module is borrowed, and the activation vectors are the closed-form ridge
vectors of ``concepts`` in place of a classifier fitted by stochastic descent in an order that the global random stream
gives. The test is by rank among random concepts. The usual t test, of the concept's scores against several random
sets with the scores of random sets against each other, takes scores that share the concept's rows to be independent: at
5 % it finds more than half of all random concepts significant.
"""

from __future__ import annotations

from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .captum_door import TCAV, Classifier, Concept
from .concepts import Layer, Sensitivity, activation_vectors, require_concept
from .network import Network, Tensors, rows_per_call

RANDOM = 40  # concepts; each is kept on disk while Captum works
MODULE = "module"


def captum_sensitivity(
    network: Network,
    inputs: Tensors,
    targets: torch.Tensor,
    layer: Layer,
    concept: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Sensitivity:
    """As ``concepts.sensitivity``, with 40 random concepts. ``layer`` says where. The module must be borrowed."""
    require_concept(concept)
    marks = [concept, *(rng.permutation(concept) for _ in range(RANDOM))]
    sets = [_experiment(2 * i, mark, inputs) for i, mark in enumerate(marks)]
    place = f"{MODULE}.{layer.name}"
    with TemporaryDirectory() as folder:
        tcav = TCAV(_Scalar(network, len(inputs)), [place], save_path=folder, classifier=_Ridge())
        found: Any = tcav.interpret(inputs, sets, additional_forward_args=(targets,))
    scores: list[Mapping[str, torch.Tensor]] = [found[_key(one)][place] for one in sets]
    rising = round(float(scores[0]["sign_count"][0]) * len(concept))
    size = float(np.linalg.norm(layer.gradients, axis=1).mean())
    slopes = np.array([float(score["magnitude"][0]) for score in scores]) / (size or 1.0)
    as_steep = int((np.abs(slopes[1:]) >= abs(slopes[0]) - 1e-9).sum())  # Captum's scores are in single precision
    return Sensitivity(rising=rising, rows=len(concept), slope=float(slopes[0]), p=(1 + as_steep) / (1 + RANDOM))


def _experiment(first: int, mark: NDArray[np.bool_], inputs: Tensors) -> list[Concept]:
    """The marked rows and the others, in batches that bound the memory."""
    size = rows_per_call(inputs)
    both = []
    for k, side in enumerate((mark, ~mark)):
        at = torch.from_numpy(np.flatnonzero(side))
        batches = [tuple(t[part] for t in inputs) for part in at.split(size)]
        both.append(Concept(first + k, f"{first + k}", batches))
    return both


def _key(concepts: list[Concept]) -> str:
    return "-".join(str(one.id) for one in concepts)


class _Scalar(torch.nn.Module):
    """The explained scalar of a network, as a module whose parts Captum can name."""

    def __init__(self, network: Network, inputs: int) -> None:
        super().__init__()
        self.module = network.module
        self.network, self.inputs = network, inputs

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        """Of ``inputs`` tensors and the targets; where only the layer's activations are asked for there are none."""
        own, rest = given[: self.inputs], given[self.inputs :]
        targets = rest[0] if rest else torch.zeros(len(own[0]), dtype=torch.long, device=own[0].device)
        return self.network.scalar(own, targets)


class _Ridge(Classifier):  # type: ignore[misc]
    """The vectors of ``concepts.activation_vectors``: nothing is drawn, and all rows are used."""

    def __init__(self) -> None:
        self._vectors, self._labels = torch.zeros(0), [0, 1]

    def train_and_eval(self, dataloader: Any) -> dict[str, Any]:
        parts = list(dataloader)
        rows = torch.cat([part[0] for part in parts]).cpu().double().numpy()
        labels = torch.cat([part[1] for part in parts]).cpu().numpy()
        self._labels = list(dict.fromkeys(labels.tolist()))  # the concept comes first
        vector = activation_vectors(rows, (labels == self._labels[0]).astype(np.float64)[:, None])[:, 0]
        self._vectors = torch.from_numpy(np.stack([vector, -vector]))
        return {}

    def weights(self) -> torch.Tensor:
        return self._vectors

    def classes(self) -> list[int]:
        return self._labels
