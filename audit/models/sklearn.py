"""scikit-learn estimators and whatever follows its conventions (XGBoost's and LightGBM's wrappers do)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.data import Columns
from audit.data.dataset import shown
from audit.errors import ModelError
from audit.models import sklearn_additive as additive
from audit.models.forest import Forest
from audit.models.label_columns import indicator, of_labels
from audit.models.linear import Linear
from audit.models.portions import NO_ROOM, by_halves
from audit.models.refusals import RAISED, one_value, refused


def frame(columns: Columns) -> pd.DataFrame:
    """The columns as a data frame; pictures cannot be part of one."""
    deep = next((name for name, values in columns.items() if values.ndim > 1), None)
    if deep is not None:
        raise ModelError(f'"{deep}" holds arrays, which a scikit-learn model cannot take: give its stored columns')
    return pd.DataFrame({name: _series(values) for name, values in columns.items()})


def _series(values: NDArray[Any]) -> pd.Series[Any]:
    return pd.Series(values, dtype=pd.StringDtype(na_value=np.nan)) if _is_text(values) else pd.Series(values)


def _is_text(values: NDArray[Any]) -> bool:
    """Text is given as pandas gives it, so that the encoders see the type they were fitted on."""
    return values.dtype == object and all(v is None or isinstance(v, str) for v in values)


class _Estimator:
    kind = "sklearn"
    classes: tuple[str, ...] = ()

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.name = _name_of(estimator)
        names = getattr(estimator, "feature_names_in_", None)
        self.features: tuple[str, ...] | None = None if names is None else tuple(map(str, names))

    def _call(self, method: str, columns: Columns) -> NDArray[Any]:
        return np.asarray(self._raw(method, columns))

    def _raw(self, method: str, columns: Columns) -> Any:
        try:
            parts = by_halves(columns, lambda part: getattr(self.estimator, method)(self._given(part)))
        except MemoryError as error:
            raise ModelError(f"{self.name}.{method}: {NO_ROOM}") from error
        except RAISED as error:
            raise refused(f"{self.name}.{method}", error, self._fitting) from error
        if len(parts) == 1:
            return parts[0]
        several = isinstance(parts[0], list)  # of labels, each with its probabilities
        return list(map(np.concatenate, zip(*parts, strict=True))) if several else np.concatenate(parts)

    def _given(self, columns: Columns) -> Any:
        """As the estimator was fitted: a data frame, or the array alone. ModelError where its width is another one."""
        width = getattr(self.estimator, "n_features_in_", None)
        if self.features is None and isinstance(width, int) and width != len(columns):
            raise ModelError(
                f"{self.name} was fitted on {width} columns without names and is given {len(columns)} "
                f"({', '.join(list(columns)[:12])}): do model and columns fit? Name its own, in order, under features"
            )
        table = frame(columns)
        return table if self.features is not None else table.to_numpy()

    @property
    def _fitting(self) -> str:
        """What a user compares when the estimator does not fit its columns."""
        if self.features is not None:
            return f"do model and columns fit? It was fitted on {', '.join(self.features[:12])}"
        return (
            "do model and columns fit? It keeps no column names, so it is given an array: if it reads columns by name, "
            "give a function of a data frame"
        )


class SklearnRegressor(_Estimator):
    def predict_value(self, columns: Columns) -> NDArray[np.float64]:
        return one_value(np.asarray(self._call("predict", columns), dtype=np.float64), self.name)

    def predict(self, columns: Columns) -> NDArray[Any]:
        return self.predict_value(columns)


class SklearnDecider(_Estimator):
    """A classifier that decides and gives no probabilities."""

    def __init__(self, estimator: Any) -> None:
        super().__init__(estimator)
        self.classes = tuple(shown(c) for c in np.asarray(estimator.classes_).tolist())

    def predict(self, columns: Columns) -> NDArray[Any]:
        return np.array([shown(v) for v in self._call("predict", columns).tolist()], dtype=object)


class SklearnClassifier(SklearnDecider):
    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        return np.asarray(self._call("predict_proba", columns), dtype=np.float64)


class SklearnMultilabel(_Estimator):
    """An estimator that decides each label by itself: its predict gives an indicator of shape (n, labels)."""

    def __init__(self, estimator: Any, labels: Sequence[str]) -> None:
        super().__init__(estimator)
        self.classes = tuple(labels)

    def decide_labels(self, columns: Columns) -> NDArray[np.bool_]:
        return indicator(self._call("predict", columns), self.classes, self.name)


class SklearnMultilabelClassifier(SklearnMultilabel):
    """One that gives probabilities: of shape (n, labels), or a list of an array (n, 2) a label."""

    def predict_labels(self, columns: Columns) -> NDArray[np.float64]:
        found = self._raw("predict_proba", columns)
        if isinstance(found, list):
            known = getattr(self.estimator, "classes_", [(0, 1)] * len(found))
            found = np.column_stack([_held(np.asarray(p), c) for p, c in zip(found, known, strict=True)])
        return np.asarray(of_labels(np.asarray(found), self.classes, self.name), dtype=np.float64)


def _held(probability: NDArray[Any], classes: Sequence[Any]) -> NDArray[Any]:
    """The column of the class that the label holds, the later one; all the training may have been of one class."""
    if len(classes) > 1:
        return np.asarray(probability[:, 1])
    return np.full(len(probability), 1.0 if shown(classes[0]) in {"1", "true"} else 0.0)


class _Designed(_Estimator):
    """A model whose inside is known, behind what turns the user's columns into its design matrix."""

    @property
    def plain(self) -> bool:
        return additive.is_plain(self.estimator)

    def design(self, columns: Columns) -> NDArray[np.float64]:
        try:
            return additive.design(self.estimator, self._given(columns))
        except RAISED as error:
            raise refused(self.name, error, self._fitting) from error


