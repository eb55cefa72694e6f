"""Every check over several labels, on every degenerate table: a sound answer of each label, or a reason why not."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audit import plan
from audit.case import Case, build_case, data_spec
from audit.data.opening import dataset_from_table
from audit.engine import Runner, Settings, Silent, facts_of
from audit.errors import AuditError
from audit.models.loading import LoadedModel
from audit.models.torch import TorchModel
from audit.models.wrapping import wrap
from audit.record import Record
from audit.spec import AuditSpec
from tests.contracts.cases import REGISTRY, Cells, _chunked, cells
from tests.contracts.test_degenerate import TABLES, faults

LABELS = ("y", "u")
STORED = {"scores": ["s", "t"]}


def several(test: Cells) -> Cells:
    """A second label beside y, and its score."""
    if "u" in test:
        return test
    n = len(test["y"])
    rng = np.random.default_rng(4)
    return {**test, "u": (rng.random(n) < 0.4).astype(int), "t": rng.random(n)}


@cache
def network() -> TorchModel:
    torch.manual_seed(0)
    return TorchModel(torch.nn.Linear(2, 2).eval(), classes=LABELS, output="logit")


def case_of(kind: str, test: Cells) -> Case:
    part: dict[str, Any] = {"path": "t.parquet", "target": LABELS, "groups": ["race", "sex"], "features": ["x", "z"]}
    spec = AuditSpec.model_validate(
        {
            "name": "contract",
            "data": {
                "test": part | (STORED if kind == "stored" else {}),
                "train": {"path": "u.parquet"},
                "known": {"path": "k.parquet"},
            },
            "evidence": {"rows": "sample"},
            **({} if kind == "stored" else {"model": {"path": "m.safetensors"}}),
        }
    )
    given = {"test": several(test), "train": several(cells(2)), "known": several(cells(3, 5))}
    data = {
        name: dataset_from_table(name, _chunked(table), data_spec(spec, name) or spec.data.test, {}, root=Path())
        for name, table in given.items()
    }
    model = None if kind == "stored" else wrap(network(), device="cpu", multilabel=True)
    return build_case(
        spec, Path(), None if model is None else LoadedModel(model=model, sha256="", bytes=0, path=""), data
    )


def records(case: Case) -> list[Record]:
    items = plan.make(REGISTRY, facts_of(case), (), Settings().costs)
    return Runner(case=case, registry=REGISTRY).run(items, Silent())[0]


QUICK = {("stored", name) for name in TABLES if name != "200 groups"} | {("torch", "NaN and infinite features")}
CASES = [
    pytest.param(kind, name, marks=() if (kind, name) in QUICK else pytest.mark.slow, id=f"{kind}-{name}")
    for kind in ("stored", "torch")
    for name in TABLES
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_check_gives_a_sound_answer_of_each_label_or_says_why_not(kind: str, name: str) -> None:
    if (kind, name) == ("torch", "an empty feature"):
        with pytest.raises(AuditError, match=r"\A[^\n]*\Z"):
            records(case_of(kind, TABLES[name](several(cells()))))
        return
    found = records(case_of(kind, TABLES[name](several(cells()))))
    assert {record.check for record in found} == set(REGISTRY.checks)
    said = {(record.check, str(dict(record.params))): faults(record) for record in found}
    assert {key: wrong for key, wrong in said.items() if wrong} == {}


def test_no_number_of_a_label_is_without_its_name() -> None:
    for record in records(case_of("stored", cells())):
        label = record.params.get("class", "")
        assert not label or {m.params.get("class") for m in record.outcome.measurements} <= {label}
