"""One case for each kind of model, and every check of a case run as the engine runs it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from audit import plan
from audit.case import Case, build_case
from audit.data.opening import dataset_from_table
from audit.energy.record import Counter, to_text
from audit.engine import Runner, Settings, Silent, facts_of
from audit.models.loading import LoadedModel
from audit.models.torch import TorchModel
from audit.models.wrapping import wrap
from audit.record import Record
from audit.registry import find
from audit.spec import AuditSpec
from tests.energy.trees import HOST, a_record

TRAINING: Mapping[str, Any] = {
    "record": "training.json", "region": "DE", "hardware": "Tesla T4", "hours": 2.0, "epochs": 3.0, "batch": 32,
    "precision": "fp16", "declared_kwh": 0.4, "declared_kgco2e": 0.1, "pue": 1.2, "embodied_kgco2e": 1.0,
}  # fmt: skip
Cells = dict[str, Any]
N = 90
REGISTRY = find()


def cells(seed: int = 1, n: int = N) -> Cells:
    """Two features, a label of each kind, a score and a group."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    risk = 1 / (1 + np.exp(-x - z / 2))
    return {
        "x": x,
        "z": z,
        "race": rng.choice(np.array(["black", "white", "asian"], dtype=object), n, p=[0.3, 0.5, 0.2]),
        "sex": rng.choice(np.array(["f", "m"], dtype=object), n),
        "y": (rng.random(n) < risk).astype(int),
        "v": x + rng.normal(size=n),
        "k": rng.choice(np.array(["ant", "bee", "cat"], dtype=object), n),
        "s": risk,
        **{f"p{i}": rng.random(n) for i in range(4)},
        "q": rng.integers(0, 12, n),
    }


@cache
def training_folder() -> Path:
    """Where the record of a training lies: an hour on a machine with counters, without a word of its model."""
    folder = Path(tempfile.mkdtemp(prefix="contract-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    record = replace(a_record(host=HOST), counters=(Counter(name="package-0", joules=5e5),), counters_status="read")
    (folder / "training.json").write_text(to_text(record))
    return folder


@cache
def fitted(kind: str) -> Any:
    train = cells(2)
    features = np.column_stack([train["x"], train["z"]])
    if kind == "regression":
        return LinearRegression().fit(features, train["v"])
    target = train["y"] if kind == "binary" else train["k"].astype(str)
    return LogisticRegression().fit(features, target)


@cache
def network(kind: str) -> TorchModel:
    torch.manual_seed(0)
    if kind == "torch":
        module = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
        return TorchModel(module.eval(), classes=[0, 1], output="logit")
    picture = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(8, 2))
    return TorchModel(picture.eval(), classes=[0, 1], output="logit")


ROLES: Mapping[str, Mapping[str, Any]] = {
    "stored": {"target": "y", "positive": 1, "score": "s", "features": ["x", "z"]},
    "binary": {"target": "y", "positive": 1, "features": ["x", "z"]},
    "ranking": {"target": "y", "score": "s", "query": "q", "features": ["x", "z"]},
    "multiclass": {"target": "k", "features": ["x", "z"]},
    "regression": {"target": "v", "features": ["x", "z"]},
    "torch": {"target": "y", "positive": 1, "features": ["x", "z"]},
    "picture": {"target": "y", "positive": 1, "features": ["scan"]},
}
KINDS = tuple(ROLES)
STORED = ("stored", "ranking")


def case_of(kind: str, test: Cells, *, batch: int = 8192, chunks: int = 1, train: Cells | None = None) -> Case:
    """``kind`` is what is audited; ``test`` its table."""
    part = {"path": "t.parquet", "groups": ["race", "sex"], **ROLES[kind]}
    spec = AuditSpec.model_validate(
        {
            "name": "contract",
            "data": {"test": part, "train": {"path": "u.parquet"}, "known": {"path": "k.parquet"}},
            "columns": {"scan": {"kind": "image", "from": "p?", "shape": [1, 2, 2]}} if kind == "picture" else {},
            "compute": {"batch": batch},
            "evidence": {"rows": "sample"},
            "training": TRAINING,
            **({} if kind in STORED else {"model": {"path": "m.skops"}}),
        }
    )
    from audit.case import data_spec

    given = {"test": _chunked(test, chunks), "train": _chunked(train or cells(2)), "known": _chunked(cells(3, 5))}
    data = {
        name: dataset_from_table(name, table, data_spec(spec, name) or spec.data.test, spec.columns, root=Path())
        for name, table in given.items()
    }
    model = None if kind in STORED else LoadedModel(model=wrap(_model(kind), device="cpu"), sha256="", bytes=0, path="")
    return build_case(spec, training_folder(), model, data)


def _model(kind: str) -> Any:
    return network(kind) if kind in {"torch", "picture"} else fitted(kind)


def _chunked(test: Cells, chunks: int = 1) -> pa.Table:
    table = pa.table({name: pa.array(list(v), from_pandas=False) for name, v in test.items()})
    size = max(1, -(-table.num_rows // chunks))
    return pa.concat_tables([table.slice(i, size) for i in range(0, max(table.num_rows, 1), size)])


def records(case: Case) -> dict[str, Record]:
    """Every check of the registry, run on the case."""
    items = plan.make(REGISTRY, facts_of(case), (), Settings().costs)
    made, _ = Runner(case=case, registry=REGISTRY).run(items, Silent())
    return {record.check: record for record in made}


def numbers(found: Mapping[str, Record], rename: Callable[[str | None], str | None] = lambda level: level) -> Any:
    """Every number of every check, by what it is about."""
    return {
        (check, m.name, frozenset((c, rename(v)) for c, v in m.slice.items()), frozenset(m.params.items())): m
        for check, record in found.items()
        for m in record.outcome.measurements
    }


def permuted(test: Cells, seed: int = 7) -> Cells:
    order = np.random.default_rng(seed).permutation(len(test["y"]))
    return {name: np.asarray(values)[order] for name, values in test.items()}


def batched(case: Case, size: int) -> Case:
    return replace(
        case, spec=case.spec.model_copy(update={"compute": case.spec.compute.model_copy(update={"batch": size})})
    )
