"""XGBoost (.ubj, .json) and LightGBM (.txt) model files: data about trees, which hold no code.

Categories are given as the whole numbers that the booster was trained on, or, where the file holds the names of its
categories, as these names.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.data.dataset import shown
from audit.errors import ModelError
from audit.models import lightgbm_trees, xgboost_trees
from audit.models.forest import Forest, Link, answers
from audit.results import Scalar

Floats = NDArray[np.float64]
Adapter = TypeVar("Adapter", bound="_Booster")


class _Booster(ABC):
    kind: str
    plain = True

    def __init__(self, booster: Any, link: Link, features: Sequence[str] | None, columns: int) -> None:
        self.booster, self.link, self.columns = booster, link, columns
        self.features = None if features is None else tuple(features)
        self.name = f"{self.kind} booster"
        self.classes: tuple[str, ...] = ()

    @abstractmethod
    def forest(self) -> Forest:
        """The trees, in scores."""

    @abstractmethod
    def probabilities(self, design: Floats) -> Floats:
        """Shape (n, classes), as the library computes them."""

    @abstractmethod
    def values(self, design: Floats) -> Floats:
        """What the library predicts, shape (n,): beyond the score where the objective has a link of its own."""

    def design(self, columns: Columns) -> Floats:
        if len(columns) != self.columns:
            raise ModelError(f"{self.name} takes {self.columns} columns, got {len(columns)}: name them under features")
        return np.column_stack([self._numbers(name, values) for name, values in columns.items()])

    def _numbers(self, name: str, values: NDArray[Any]) -> Floats:
        try:
            return np.asarray(values, dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise ModelError(
                f'"{name}" holds words, and {self.name} takes numbers: encode them as for its training'
            ) from error


class _Xgboost(_Booster):
    kind = "xgboost"

    def forest(self) -> Forest:
        return xgboost_trees.xgboost_forest(self.booster)

    def probabilities(self, design: Floats) -> Floats:
        return answers(self.link, self._predict(design, margin=True).reshape(len(design), -1))

    def values(self, design: Floats) -> Floats:
        return self._predict(design, margin=False).reshape(-1)

    @cached_property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """The names of each column's categories, in the order of their codes; none for a number."""
        categorical = "c" in (self.booster.feature_types or ())
        return xgboost_trees.category_names(self.booster) if categorical else ()

    def design(self, columns: Columns) -> Floats:
        if len(columns) == len(self.levels):
            named = zip(columns.items(), self.levels, strict=True)
            columns = {name: self._coded(name, values, known) for (name, values), known in named}
        return super().design(columns).astype(np.float32).astype(np.float64)  # it compares in single precision

    def _coded(self, name: str, values: NDArray[Any], known: tuple[str, ...]) -> NDArray[Any]:
        if not known:
            return values
        unknown = {shown(value) for value in values.tolist() if not _empty(value)} - set(known)
        if unknown:
            allowed = ", ".join(known)
            raise ModelError(
                f'"{name}" holds "{min(unknown)}", which {self.name} was not trained on: it knows {allowed}; '
                "write it as one of these, or leave it empty"
            )
        return _places(values, known)

    def _predict(self, design: Floats, *, margin: bool) -> Floats:
        import xgboost

        names, kinds = self.booster.feature_names, self.booster.feature_types
        matrix = xgboost.DMatrix(design.astype(np.float32), feature_names=names, feature_types=kinds)
        return np.asarray(self.booster.predict(matrix, output_margin=margin), dtype=np.float64)


class _Lightgbm(_Booster):
    kind = "lightgbm"

    def forest(self) -> Forest:
        return lightgbm_trees.lightgbm_forest(self.booster)

    def probabilities(self, design: Floats) -> Floats:
        found = np.asarray(self.booster.predict(design), dtype=np.float64)
        return np.column_stack([1 - found, found]) if found.ndim == 1 else found

    def values(self, design: Floats) -> Floats:
        return np.asarray(self.booster.predict(design), dtype=np.float64).reshape(-1)

    def design(self, columns: Columns) -> Floats:
        named = [name for name, values in columns.items() if values.dtype == object]
        levels = self.booster.pandas_categorical or []
        if named and len(named) == len(levels):
            places = {name: _places(columns[name], known) for name, known in zip(named, levels, strict=True)}
            columns = {**columns, **places}
        return super().design(columns)


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _places(values: NDArray[Any], levels: Sequence[Any]) -> Floats:
    place = {shown(level): float(i) for i, level in enumerate(levels)}
    return np.array([place.get(shown(value), np.nan) for value in values.tolist()])


