"""Cases over small tables in memory, and one check run on them as the engine runs it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from audit import plan
from audit.case import Case, build_case
from audit.data import Dataset
from audit.data.opening import dataset_from_table
from audit.engine import Runner, Silent, facts_of
from audit.models.loading import LoadedModel
from audit.models.wrapping import wrap
from audit.registry import Registry, find
from audit.results import Curve, Evidence, Measurement, Omission, Outcome, Scalar, Table
from audit.spec import AuditSpec, Loaded

Columns = Mapping[str, Any]
NOWHERE = Path("/nonexistent")


def table(columns: Columns) -> pa.Table:
    """Arrow columns of lists or arrays; None is a missing value, NaN stays NaN."""
    return pa.table(
        {name: v if isinstance(v, pa.Array | pa.ChunkedArray) else pa.array(_plain(v)) for name, v in columns.items()}
    )


def _plain(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def make_case(
    columns: Columns,
    *,
    target: str | Sequence[str] | None = None,
    positive: Scalar | None = None,
    favourable: Scalar | None = None,
    groups: Sequence[str] = (),
    features: Sequence[str] = (),
    score: str | None = None,
    scores: Sequence[str] = (),
    prediction: str | Sequence[str] | None = None,
    threshold: float | Sequence[float] | None = None,
    id: str | None = None,
    query: str | None = None,
    cluster: str | None = None,
    task: str | None = None,
    model: Any = None,
    output: str | None = None,
    train: Columns | None = None,
    known: Columns | None = None,
    stats: Mapping[str, Any] | None = None,
    batch: int = 8192,
    described: Mapping[str, Any] | None = None,
    limits: Sequence[Mapping[str, Any]] = (),
) -> Case:
    """A case over columns in memory: a model (an estimator, a function ...) or stored predictions.

    ``stats`` and ``described`` are [stats] and [columns]; a role left out is not given.
    """
    roles = {
        "target": target,
        "positive": positive,
        "favourable": favourable,
        "groups": list(groups) or None,
        "features": list(features) or None,
        "score": score,
        "scores": list(scores) or None,
        "prediction": prediction,
        "threshold": threshold if model is None else None,
        "id": id,
        "query": query,
        "cluster": cluster,
    }
    tables = {"test": columns, "train": train, "known": known}
    given = {name: part for name, part in tables.items() if part is not None}
    part = {"path": "memory.parquet"} | {role: value for role, value in roles.items() if value is not None}
    spec = AuditSpec.model_validate(
        {
            "name": "world",
            "data": dict.fromkeys(given, part) | ({"test": part | {"task": task}} if task and model is None else {}),
            "stats": dict(stats or {}),
            "compute": {"batch": batch},
            "columns": dict(described or {}),
            "limit": list(limits),
        }
        | ({"model": {"path": "model.skops", "task": task, "threshold": threshold}} if model is not None else {})
    )
    datasets: dict[str, Dataset] = {
        name: dataset_from_table(name, table(cells), getattr(spec.data, name), spec.columns, root=NOWHERE)
        for name, cells in given.items()
    }
    several = bool(spec.labels)
    adapted = None if model is None else wrap(model, classes=spec.labels, output=output, multilabel=several)
    loaded = None if adapted is None else LoadedModel(model=adapted, sha256="", bytes=0, path="")
    return build_case(spec, NOWHERE, loaded, datasets)


def loaded(case: Case) -> Loaded:
    """The case's spec as if it had been read from a file."""
    return Loaded(spec=case.spec, root=case.root, raw=case.spec.model_dump(mode="json", by_alias=True), sha256="")


@cache
def registry() -> Registry:
    return find()


def run_check(case: Case, check: str, *, on: str = "test", **params: Scalar) -> Outcome:
    """What the engine records of one check, planned as in an audit. A crash of the check is raised."""
    planned = next(item for item in plan.make(registry(), facts_of(case), ()) if item.check.id == check)
    records, _ = Runner(case=case, registry=registry()).run([replace(planned, on=on, params=params)], Silent())
    if records[0].traceback:
        raise AssertionError(records[0].traceback)
    return records[0].outcome


def measurement(outcome: Outcome, name: str, *, by: Mapping[str, str | None] | None = None, **params: Scalar) -> Any:
    """The one measurement of that name, group and parameters; KeyError when there is none."""
    found = [m for m in outcome.measurements if _is(m, name, by, params)]
    if len(found) != 1:
        raise KeyError(f"{len(found)} measurements of {name} for {by} {params}")
    return found[0]


def omission(outcome: Outcome, name: str, *, by: Mapping[str, str | None] | None = None, **params: Scalar) -> Omission:
    """The one omission of that name, group and parameters; KeyError when there is none."""
    found = [o for o in outcome.omissions if _is(o, name, by, params)]
    if len(found) != 1:
        raise KeyError(f"{len(found)} omissions of {name} for {by} {params}")
    return found[0]


def _is(result: Measurement | Omission, name: str, by: Mapping[str, str | None] | None, params: Columns) -> bool:
    return result.name == name and dict(result.slice) == dict(by or {}) and dict(result.params) == dict(params)


def evidence(outcome: Outcome, name: str) -> Evidence:
    return next(item for item in outcome.evidence if isinstance(item, Curve | Table) and item.name == name)


def numbers(outcome: Outcome) -> dict[tuple[Any, ...], Any]:
    """Every measurement by name, group and parameters, for comparing two outcomes."""
    return {_key(m): (m.value, m.interval, m.n) for m in outcome.measurements}


def _key(result: Measurement | Omission) -> tuple[Any, ...]:
    return result.name, tuple(sorted(result.slice.items())), tuple(sorted(result.params.items()))


def are_alike(one: Outcome, other: Outcome) -> bool:
    """Whether both hold the same measurements, to 1e-12 (1e-9 for bounds), and omit the same for the same reasons."""
    first, second = numbers(one), numbers(other)
    omitted = [{(_key(o), o.reason, o.detail, o.n) for o in outcome.omissions} for outcome in (one, other)]
    return (
        first.keys() == second.keys()
        and omitted[0] == omitted[1]
        and all(
            math.isclose(value, second[key][0], rel_tol=1e-12, abs_tol=1e-12)
            and math.isclose(bounds.lower, second[key][1].lower, rel_tol=1e-9, abs_tol=1e-9)
            and math.isclose(bounds.upper, second[key][1].upper, rel_tol=1e-9, abs_tol=1e-9)
            and n == second[key][2]
            for key, (value, bounds, n) in first.items()
        )
    )
