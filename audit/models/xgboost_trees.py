"""XGBoost's trees as arrays, from the model's own JSON."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np

from audit.data.dataset import shown
from audit.errors import Unavailable
from audit.models.forest import LEAF, Branch, Forest, Link, Tree


def link_of(objective: str) -> Link:
    if objective.startswith("binary:"):
        return "logit"
    return "softmax" if objective.startswith("multi:") else "identity"


def xgboost_forest(booster: Any) -> Forest:
    """The trees of a Booster, in margins. Unavailable (not_applicable) for linear boosters and vector leaves."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    booster_part = learner["gradient_booster"]
    weights = booster_part.get("weight_drop")  # of DART
    model = booster_part.get("gbtree", booster_part).get("model", {})
    if "trees" not in model:
        raise Unavailable("not_applicable", f'a booster of kind "{booster_part["name"]}" has no trees', "nothing to do")
    outputs = max(int(learner["learner_model_param"]["num_class"]), 1)
    if int(learner["learner_model_param"].get("num_target", 1)) > 1:
        raise Unavailable("not_applicable", "the model predicts several targets at once", "give one model a target")
    factors = weights or [1.0] * len(model["trees"])
    trees = [
        _tree(stored, int(k), outputs, factor)
        for stored, k, factor in zip(model["trees"], model["tree_info"], factors, strict=True)
    ]
    forest = Forest.of(trees, np.zeros(outputs), link_of(learner["objective"]["name"]))
    return Forest.of(trees, _base(booster, forest, int(learner["learner_model_param"]["num_feature"])), forest.link)


def category_names(booster: Any) -> tuple[tuple[str, ...], ...]:
    """Of each column, in the order of their codes; empty where the file holds none."""
    part = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    stored = part.get("gbtree", part).get("model", {}).get("cats", {}).get("enc", ())
    return tuple(_names(one) for one in stored)


def _names(stored: dict[str, Any]) -> tuple[str, ...]:
    """Words as their signed bytes in a row with where each ends, numbers as they are."""
    values, ends = stored.get("values", ()), stored.get("offsets")
    if ends is None:
        return tuple(shown(value) for value in values)
    # XGBoost counts letters where it should count bytes: a word outside ASCII is cut, and then no value has its name
    return tuple(bytes(byte % 256 for byte in values[a:b]).decode(errors="replace") for a, b in pairwise(ends))


def _base(booster: Any, forest: Forest, columns: int) -> Any:
    """The margin that is there before any tree: what a row of zeros has beyond its leaves."""
    import xgboost

    zeros = np.zeros((1, columns), dtype=np.float32)
    matrix = xgboost.DMatrix(zeros, feature_names=booster.feature_names, feature_types=booster.feature_types)
    margin = np.asarray(booster.predict(matrix, output_margin=True), dtype=np.float64).reshape(-1)
    return margin - forest.raw(zeros.astype(np.float64))[0]


def _tree(stored: dict[str, Any], k: int, outputs: int, factor: float) -> Tree:
    if int(stored["tree_param"]["size_leaf_vector"]) > 1:
        raise Unavailable("not_applicable", "its leaves hold several outputs at once", "nothing to do")
    left = np.array(stored["left_children"], dtype=np.int64)
    condition = np.array(stored["split_conditions"], dtype=np.float32)
    leaf = left < 0
    value = np.zeros((len(left), outputs))
    value[:, k] = np.where(leaf, condition.astype(np.float64) * factor, 0)
    return Tree(
        column=np.where(leaf, LEAF, np.array(stored["split_indices"], dtype=np.int64)),
        # x < c in single precision is x <= the number before c
        threshold=np.nextafter(condition, np.float32(-np.inf)).astype(np.float64),
        missing_left=np.array(stored["default_left"], dtype=bool),
        left=left,
        right=np.array(stored["right_children"], dtype=np.int64),
        value=value,
        branches=_branches(stored),
    )


def _branches(stored: dict[str, Any]) -> dict[int, Branch]:
    """Listed categories go right, all others left."""
    listed = np.array(stored["categories"], dtype=np.int64)
    places = zip(stored["categories_nodes"], stored["categories_segments"], stored["categories_sizes"], strict=True)
    return {
        node: Branch(listed=np.sort(listed[start : start + size]), to_left=np.zeros(size, dtype=bool), others_left=True)
        for node, start, size in places
    }
