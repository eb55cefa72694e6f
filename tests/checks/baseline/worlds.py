"""A model that would replace another: better for the many, worse for the few."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression

import audit
from audit.record import AuditRun
from audit.results import Measurement, Omission

N = 800
X = ["x", "z"]
GROUPS: list[dict[str, str]] = [{}, {"group": "a"}, {"group": "b"}]


def table(n: int = N, seed: int = 3) -> pd.DataFrame:
    """For group a the outcome follows x, for the smaller group b it follows z."""
    rng = np.random.default_rng(seed)
    x, z, group = rng.normal(size=n), rng.normal(size=n), np.where(rng.random(n) < 0.3, "b", "a")
    drive = 1.5 * np.where(group == "b", z, x) + rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "group": group,
            "y": (drive > 0).astype(int),
            "k": np.array(["ant", "bee", "cat"])[np.digitize(drive, [-1.0, 1.0])],
            "v": drive,
        }
    )


@cache
def models(target: str) -> tuple[Any, Any]:
    """(new, old): the old one was trained on everybody, the new one on group a alone."""
    kind = LinearRegression if target == "v" else LogisticRegression
    train = table(1500, 9)
    few = train[train["group"] == "a"]
    return kind().fit(few[X], few[target]), kind().fit(train[X], train[target])


def run(target: str = "y", data: pd.DataFrame | None = None, **more: Any) -> AuditRun:
    new, old = models(target)
    given = {"target": target, "features": X, "groups": ["group"], "use": (), "baseline": old}
    return audit.run(new, table() if data is None else data, **{**given, **more}).result


def found(made: AuditRun, name: str, about: dict[str, str] | None = None, **params: str) -> Measurement:
    every = [m for _, m in made.measurements() if m.name == name and dict(m.slice) == (about or {})]
    (only,) = [m for m in every if dict(m.params) == params]
    return only


def omitted(made: AuditRun, name: str) -> list[Omission]:
    return [o for _, o in made.omissions() if o.name == name]


def of_group(about: dict[str, str]) -> pd.DataFrame:
    data = table()
    return data[data["group"] == about["group"]] if about else data
