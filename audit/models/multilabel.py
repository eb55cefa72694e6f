"""Models that give each row several labels, and one label of such a model as a binary classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import ModelError
from audit.models.base import Differentiable, Embedder, Model, MultilabelClassifier, MultilabelDecider

if TYPE_CHECKING:
    from audit.models.torch import TorchMultilabel

MIDDLE = 0.5  # where a model has probabilities and no decisions of its own


class OneDecider:
    """One label of a model that decides and gives no probabilities. ``classes`` are without and with the label."""

    def __init__(self, model: Model, at: int, classes: tuple[str, str]) -> None:
        self.kind, self.features = model.kind, model.features
        self.classes: tuple[str, ...] = classes
        self.name = f"{model.name}, label {model.classes[at]}"
        self._model, self._at = model, at

    def predict(self, columns: Columns) -> NDArray[Any]:
        return self._named(self._decided(columns))

    def _decided(self, columns: Columns) -> NDArray[np.bool_]:
        if not isinstance(self._model, MultilabelDecider):
            raise ModelError(f"{self.name} can neither decide nor give probabilities")
        return self._model.decide_labels(columns)[:, self._at]

    def _named(self, held: NDArray[np.bool_]) -> NDArray[Any]:
        return np.asarray(np.array(self.classes, dtype=object)[held.astype(int)])


class OneClassifier(OneDecider):
    """One label of a model that gives its probability. Decided by ``threshold``, else by the model itself."""

    def __init__(self, model: Model, at: int, classes: tuple[str, str], threshold: float | None) -> None:
        super().__init__(model, at, classes)
        self.threshold = threshold

    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        held = self._held(columns)
        return np.column_stack([1 - held, held])

    def _held(self, columns: Columns) -> NDArray[np.float64]:
        if not isinstance(self._model, MultilabelClassifier):
            raise ModelError(f"{self.name} gives no probabilities")
        return self._model.predict_labels(columns)[:, self._at]

    def _decided(self, columns: Columns) -> NDArray[np.bool_]:
        if self.threshold is None and isinstance(self._model, MultilabelDecider):
            return super()._decided(columns)
        return np.asarray(self._held(columns) >= (MIDDLE if self.threshold is None else self.threshold))


def one_label(model: Model, at: int, classes: tuple[str, str], threshold: float | None) -> Model:
    """The label at this place as a binary classifier whose second class is that the label holds.

    A network stays one, so that it can be differentiated.
    """
    if isinstance(model, Differentiable) and isinstance(model, MultilabelClassifier):
        return _one_output(model, at, classes)
    if isinstance(model, MultilabelClassifier):
        return OneClassifier(model, at, classes, threshold)
    return OneDecider(model, at, classes)


def _one_output(model: Any, at: int, classes: tuple[str, str]) -> Model:
    """The network with its other outputs cut off."""
    import torch

    from audit.models.text import TextModel
    from audit.models.torch import OneOutput, TorchClassifier, TorchModel

    network: TorchMultilabel = model
    module: torch.nn.Module = OneOutput(network.module, at)
    encode = network.encode
    if isinstance(model, Embedder):
        read = TextModel(
            module,
            encode,
            model.tokens,
            classes,
            network.output,
            network.features,
            embedding=f"inner.{model.embedding}",
            padding=model.padding,
        )
        return read.finished(TorchClassifier(read, network.output, network.device))
    cut = TorchModel(module, encode, classes, network.output, network.features)
    return TorchClassifier(cut, network.output, network.device)
