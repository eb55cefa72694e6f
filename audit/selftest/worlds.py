"""Small worlds in two forms: with one fault planted in it, and without. What is true of them is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.results import Scalar

Table = dict[str, NDArray[Any]]
Limit = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The tables of one audit, the roles of their columns, and the model, if there is one."""

    test: Table
    roles: Mapping[str, Any]
    train: Table | None = None
    known: Table | None = None
    model: Callable[[Any], NDArray[Any]] | None = None
    output: str = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``make(random stream, planted)`` draws it; ``limit`` must fail where the fault is planted and only there."""

    fault: str
    limit: Limit
    make: Callable[[np.random.Generator, bool], Made]
    classes: tuple[Scalar, ...] = field(default=())


GROUPS = np.array(["a", "b"])
DECIDED = {"target": "y", "positive": 1, "prediction": "decision", "groups": ["group"]}
SCORED = {"target": "y", "positive": 1, "score": "score", "groups": ["group"]}


def missed(rng: np.random.Generator, planted: bool) -> Made:
    """Positives of one group are found in 90 of 100 cases, of the other in 60."""
    n = 2000
    y, group = rng.integers(0, 2, n), rng.choice(GROUPS, n)
    hit = np.where(planted & (group == "b"), 0.6, 0.9)
    decision = rng.random(n) < np.where(y == 1, hit, 0.2)
    return Made(test={"y": y, "group": group, "decision": decision.astype(int)}, roles=DECIDED)


def chosen(rng: np.random.Generator, planted: bool) -> Made:
    """Half of one group are selected, a quarter of the other."""
    n = 2000
    group = rng.choice(GROUPS, n)
    decision = rng.random(n) < np.where(planted & (group == "b"), 0.25, 0.5)
    return Made(test={"y": rng.integers(0, 2, n), "group": group, "decision": decision.astype(int)}, roles=DECIDED)


def crossed(rng: np.random.Generator, planted: bool) -> Made:
    """Fair for either column alone, unfair where they cross."""
    n = 4000
    group, sex = rng.choice(GROUPS, n), rng.choice(np.array(["f", "m"]), n)
    odd = (group == "b") ^ (sex == "m")
    decision = rng.random(n) < np.where(planted & odd, 0.3, 0.5)
    test = {"y": rng.integers(0, 2, n), "group": group, "sex": sex, "decision": decision.astype(int)}
    return Made(test=test, roles={**DECIDED, "groups": ["group", "sex"]})


def ranked(rng: np.random.Generator, planted: bool) -> Made:
    """Scores that separate one group well and the other hardly."""
    n = 2000
    y, group = rng.integers(0, 2, n), rng.choice(GROUPS, n)
    apart = np.where(planted & (group == "b"), 0.3, 2.0)
    score = 1 / (1 + np.exp(-(rng.normal(size=n) + apart * (y - 0.5))))
    return Made(test={"y": y, "group": group, "score": score}, roles=SCORED)


def promised(rng: np.random.Generator, planted: bool) -> Made:
    """Probabilities that are too high by 0.2 for one group."""
    n = 2000
    group, score = rng.choice(GROUPS, n), rng.uniform(0.25, 0.75, n)
    true = score - np.where(planted & (group == "b"), 0.2, 0.0)
    y = (rng.random(n) < true).astype(int)
    return Made(test={"y": y, "group": group, "score": score}, roles=SCORED)


def mispriced(rng: np.random.Generator, planted: bool) -> Made:
    """A quantity that is guessed too low for one group."""
    n = 1000
    group, x = rng.choice(GROUPS, n), rng.normal(size=n)
    y = x + np.where(planted & (group == "b"), 1.0, 0.0) + rng.normal(scale=0.5, size=n)
    return Made(
        test={"y": y, "group": group, "x": x},
        roles={"target": "y", "prediction": "x", "groups": ["group"]},
    )


def hidden(rng: np.random.Generator, planted: bool) -> Made:
    """Errors pile up where two plain columns cross, which nobody named as a group."""
    n = 3000
    region, channel = rng.choice(np.array(list("nesw")), n), rng.choice(np.array(["web", "shop", "phone"]), n)
    score = rng.uniform(0.05, 0.95, n)
    bad = planted & (region == "s") & (channel == "phone")
    y = (rng.random(n) < np.where(bad, 1 - score, score)).astype(int)
    return Made(
        test={"y": y, "region": region, "channel": channel, "score": score},
        roles={"target": "y", "positive": 1, "score": "score", "features": ["region", "channel"]},
    )


def copied(rng: np.random.Generator, planted: bool) -> Made:
    """A tenth of the test rows were training rows."""
    n = 1000
    train, test = rng.normal(size=(n, 4)), rng.normal(size=(n, 4))
    if planted:
        test[: n // 10] = train[: n // 10]
    return Made(
        test=_wide(test, rng.integers(0, 2, n), decision=rng.integers(0, 2, n)),
        train=_wide(train, rng.integers(0, 2, n), decision=rng.integers(0, 2, n)),
        roles={"target": "y", "positive": 1, "prediction": "decision", "features": list("abcd")},
    )


def told(rng: np.random.Generator, planted: bool) -> Made:
    """A feature that is the answer under another name."""
    n = 1000
    x, y = rng.normal(size=(n, 4)), rng.integers(0, 2, n)
    if planted:
        x[:, 3] = 3.0 * y + 1.0
    return Made(
        test=_wide(x, y, decision=rng.integers(0, 2, n)),
        roles={"target": "y", "positive": 1, "prediction": "decision", "features": list("abcd")},
    )


def reading(rng: np.random.Generator, planted: bool) -> Made:
    """A model that reads the sensitive column."""
    n = 1000
    x, group = rng.normal(size=n), rng.choice(GROUPS, n)

    def decide(table: Any) -> NDArray[Any]:
        edge = np.where(np.asarray(table["group"]) == "b", 0.5, 0.0) if planted else 0.0
        return (np.asarray(table["x"]) > edge).astype(int)

    y = (x + rng.normal(size=n) > 0).astype(int)
    return Made(
        test={"y": y, "group": group, "x": x},
        model=decide,
        roles={"target": "y", "positive": 1, "groups": ["group"], "features": ["x", "group"]},
    )


def mangled(rng: np.random.Generator, planted: bool) -> Made:
    """Preprocessing that swaps two columns on the way to the model, which only known answers show."""
    n = 500
    x = rng.normal(size=(n, 2))

    def decide(table: Any) -> NDArray[Any]:
        return (np.asarray(table["b" if planted else "a"]) > 0).astype(int)

    answers = (x[:, 0] > 0).astype(int)
    rows = {"y": answers, "a": x[:, 0], "b": x[:, 1]}
    return Made(
        test=rows,
        known={name: values[:50] for name, values in rows.items()},
        model=decide,
        roles={"target": "y", "positive": 1, "features": ["a", "b"]},
    )


def _wide(x: NDArray[np.float64], y: NDArray[Any], **more: NDArray[Any]) -> Table:
    return {"y": y, **{name: x[:, i] for i, name in enumerate("abcd")}, **more}


def _limit(measure: str, **more: Any) -> Limit:
    return {"measure": measure, "why": "planted", **more}


WORLDS = (
    World(
        fault="positives of one group are missed",
        limit=_limit("true_positive_rate", by="group", compare="difference", max=0.1),
        make=missed,
    ),
    World(
        fault="one group is selected half as often",
        limit=_limit("selection_rate", by="group", compare="ratio", min=0.8),
        make=chosen,
    ),
    World(
        fault="a gap only where two columns cross",
        limit=_limit("selection_rate", by=["group", "sex"], compare="difference", max=0.1),
        make=crossed,
    ),
    World(
        fault="scores do not rank one group",
        limit=_limit("roc_auc", by="group", compare="difference", max=0.1),
        make=ranked,
    ),
    World(
        fault="probabilities too high for one group",
        limit=_limit("calibration_in_the_large", by="group", min=-0.1, max=0.1),
        make=promised,
    ),
    World(
        fault="a quantity guessed too low for one group",
        limit=_limit("mean_residual", by="group", compare="difference", max=0.5),
        make=mispriced,
    ),
    World(fault="errors pile up in a slice", limit=_limit("significant_slices", max=0), make=hidden),
    World(
        fault="test rows were training rows",
        limit=_limit("train_test_overlap", max=0.01),
        make=copied,
    ),
    World(
        fault="a feature gives the answer away",
        limit=_limit("largest_single_feature_auc", max=0.9),
        make=told,
    ),
    World(
        fault="the model reads the sensitive column",
        limit=_limit("attribute_flip_share", max=0.02, params={"column": "group"}),
        make=reading,
        classes=(0, 1),
    ),
    World(
        fault="the model is fed wrongly",
        limit=_limit("known_answers_wrong", max=0),
        make=mangled,
        classes=(0, 1),
    ),
)
