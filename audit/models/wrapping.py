"""Objects that the Python API is given, behind the right adapter."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from audit.errors import ModelError
from audit.models.base import Model, Output
from audit.results import Scalar


def wrap(
    model: Any,
    *,
    classes: Sequence[Scalar] = (),
    output: Output | str | None = None,
    features: Sequence[str] | None = None,
    device: str = "auto",
    multilabel: bool = False,
) -> Model:
    """An adapter over a scikit-learn estimator, a torch module, an adapter of your own, or a plain function.

    ``multilabel``: ``classes`` are labels, of which a row may have several.
    """
    if isinstance(model, type):
        raise ModelError(f"{model.__name__} is a class: give the fitted model that was made of it")
    if twice := [name for name in dict.fromkeys(classes) if list(classes).count(name) > 1]:
        raise ModelError(f'classes names "{twice[0]}" twice: give each output a name of its own')
    if isinstance(model, Model):
        return model
    if "torch" in sys.modules:
        import torch

        from audit.models.torch import TorchModel, adapt

        if isinstance(model, torch.nn.Module | TorchModel):
            return adapt(model, classes=classes, output=_output(output), device=device, multilabel=multilabel)
    if hasattr(model, "predict"):
        from audit.models import sklearn

        return sklearn.adapt_labels(model, tuple(map(str, classes))) if multilabel else sklearn.adapt(model)
    if callable(model):
        from audit.models import function

        if multilabel:
            names = tuple(map(str, classes))
            return function.adapt_labels(model, output=output, labels=names, features=features)

        return function.adapt(model, output=output, classes=classes, features=features)
    raise ModelError(
        f"cannot audit a {type(model).__name__}: give an estimator with predict, a torch module, or a function"
    )


def _output(output: str | None) -> Output | None:
    match output:
        case None | "logit" | "probability" | "value":
            return output
        case _:
            raise ModelError(f'output must be "logit", "probability" or "value", got "{output}"')
