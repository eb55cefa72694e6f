"""LightGBM's trees as arrays, from the model's own dump."""

from __future__ import annotations

from typing import Any

import numpy as np

from audit.errors import Unavailable
from audit.models.forest import LEAF, Branch, Forest, Link, Tree


def link_of(words: str) -> Link:
    if words.startswith(("binary", "cross_entropy")):
        return "logit"
    return "softmax" if words.startswith("multiclass ") else "identity"


def objective(booster: Any) -> str:
    """The words of the model's objective, "binary sigmoid:1"."""
    return str(booster.dump_model(num_iteration=1).get("objective", ""))


def lightgbm_forest(booster: Any) -> Forest:
    """The trees of a Booster, in raw scores. Unavailable (not_applicable) for linear trees."""
    dump = booster.dump_model()
    if _is_linear(dump):
        raise Unavailable("not_applicable", "its leaves are linear models", "nothing to do")
    words = str(dump.get("objective", ""))
    outputs = int(dump["num_tree_per_iteration"])
    rounds = max(len(dump["tree_info"]) // outputs, 1)
    factor = _steepness(words) / (rounds if dump.get("average_output") else 1)
    trees = [_tree(info["tree_structure"], i % outputs, outputs, factor) for i, info in enumerate(dump["tree_info"])]
    return Forest.of(trees, np.zeros(outputs), link_of(words))


def _is_linear(dump: dict[str, Any]) -> bool:
    return any("leaf_coeff" in str(info["tree_structure"]) for info in dump["tree_info"])


def _steepness(words: str) -> float:
    """p = expit(sigmoid x score) for a binary objective; its words are "binary sigmoid:1"."""
    parts = dict(part.split(":", 1) for part in words.split() if ":" in part)
    return float(parts["sigmoid"]) if words.startswith("binary") and "sigmoid" in parts else 1.0


def _tree(root: dict[str, Any], k: int, outputs: int, factor: float) -> Tree:
    nodes = _listed(root)
    place = {id(node): i for i, node in enumerate(nodes)}
    inner = [(i, node) for i, node in enumerate(nodes) if "split_feature" in node]
    n = len(nodes)
    column, children = np.full(n, LEAF), np.full((n, 2), LEAF)
    threshold, flags, value = np.zeros(n), np.zeros((n, 2), dtype=bool), np.zeros((n, outputs))
    branches = {}
    for i, node in inner:
        column[i] = node["split_feature"]
        children[i] = place[id(node["left_child"])], place[id(node["right_child"])]
        if node["decision_type"] == "==":
            branches[i] = _branch(node["threshold"])
        else:
            threshold[i] = node["threshold"]
            flags[i] = _missing(node)
    for i, node in enumerate(nodes):
        value[i, k] = node.get("leaf_value", 0.0) * factor
    return Tree(
        column=column,
        threshold=threshold,
        missing_left=flags[:, 0],
        left=children[:, 0],
        right=children[:, 1],
        value=value,
        zero_missing=flags[:, 1],
        branches=branches,
    )


def _listed(root: dict[str, Any]) -> list[dict[str, Any]]:
    nodes, stack = [], [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        if "split_feature" in node:
            stack += [node["right_child"], node["left_child"]]
    return nodes


def _branch(listed: str) -> Branch:
    """Listed categories go left, all others and missing ones right."""
    codes = np.sort(np.array(listed.split("||"), dtype=np.int64))
    return Branch(listed=codes, to_left=np.ones(len(codes), dtype=bool), others_left=False)


def _missing(node: dict[str, Any]) -> tuple[bool, bool]:
    """Whether a missing value goes left, and whether zero is one; where the column had none, it counts as zero."""
    if node["missing_type"] == "None":
        return bool(node["threshold"] >= 0), False
    return bool(node["default_left"]), node["missing_type"] == "Zero"
