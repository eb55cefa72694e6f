"""What a model may be able to do. An adapter implements the small capabilities it has, and no more.

A check or an attribution method asks for the capability by ``isinstance``; nothing asks for a kind of model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.models.forest import Forest
from audit.models.linear import Linear

if TYPE_CHECKING:
    import torch

Output = Literal["logit", "probability", "value"]


@runtime_checkable
class Model(Protocol):
    """Any model under review. ``classes`` is empty for a regressor; ``features`` None where the model cannot tell."""

    kind: str  # "sklearn", "torch", "onnx", "callable", "predictions"
    name: str
    classes: tuple[str, ...]
    features: tuple[str, ...] | None


@runtime_checkable
class Predictor(Protocol):
    def predict(self, columns: Columns) -> NDArray[Any]:
        """Shape (n,): class names as objects for a classifier, float64 for a regressor."""


@runtime_checkable
class ProbabilisticClassifier(Protocol):
    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        """Shape (n, classes), rows sum to 1, columns in the order of ``classes``."""


@runtime_checkable
class MultilabelClassifier(Protocol):
    def predict_labels(self, columns: Columns) -> NDArray[np.float64]:
        """Shape (n, labels), the probability of each label by itself, columns in the order of ``classes``."""


@runtime_checkable
class MultilabelDecider(Protocol):
    def decide_labels(self, columns: Columns) -> NDArray[np.bool_]:
        """Shape (n, labels): the labels that the model gives, columns in the order of ``classes``."""


@runtime_checkable
class Regressor(Protocol):
    def predict_value(self, columns: Columns) -> NDArray[np.float64]:
        """Shape (n,)."""


@runtime_checkable
class Differentiable(Protocol):
    """A torch module whose input gradients mean something. ``device`` is where it runs."""

    module: torch.nn.Module
    output: Output  # what the module returns
    device: torch.device

    def encode(self, columns: Columns) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """The module's inputs for these rows, first axis the row, on ``device``."""


class _Designed(Protocol):
    plain: bool  # the design matrix is the features as they are, in their order

    def design(self, columns: Columns) -> NDArray[np.float64]:
        """Shape (n, t): the numbers that the model itself works on, after encoding and scaling."""


@runtime_checkable
class TreeEnsemble(_Designed, Protocol):
    """A sum of decision trees over a design matrix."""

    def forest(self) -> Forest:
        """The trees; Unavailable (not_applicable) where they are not all there is."""


@runtime_checkable
class LinearModel(_Designed, Protocol):
    """A weighted sum of the columns of a design matrix."""

    def linear(self) -> Linear:
        """The weights; Unavailable (not_applicable) for several targets."""


@runtime_checkable
class Embedder(Protocol):
    """A differentiable model whose first input is token ids (n, length) that it looks up in one embedding layer."""

    embedding: str  # name of the layer in the module
    padding: int  # id of the token that fills up short texts, on the right

    def tokens(self, columns: Columns) -> tuple[tuple[str, ...], ...]:
        """The tokens of each row as a person reads them, without padding."""
