"""Exact Shapley values of trees and linear models, from their own arrays: no sampling, no evaluation of the model.

Linear: phi_j(x) = sum over the design columns t of column j of w_t (z_t(x) - mean over the background of z_t), which
are the Shapley values because the columns do not interact. Trees: see :mod:`audit.attribution.trees`. What is read from
the model is first held against what the model answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.counting import count
from audit.data import Columns
from audit.errors import Unavailable
from audit.models import LinearModel, ProbabilisticClassifier, Regressor, TreeEnsemble
from audit.models.forest import LEAF, Forest, Link, answers
from audit.models.linear import Linear
from audit.results import Scalar

from .explanation import typical_change
from .owners import owners
from .players import Players
from .scalar import class_index, positive_index
from .tree_groups import TABLE_BITS
from .trees import tree_shapley

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BACKGROUND_ROWS = 1000
LEAF_PAIRS = 2e9  # rows x background rows x leaves of deep trees that are enumerated: about two seconds
FEWEST_BACKGROUND = 50
REPRODUCED = 1e-5  # single precision inside a library; a wrong tree is off by far more


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedForm:
    """``values`` and ``halves`` (n, d) over the user's columns, or groups of them; the others (n,). ``halves`` is half
    the difference between the values over the two halves of the background."""

    values: Floats
    halves: Floats | None
    base: Floats
    output: Floats
    typical: Floats
    targets: tuple[str, ...]
    words: str
    unit: str
    method: str
    background: int


def closed_form(
    model: TreeEnsemble | LinearModel,
    foreground: Columns,
    background: Columns,
    positive: Scalar | None,
    seed: int,
    target: str = "",
    players: Players | None = None,
) -> ClosedForm:
    """Attributions of the foreground rows. Unavailable (not_applicable) when the model is more than its arrays.

    ``target`` is the class of a multiclass model that every row is explained by (default: the predicted one), and
    ``players`` say which columns come and go together (default: each alone).
    """
    players = players or Players.among(tuple(foreground))
    score = model.forest() if isinstance(model, TreeEnsemble) else model.linear()
    n = _length(foreground)
    columns = _stacked(foreground, background, n, score, players)
    design = model.design(columns)
    raw = score.raw(design)
    _require_same_answers(model, columns, score.link, raw)
    owner, d = owners(model, columns, design, seed, players), len(players.names)
    told = _explained(score.link, getattr(model, "classes", ()), raw, n, positive, target)
    parts = 2 if len(design) - n >= 4 else 1
    if isinstance(score, Linear):
        phi = _linear(score, design, n, owner, d, told.places, parts)
    else:
        phi = tree_shapley(score, design[:n], design[n:], owner=owner, columns=d, targets=told.places, parts=parts)
    sizes = [len(part) for part in np.array_split(np.arange(len(design) - n), parts)]
    usual = told.sign * raw[n:][:, told.places]
    return ClosedForm(
        values=told.sign * np.average(phi, axis=0, weights=sizes),
        halves=told.sign * (phi[0] - phi[1]) / 2 if parts == 2 else None,
        base=usual.mean(axis=0),
        output=told.sign * raw[np.arange(n), told.places],
        typical=typical_change(usual),
        targets=told.targets,
        words=told.words,
        unit=told.unit,
        method=_LINEAR if isinstance(score, Linear) else _TREES,
        background=len(design) - n,
    )


_LINEAR = "exact Shapley values in closed form: weight x (value - mean of the background)"
_TREES = "exact Shapley values of the trees, from tables of their leaves"


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _stacked(foreground: Columns, background: Columns, n: int, score: Forest | Linear, players: Players) -> Columns:
    most = _length(background) if isinstance(score, Linear) else affordable_background(score, n, len(players.names))
    return {name: np.concatenate([foreground[name], background[name][:most]]) for name in foreground}


def affordable_background(forest: Forest, n: int, players: int | None = None) -> int:
    """Background rows for which deep trees, whose leaves are enumerated, take seconds; ``players`` are those of the
    game (default: one for each column of the design matrix that a tree asks for)."""
    deep = _deep_leaves(forest, players)
    return BACKGROUND_ROWS if not deep else int(np.clip(LEAF_PAIRS / (deep * n), FEWEST_BACKGROUND, BACKGROUND_ROWS))


def _deep_leaves(forest: Forest, players: int | None) -> int:
    """Leaves that may ask for more players than a table holds."""
    most = len(forest.used)
    if (most if players is None else min(most, players)) <= TABLE_BITS:
        return 0
    level = forest.roots
    for _ in range(TABLE_BITS):
        inner = level[forest.column[level] != LEAF]
        level = np.concatenate([forest.left[inner], forest.right[inner]])
    deep = 0
    while len(level):
        inner = level[forest.column[level] != LEAF]
        deep += len(level) - len(inner)
        level = np.concatenate([forest.left[inner], forest.right[inner]])
    return deep


def _require_same_answers(model: object, columns: Columns, link: Link, raw: Floats) -> None:
    """A model that answers otherwise than its arrays has a part that they do not hold (a calibrator, another link)."""
    if not np.isfinite(raw).all():
        raise Unavailable(
            "undefined",
            f"outputs are NaN or infinite for {count(int((~np.isfinite(raw).all(axis=1)).sum()), 'row')}",
            "find the inputs that it cannot answer (missing values, overflow) and mend the model or impute them",
        )
    if link == "identity" and isinstance(model, Regressor):
        own = model.predict_value(columns)
    elif isinstance(model, ProbabilisticClassifier):
        own = model.predict_proba(columns)
    else:
        raise Unavailable("not_applicable", "the model gives labels only", "give a model with predict_proba")
    read = answers(link, raw)
    if read.shape != own.shape or np.abs(read - own).max() > REPRODUCED * (1 + np.abs(own).max()):
        raise Unavailable(
            "not_applicable",
            "the model answers otherwise than its trees or weights alone do",
            "nothing to do: it is explained as a black box",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explained:
    places: Integers  # (n,) output that is explained in each row
    sign: float
    targets: tuple[str, ...]
    words: str
    unit: str


def _explained(
    link: Link, classes: tuple[str, ...], raw: Floats, n: int, positive: Scalar | None, target: str
) -> _Explained:
    first = np.zeros(n, dtype=np.int64)
    if link == "identity":
        return _Explained(places=first, sign=1.0, targets=("",) * n, words="the predicted value", unit="target")
    if len(classes) == 2:
        index = positive_index(classes, positive)
        if link == "logit":
            words, places, sign = f'the log-odds of class "{classes[index]}"', first, 1.0 if index == 1 else -1.0
        else:
            words, places, sign = f'the probability of class "{classes[index]}"', first + index, 1.0
        unit = "log-odds" if link == "logit" else "probability"
        return _Explained(places=places, sign=sign, targets=(classes[index],) * n, words=words, unit=unit)
    places = first + class_index(classes, target) if target else raw[:n].argmax(axis=1)
    about = f'class "{target}"' if target else "the predicted class"
    unit = "logit" if link == "softmax" else "probability"
    targets = tuple(classes[i] for i in places.tolist())
    return _Explained(places=places, sign=1.0, targets=targets, words=f"the {unit} of {about}", unit=unit)


def _linear(
    score: Linear, design: Floats, n: int, owner: Integers, columns: int, places: Integers, parts: int
) -> Floats:
    weights = score.coefficients[places]
    phi = np.zeros((parts, n, columns))
    for part, back in enumerate(np.array_split(design[n:], parts)):
        terms = weights * (design[:n] - back.mean(axis=0))
        for t, u in enumerate(owner.tolist()):
            phi[part, :, u] += terms[:, t]
    return phi