class _Trees(_Designed):
    def forest(self) -> Forest:
        return additive.forest(self.estimator)


class _Linear(_Designed):
    def linear(self) -> Linear:
        return additive.linear(self.estimator)


class TreeClassifier(SklearnClassifier, _Trees):
    """A classifier that is a sum of trees."""


class TreeRegressor(SklearnRegressor, _Trees):
    """A regressor that is a sum of trees."""


class LinearClassifier(SklearnClassifier, _Linear):
    """A classifier whose score is a weighted sum."""


class LinearRegressor(SklearnRegressor, _Linear):
    """A regressor that is a weighted sum."""


def adapt_labels(estimator: Any, labels: Sequence[str]) -> SklearnMultilabel:
    """The adapter of an estimator that gives each row several labels (MultiOutputClassifier, a forest, a chain ...)."""
    if not hasattr(estimator, "predict"):
        raise ModelError(f"{_name_of(estimator)} has no predict method: it is not a model")
    has_probabilities = hasattr(estimator, "predict_proba")
    return (SklearnMultilabelClassifier if has_probabilities else SklearnMultilabel)(estimator, labels)


def adapt(estimator: Any) -> SklearnRegressor | SklearnDecider | SklearnClassifier:
    """The adapter with just the capabilities that ``estimator`` has. ModelError when it is not fitted or no model."""
    if isinstance(getattr(estimator, "classes_", None), list) or getattr(estimator, "multilabel_", False):
        raise ModelError(
            f"{_name_of(estimator)} gives each row several answers: name target as a list of 0/1 columns, one a label, "
            'in the order that it was fitted on: target = ["cat", "dog"]'
        )
    if hasattr(estimator, "classes_"):
        return _classifier(estimator) if hasattr(estimator, "predict_proba") else SklearnDecider(estimator)
    if getattr(estimator, "_estimator_type", "") == "classifier" or hasattr(estimator, "predict_proba"):
        raise ModelError(f"{_name_of(estimator)} is not fitted: call fit before the audit")
    if not hasattr(estimator, "predict"):
        raise ModelError(f"{_name_of(estimator)} has no predict method: it is not a model")
    _require_fitted(estimator)
    if additive.is_forest(estimator):
        return TreeRegressor(estimator)
    return LinearRegressor(estimator) if additive.is_linear(estimator) else SklearnRegressor(estimator)


def _require_fitted(estimator: Any) -> None:
    """ModelError for a regressor of scikit-learn that was not fitted; of others nothing tells."""
    if not type(estimator).__module__.startswith("sklearn."):
        return
    from sklearn.exceptions import NotFittedError  # loaded already by such an estimator, and by no other model
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise ModelError(f"{_name_of(estimator)} is not fitted: call fit before the audit") from error


def _classifier(estimator: Any) -> SklearnClassifier:
    if additive.is_forest(estimator):
        return TreeClassifier(estimator)
    return LinearClassifier(estimator) if additive.is_linear(estimator) else SklearnClassifier(estimator)


def _name_of(estimator: Any) -> str:
    steps = getattr(estimator, "steps", None)
    inner = f"({type(steps[-1][1]).__name__})" if steps else ""
    return type(estimator).__name__ + inner