class _Regressor(_Booster):
    def predict_value(self, columns: Columns) -> Floats:
        return self.values(self.design(columns))

    def predict(self, columns: Columns) -> NDArray[Any]:
        return self.predict_value(columns)


class _Classifier(_Booster):
    def predict_proba(self, columns: Columns) -> Floats:
        return self.probabilities(self.design(columns))

    def predict(self, columns: Columns) -> NDArray[Any]:
        return np.asarray(np.array(self.classes, dtype=object)[self.predict_proba(columns).argmax(axis=1)])


class XgboostRegressor(_Regressor, _Xgboost):
    """An XGBoost model of a quantity."""


class XgboostClassifier(_Classifier, _Xgboost):
    """An XGBoost model of classes."""


class LightgbmRegressor(_Regressor, _Lightgbm):
    """A LightGBM model of a quantity."""


class LightgbmClassifier(_Classifier, _Lightgbm):
    """A LightGBM model of classes."""


def load_xgboost(content: bytes, path: str, classes: Sequence[Scalar]) -> XgboostRegressor | XgboostClassifier:
    """A model file's content as an adapter; ``classes`` default to 0, 1, ... ModelError when it is not readable."""
    try:
        import xgboost
    except ImportError as error:
        raise _missing("XGBoost", "xgboost", path) from error
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(content))
        config = _objective(booster)
    except (xgboost.core.XGBoostError, ValueError, KeyError) as error:
        raise ModelError(f"{path} is not a readable XGBoost model: {str(error).splitlines()[0]}") from error
    link = xgboost_trees.link_of(config[0])
    make = XgboostRegressor if link == "identity" else XgboostClassifier
    model = make(booster, link, booster.feature_names, booster.num_features())
    return _named(model, config[1], classes, path)


def _objective(booster: Any) -> tuple[str, int]:
    learner = json.loads(booster.save_config())["learner"]
    return str(learner["objective"]["name"]), int(learner["learner_model_param"]["num_class"])


def load_lightgbm(content: bytes, path: str, classes: Sequence[Scalar]) -> LightgbmRegressor | LightgbmClassifier:
    """As :func:`load_xgboost`, for a LightGBM text file."""
    try:
        import lightgbm
    except ImportError as error:
        raise _missing("LightGBM", "lightgbm", path) from error
    if not content.startswith(b"tree\n"):
        raise ModelError(f'{path} is not a LightGBM model: such a file begins with the line "tree"')
    try:
        booster = lightgbm.Booster(model_str=content.decode("utf-8"))
        link = lightgbm_trees.link_of(lightgbm_trees.objective(booster))
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError, ValueError) as error:
        raise ModelError(f"{path} is not a readable LightGBM model: {str(error).splitlines()[0]}") from error
    make = LightgbmRegressor if link == "identity" else LightgbmClassifier
    model = make(booster, link, booster.feature_name(), booster.num_feature())
    return _named(model, booster.num_model_per_iteration(), classes, path)


def _named(model: Adapter, outputs: int, classes: Sequence[Scalar], path: str) -> Adapter:
    if model.link == "identity":
        return model
    n = max(outputs, 2)
    if classes and len(classes) != n:
        raise ModelError(f"{path} decides between {n} classes, [model] classes names {len(classes)}")
    model.classes = tuple(map(shown, classes)) if classes else tuple(str(i) for i in range(n))
    return model


def _missing(library: str, extra: str, path: str) -> ModelError:
    return ModelError(f"{path} needs {library}: pip install 'assay[{extra}]'")
