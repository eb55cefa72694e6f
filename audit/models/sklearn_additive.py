"""What is inside scikit-learn's trees and linear models: their arrays, and the matrix that they are given.

A pipeline's earlier steps make the design matrix from the user's columns; its last step is the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.models.forest import LEAF, Branch, Forest, Link, Tree
from audit.models.lightgbm_trees import lightgbm_forest
from audit.models.linear import Linear
from audit.models.xgboost_trees import xgboost_forest

Floats = NDArray[np.float64]
MOST_CELLS = 1 << 25  # of a design matrix, 256 MB; a wider one is a case for sampling


def last_step(estimator: Any) -> Any:
    """The estimator that decides: the last step of a pipeline, of nested ones too."""
    steps = getattr(estimator, "steps", None)
    return last_step(steps[-1][1]) if steps else estimator


def is_forest(estimator: Any) -> bool:
    return _builder(estimator) is not None


def is_linear(estimator: Any) -> bool:
    return not _names(last_step(estimator)).isdisjoint(_LINEAR)


def is_plain(estimator: Any) -> bool:
    """Whether the model is given the user's columns as they are."""
    categories = getattr(estimator, "_preprocessor", None)  # of HistGradientBoosting, where it encodes by itself
    return not getattr(estimator, "steps", None) and categories is None


def design(estimator: Any, table: pd.DataFrame | NDArray[Any]) -> Floats:
    """The matrix (n, columns) that the last step works on. Unavailable when it is too wide to hold."""
    given: Any = table
    while getattr(estimator, "steps", None):
        for _, step in estimator.steps[:-1]:
            given = given if step in {None, "passthrough"} else step.transform(given)
        estimator = estimator.steps[-1][1]
    if np.prod(given.shape) > MOST_CELLS:
        raise Unavailable("not_applicable", f"the encoded table is {given.shape[1]} columns wide", "nothing to do")
    if hasattr(given, "toarray"):
        given = given.toarray()
    if "BaseHistGradientBoosting" in _names(estimator):
        return np.asarray(estimator._preprocess_X(given, reset=False), dtype=np.float64)
    if is_forest(estimator) and _builder(estimator) is not _lightgbm:  # the others compare in single precision
        return np.asarray(given, dtype=np.float32).astype(np.float64)
    return np.asarray(given, dtype=np.float64)


def forest(estimator: Any) -> Forest:
    """Its trees. Unavailable (not_applicable) for several targets or a start that is no constant."""
    last = last_step(estimator)
    build = _builder(last)
    if build is None:
        raise Unavailable("not_applicable", f"{type(last).__name__} has no trees", "nothing to do")
    return build(last)


def linear(estimator: Any) -> Linear:
    """Its coefficients, one row an output."""
    last = last_step(estimator)
    weights = np.atleast_2d(np.asarray(last.coef_, dtype=np.float64))
    intercept = np.broadcast_to(np.asarray(last.intercept_, dtype=np.float64), (len(weights),))
    classes = len(getattr(last, "classes_", ()))
    if not classes and len(weights) > 1:
        raise Unavailable("not_applicable", "the model predicts several targets at once", "give one model a target")
    link: Link = "identity" if not classes else "logit" if len(weights) == 1 else "softmax"
    if "LogisticRegression" in _names(last) and link == "logit" and getattr(last, "multi_class", "") == "multinomial":
        weights, intercept = 2 * weights, 2 * intercept  # softmax over -z and z
    return Linear(coefficients=weights, intercept=intercept, link=link)


def _names(estimator: Any) -> set[str]:
    return {c.__name__ for c in type(estimator).__mro__ if c.__module__.startswith("sklearn.")}


_LINEAR = {
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "ElasticNet",
    "ElasticNetCV",
    "LassoCV",
    "Lars",
    "BayesianRidge",
    "ARDRegression",
    "HuberRegressor",
    "TheilSenRegressor",
    "QuantileRegressor",
    "SGDRegressor",
    "LinearSVR",
    "LogisticRegression",
    "SGDClassifier",
    "LinearDiscriminantAnalysis",
}


def _builder(estimator: Any) -> Callable[[Any], Forest] | None:
    last = last_step(estimator)
    if hasattr(last, "get_booster"):  # XGBoost's wrapper
        return _xgboost
    if type(last).__module__.startswith("lightgbm."):
        return _lightgbm
    names = _names(last)
    return next((build for name, build in _BUILDERS.items() if name in names), None)


