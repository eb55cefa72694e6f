"""The scalar that a black box is explained by: one number a row, said in words.

Binary classifier: the log-odds of the positive class, on which contributions add up without a ceiling. Multiclass: the
probability of the class that was predicted. Regressor: the value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from audit.data import Columns
from audit.data.dataset import shown
from audit.errors import Unavailable
from audit.models import Model, ProbabilisticClassifier, Regressor
from audit.models.probabilities import checked
from audit.results import Scalar

DYNAMIC = "torch.ao.nn.quantized.dynamic"
SUMMATION = 1e-4  # relative; calls of another size may add up in another order
LAST_DIGITS = 1e-6  # of a probability in single precision
CLIP = 1e-6  # log-odds of a probability of exactly 0 or 1 are infinite; this is +-13.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """``function(columns)`` has shape (m, outputs); a row is explained by one of them, its target."""

    function: Callable[[Columns], NDArray[np.float64]]
    classes: tuple[str, ...]  # name of each output; "" for a value
    words: str
    unit: str
    fixed: int | None = None  # the one output that every row is explained by
    alone: bool = False  # each row is asked in a call of its own

    def targets(self, outputs: NDArray[np.float64]) -> NDArray[np.int64]:
        """Index of the explained output for each row, shape (m,): the largest one, unless one is fixed."""
        if self.fixed is not None:
            return np.full(len(outputs), self.fixed, dtype=np.int64)
        return np.asarray(outputs.argmax(axis=1), dtype=np.int64)


def explained_scalar(model: Model, positive: Scalar | None, target: str = "") -> Explained:
    """What is explained for this model; Unavailable when it gives labels only or is given as predictions.

    ``target`` is the class of a multiclass model that every row is explained by (default: the predicted one).
    A dynamically quantised module is asked for each row alone: its int8 scales are those of all rows of a call.
    """
    explained = _together(model, positive, target)
    if not scales_with_company(model):
        return explained
    return replace(explained, function=one_by_one(explained.function), alone=True)


def require_alone(known: NDArray[np.float64], beside: NDArray[np.float64], unit: str) -> None:
    """Unavailable where explained scalars of the same rows are others when the rows stand beside other rows."""
    gap = np.abs(known - beside)
    moved = gap > SUMMATION * (1 + np.abs(known).max(initial=0.0))
    if unit == "log-odds":  # near 0 and 1 the last digits of a probability are large in log-odds
        moved &= np.abs(expit(known) - expit(beside)) > LAST_DIGITS
    if moved.any():
        raise Unavailable(
            "withheld",
            f"the model returns another output for a row when other rows stand beside it ({gap.max():.3g} apart)",
            "let it treat rows alone: nothing in it may be computed over all rows of a call, such as means, ranks "
            "or the order of rows, nor be kept from one call to the next",
        )


def scales_with_company(model: object) -> bool:
    """Whether the model is a torch module with layers that quantise what they are given by its largest number."""
    module = getattr(model, "module", None)
    parts = module.modules() if module is not None and hasattr(module, "modules") else ()
    return any(type(part).__module__.startswith(DYNAMIC) for part in parts)


def one_by_one(function: Callable[[Columns], NDArray[np.float64]]) -> Callable[[Columns], NDArray[np.float64]]:
    """The same function, called with one row at a time."""

    def alone(columns: Columns) -> NDArray[np.float64]:
        rows = len(next(iter(columns.values())))
        each = [function({name: values[i : i + 1] for name, values in columns.items()}) for i in range(rows)]
        return np.concatenate(each) if each else function(columns)

    return alone


def _together(model: Model, positive: Scalar | None, target: str) -> Explained:
    if isinstance(model, Regressor) and not model.classes:
        return Explained(
            function=_column(model.predict_value), classes=("",), words="the predicted value", unit="target"
        )
    if not isinstance(model, ProbabilisticClassifier):
        raise Unavailable(
            "not_applicable",
            f"{model.name} gives no probabilities, and a label alone cannot be split into contributions",
            "give a model with predict_proba, or audit the scores of a regressor",
        )
    if len(model.classes) == 2:
        return _log_odds(model, positive_index(model.classes, positive))
    if target:
        index, words = class_index(model.classes, target), f'the probability of class "{target}"'
        unit = "probability"
        return Explained(function=_probabilities(model), classes=model.classes, words=words, unit=unit, fixed=index)
    words = "the probability of the predicted class"
    return Explained(function=_probabilities(model), classes=model.classes, words=words, unit="probability")


def positive_index(classes: tuple[str, ...], positive: Scalar | None) -> int:
    """Which of two classes a binary score is about; the last one unless the data says otherwise."""
    name = None if positive is None else shown(positive)
    return classes.index(name) if name in classes else len(classes) - 1


def class_index(classes: tuple[str, ...], target: str) -> int:
    """Where a class stands among the model's. ValueError for a name that is none of them."""
    if target not in classes:
        raise ValueError(f'target must be one of {", ".join(classes)}, got "{target}"')
    return classes.index(target)


def _probabilities(model: Any) -> Callable[[Columns], NDArray[np.float64]]:
    return lambda columns: checked(model.predict_proba(columns), model)


def _log_odds(model: Any, index: int) -> Explained:
    classes: tuple[str, ...] = getattr(model, "classes", ())

    def function(columns: Columns) -> NDArray[np.float64]:
        p = np.clip(checked(model.predict_proba(columns), model)[:, index], CLIP, 1 - CLIP)
        return np.asarray(np.log(p) - np.log1p(-p))[:, None]

    words = f'the log-odds of class "{classes[index]}" (probabilities clipped to {CLIP:g} from 0 and 1)'
    return Explained(function=function, classes=(classes[index],), words=words, unit="log-odds")


def _column(predict: Callable[[Columns], NDArray[np.float64]]) -> Callable[[Columns], NDArray[np.float64]]:
    def function(columns: Columns) -> NDArray[np.float64]:
        return np.asarray(predict(columns), dtype=np.float64)[:, None]

    return function
