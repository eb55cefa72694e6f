"""A Python function as a model: it takes a data frame of the features, or the array of its one feature of arrays
(pictures, series, sounds), and returns what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Columns
from audit.data.dataset import shown
from audit.errors import ModelError
from audit.models.base import Output
from audit.models.label_columns import indicator, of_labels
from audit.models.portions import NO_ROOM, by_halves
from audit.models.refusals import RAISED, one_value, refused
from audit.models.sklearn import frame
from audit.models.torch import probabilities
from audit.results import Scalar


class _Function:
    kind = "callable"

    def __init__(self, function: Callable[..., Any], classes: Sequence[Scalar], features: Sequence[str] | None) -> None:
        self.function, self.classes = function, tuple(map(shown, classes))
        self.name = getattr(function, "__name__", type(function).__name__)
        self.features = None if features is None else tuple(features)

    def _call(self, columns: Columns) -> NDArray[Any]:
        try:
            return np.concatenate(by_halves(columns, self._once))
        except MemoryError as error:
            raise ModelError(f"{self.name}: {NO_ROOM}") from error

    def _once(self, columns: Columns) -> NDArray[Any]:
        n = len(next(iter(columns.values())))
        try:
            found = self.function(_argument(columns))
            result = np.asarray(found.detach().cpu() if isinstance(found, torch.Tensor) else found)
        except RAISED as error:
            given = f"it was given {', '.join(list(columns)[:8])}{', ...' if len(columns) > 8 else ''}"
            raise refused(self.name, error, given) from error
        if result.ndim not in {1, 2} or len(result) != n:
            raise ModelError(f"{self.name} must return one row for each of the {n} rows, got shape {result.shape}")
        return result

    def _numbers(self, columns: Columns) -> NDArray[np.float64]:
        """Shape (n,) or (n, outputs). ModelError for words and complex numbers."""
        result = self._call(columns)
        casting: Literal["unsafe", "same_kind"] = "unsafe" if result.dtype == object else "same_kind"
        try:
            return result.astype(np.float64, casting=casting)  # of the same kind are no words and no complex numbers
        except (TypeError, ValueError) as error:
            what = f"{self.name} must return real numbers, got {result.dtype}"
            raise ModelError(f"{what}: mend it, or say what it returns") from error


def _argument(columns: Columns) -> Any:
    only = next(iter(columns.values()))
    return only if len(columns) == 1 and only.ndim > 1 else frame(columns)


class FunctionRegressor(_Function):
    def predict_value(self, columns: Columns) -> NDArray[np.float64]:
        return one_value(self._numbers(columns), self.name)

    def predict(self, columns: Columns) -> NDArray[Any]:
        return self.predict_value(columns)


class FunctionDecider(_Function):
    def predict(self, columns: Columns) -> NDArray[Any]:
        return np.array([shown(v) for v in self._call(columns).reshape(-1).tolist()], dtype=object)


class FunctionClassifier(_Function):
    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        result = self._numbers(columns)
        whole = probabilities(result.reshape(len(result), -1), "probability")
        if whole.shape[1] != len(self.classes):
            raise ModelError(f"{self.name} returns {whole.shape[1]} columns for {len(self.classes)} classes")
        return whole

    def predict(self, columns: Columns) -> NDArray[Any]:
        return np.asarray(np.array(self.classes, dtype=object)[self.predict_proba(columns).argmax(axis=1)])


class FunctionMultilabelDecider(_Function):
    def decide_labels(self, columns: Columns) -> NDArray[np.bool_]:
        return indicator(self._call(columns), self.classes, self.name)


class FunctionMultilabel(_Function):
    def predict_labels(self, columns: Columns) -> NDArray[np.float64]:
        return np.asarray(of_labels(self._call(columns), self.classes, self.name), dtype=np.float64)


def adapt_labels(
    function: Callable[..., Any],
    *,
    output: Output | str | None,
    labels: Sequence[str],
    features: Sequence[str] | None = None,
) -> FunctionMultilabel | FunctionMultilabelDecider:
    """A function that returns (n, labels): the probability of each label, or 0 and 1."""
    if output not in {"probability", "decision"}:
        raise ModelError('output must be "probability" or "decision": say what the function returns of each label')
    return (FunctionMultilabel if output == "probability" else FunctionMultilabelDecider)(function, labels, features)


def adapt(
    function: Callable[..., Any],
    *,
    output: Output | str | None,
    classes: Sequence[Scalar],
    features: Sequence[str] | None = None,
) -> FunctionRegressor | FunctionDecider | FunctionClassifier:
    """``output`` says what the function returns: "probability", "decision" or "value"."""
    if output == "value":
        return FunctionRegressor(function, (), features)
    if output == "decision":
        return FunctionDecider(function, classes, features)
    if output != "probability":
        raise ModelError('output must be "probability", "decision" or "value": say what the function returns')
    return FunctionClassifier(function, classes, features)