def _histogram_boosting(model: Any) -> Forest:
    known, place = model._bin_mapper.make_known_categories_bitsets()
    outputs = model.n_trees_per_iteration_
    trees = [
        _histogram_tree(predictor, known, place, k, outputs)
        for iteration in model._predictors
        for k, predictor in enumerate(iteration)
    ]
    base = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1)
    return Forest.of(trees, base, _boosting_link(model, outputs))


def _boosting_link(model: Any, outputs: int) -> Link:
    return "identity" if not hasattr(model, "classes_") else "logit" if outputs == 1 else "softmax"


def _histogram_tree(predictor: Any, known: Any, place: Any, k: int, outputs: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    value = np.zeros((len(nodes), outputs))
    value[:, k] = np.where(leaf, nodes["value"], 0)
    categorical = np.flatnonzero(~leaf & nodes["is_categorical"].astype(bool))
    branches = {
        int(i): _branch(
            predictor.raw_left_cat_bitsets[nodes["bitset_idx"][i]],
            known[place[nodes["feature_idx"][i]]],
            bool(nodes["missing_go_to_left"][i]),
        )
        for i in categorical
    }
    return Tree(
        column=np.where(leaf, LEAF, nodes["feature_idx"]).astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        value=value,
        branches=branches,
    )


def _branch(left: NDArray[np.uint32], known: NDArray[np.uint32], others_left: bool) -> Branch:
    listed = _bits(known)
    return Branch(listed=listed, to_left=np.isin(listed, _bits(left)), others_left=others_left)


def _bits(words: NDArray[np.uint32]) -> NDArray[np.int64]:
    return np.flatnonzero((words[:, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)).astype(np.int64)


def _gradient_boosting(model: Any) -> Forest:
    start = getattr(model, "init_", "zero")
    if start != "zero" and not _names(start) & {"DummyClassifier", "DummyRegressor"}:
        raise Unavailable("not_applicable", "its boosting starts from another model", "nothing to do")
    base = np.asarray(model._raw_predict_init(np.zeros((1, model.n_features_in_)))).reshape(-1)
    outputs = model.estimators_.shape[1]
    # the exponential loss has p = expit(2 score)
    factor = 2.0 if getattr(model, "loss", "") == "exponential" else 1.0
    trees = []
    for iteration in model.estimators_:
        for k, one in enumerate(iteration):
            value = np.zeros((one.tree_.node_count, outputs))
            value[:, k] = one.tree_.value[:, 0, 0] * model.learning_rate * factor
            trees.append(_plain_tree(one.tree_, value))
    return Forest.of(trees, base * factor, _boosting_link(model, outputs))


def _xgboost(model: Any) -> Forest:
    return xgboost_forest(model.get_booster())


def _lightgbm(model: Any) -> Forest:
    return lightgbm_forest(model.booster_)


def _averaged(model: Any) -> Forest:
    members = getattr(model, "estimators_", None)
    trees = [model.tree_] if members is None else [member.tree_ for member in members]
    if trees[0].n_outputs > 1:
        raise Unavailable("not_applicable", "the model predicts several targets at once", "give one model a target")
    classes = hasattr(model, "classes_")
    return Forest.of(
        [_plain_tree(tree, _leaf_means(tree, classes=classes) / len(trees)) for tree in trees],
        np.zeros(trees[0].value.shape[2]),
        "probability" if classes else "identity",
    )


def _leaf_means(tree: Any, *, classes: bool) -> Floats:
    value = np.asarray(tree.value[:, 0, :], dtype=np.float64)
    return np.asarray(value / value.sum(axis=1, keepdims=True)) if classes else value


def _plain_tree(tree: Any, value: Floats) -> Tree:
    leaf = tree.children_left < 0
    missing = np.asarray(getattr(tree, "missing_go_to_left", np.zeros(tree.node_count)), dtype=bool)
    return Tree(
        column=np.where(leaf, LEAF, tree.feature).astype(np.int64),
        threshold=np.asarray(tree.threshold, dtype=np.float64),
        missing_left=missing,
        left=np.asarray(tree.children_left, dtype=np.int64),
        right=np.asarray(tree.children_right, dtype=np.int64),
        value=np.where(leaf[:, None], value, 0.0),
    )


_BUILDERS: Mapping[str, Callable[[Any], Forest]] = {
    "BaseHistGradientBoosting": _histogram_boosting,
    "BaseGradientBoosting": _gradient_boosting,
    "ForestClassifier": _averaged,
    "ForestRegressor": _averaged,
    "BaseDecisionTree": _averaged,
}
