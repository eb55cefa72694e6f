"""One inference, ready to be called and timed: the model alone, on rows that are already in its own form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from audit.data import Columns
from audit.errors import ModelError
from audit.models.base import (
    Differentiable,
    Model,
    MultilabelClassifier,
    MultilabelDecider,
    Predictor,
    ProbabilisticClassifier,
)

Call = Callable[[], object]
ESTIMATORS_OWN = {"predict_labels": "predict_proba", "decide_labels": "predict"}


@contextmanager
def ready(model: Model, columns: Columns, *, threads: int = 1) -> Iterator[Call]:
    """A function without arguments that runs the model once over ``columns``.

    What turns a table into the model's input is done before: tensors of a network, the data frame of an estimator,
    the feeds of an ONNX session. Any other model is called as the audit calls it. Networks are put in evaluation mode
    and back. An ONNX session is opened for ``threads``, because it keeps those that it was opened with; other
    libraries are held to theirs by the caller. ModelError for a model that cannot predict.
    """
    if isinstance(model, Differentiable):
        with _network(model, columns) as call:
            yield call
    elif model.kind == "sklearn":
        yield _estimator(model, columns)
    elif model.kind == "onnx":
        yield _session(model, columns, threads)
    else:
        yield _generic(model, columns)


@contextmanager
def _network(model: Any, columns: Columns) -> Iterator[Call]:
    import torch

    module = model.module
    modes = {part: part.training for part in module.modules()}
    encoded = model.encode(columns)
    inputs = encoded if isinstance(encoded, tuple) else (encoded,)
    wait = _waiting(model.device)

    def call() -> object:
        with torch.inference_mode():
            result = module(*inputs)
        wait()  # a GPU answers before it has finished
        return result

    module.eval()
    try:
        yield call
    finally:
        for part, mode in modes.items():
            part.training = mode


def _waiting(device: Any) -> Callable[[], object]:
    """Until the device has done what it was given; nothing to wait for on a CPU."""
    import torch

    if device.type in ("cuda", "xpu"):
        return lambda: getattr(torch, device.type).synchronize(device)
    return torch.mps.synchronize if device.type == "mps" else lambda: None


def _estimator(model: Any, columns: Columns) -> Call:
    from audit.models.sklearn import frame

    table = frame(columns)
    given = table if model.features is not None else table.to_numpy()
    name = _method(model)
    method = getattr(model.estimator, ESTIMATORS_OWN.get(name, name))
    return lambda: method(given)


def _session(model: Any, columns: Columns, threads: int) -> Call:
    feeds, session = model.feeds(columns), model if threads == 1 else model.on_threads(threads)
    return lambda: session.run(feeds)


def _generic(model: Any, columns: Columns) -> Call:
    method = getattr(model, _method(model))
    return lambda: method(columns)


def _method(model: object) -> str:
    if isinstance(model, ProbabilisticClassifier):
        return "predict_proba"
    if isinstance(model, Predictor):
        return "predict"
    if isinstance(model, MultilabelClassifier):
        return "predict_labels"
    if isinstance(model, MultilabelDecider):
        return "decide_labels"
    raise ModelError(f"{getattr(model, 'name', type(model).__name__)} can neither predict nor give probabilities")
