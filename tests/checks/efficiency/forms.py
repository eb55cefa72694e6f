"""A model and a form of it that sees less, for every kind of target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression

import audit
from audit.record import AuditRun
from tests.checks.efficiency.worlds import found

N = 500
X = ["x", "z"]


def table(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=N), rng.normal(size=N)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "group": np.where(rng.random(N) < 0.3, "b", "a"),
            "y": (x + z / 2 + rng.normal(size=N) > 0).astype(int),
            "k": np.array(["ant", "bee", "cat"])[np.digitize(x + z + rng.normal(size=N), [-0.8, 1.0])],
            "v": x + z + rng.normal(size=N),
        }
    )


def pair(target: str) -> tuple[Any, Any]:
    """A model, and a form of it that sees nothing of z."""
    train = table(9)
    kind = LinearRegression if target == "v" else LogisticRegression
    features = train[X].to_numpy()
    return kind().fit(features, train[target]), kind().fit(features * [1, 0], train[target])


def run(target: str, **more: Any) -> AuditRun:
    full, less = pair(target)
    given = {"target": target, "features": X, "groups": ["group"], "use": ()}
    return audit.run(full, table(), variants={"less": less}, **{**given, **more}).result


GROUPS = [{}, {"group": "a"}, {"group": "b"}]


def at(made: AuditRun, name: str, about: dict[str, str], **params: str) -> Any:
    (only,) = [m for m in found(made, name, variant="less", **params) if dict(m.slice) == about]
    return only


def of_group(about: dict[str, str]) -> pd.DataFrame:
    data = table()
    return data[data["group"] == about["group"]] if about else data
