"""Every degenerate table against a baseline, and what must not change a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.case import Case, with_baseline
from audit.data.dataset import BaselineRoles
from audit.models.loading import LoadedModel
from audit.models.wrapping import wrap
from audit.results import Record
from audit.spec import BaselineColumns
from tests.checks.baseline.worlds import models
from tests.contracts import cases
from tests.contracts.cases import Cells, case_of, cells, numbers, permuted
from tests.contracts.test_degenerate import TABLES, faults, refused
from tests.contracts.test_metamorphic import NEW, assert_same

KINDS = {"binary": "y", "multiclass": "k", "regression": "v", "stored": ""}


@pytest.fixture(autouse=True)
def baseline_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    every = cases.REGISTRY
    checks = {name: info for name, info in every.checks.items() if info.family == "baseline"}
    measures = {name: check for name, check in every.measures.items() if check in checks}
    monkeypatch.setattr(cases, "REGISTRY", replace(every, checks=checks, measures=measures))


def against(kind: str, test: Cells) -> dict[str, Record]:
    return cases.records(with_other(case_of(kind, test), kind))


def with_other(case: Case, kind: str) -> Case:
    """The case with another model of its kind, or, of stored scores, with another column of them."""
    test = case.datasets["test"]
    if kind == "stored":
        spec = case.spec.data.test.model_copy(update={"baseline": BaselineColumns(score="p0")})
        named = replace(test, roles=replace(test.roles, baseline=BaselineRoles(score="p0")))
        data = case.spec.data.model_copy(update={"test": spec})
        return replace(
            case, spec=case.spec.model_copy(update={"data": data}), datasets={**case.datasets, "test": named}
        )
    model = case.spec.model
    spec_with = case.spec.model_copy(update={"model": model and model.model_copy(update={"baseline": "old.skops"})})
    old = wrap(models(KINDS[kind])[1], device="cpu")
    return with_baseline(replace(case, spec=spec_with), LoadedModel(model=old, sha256="", bytes=0, path="old.skops"))


@pytest.mark.parametrize("name", [pytest.param(t, marks=pytest.mark.slow if "200" in t else ()) for t in TABLES])
@pytest.mark.parametrize("kind", KINDS)
def test_every_degenerate_table_gives_a_sound_answer_or_says_why_not(kind: str, name: str) -> None:
    if refused(kind, name):
        return
    found = against(kind, TABLES[name](cells()))
    assert len(found) == 5
    assert {check: faults(record) for check, record in found.items() if faults(record)} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_neither_the_order_of_the_rows_nor_the_names_of_groups_change_a_number(kind: str) -> None:
    one = numbers(against(kind, cells()))
    assert len(one) > 30
    assert_same(one, numbers(against(kind, permuted(cells()))))
    renamed = cells() | {g: np.array([NEW[v] for v in cells()[g]], dtype=object) for g in ("race", "sex")}
    assert_same(numbers(against(kind, cells()), lambda v: NEW[v]), numbers(against(kind, renamed)))


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_to_swap_model_and_baseline_turns_every_change_around(kind: str) -> None:
    case = with_other(case_of(kind, cells()), kind)
    assert case.loaded is not None
    assert case.baseline is not None
    there = numbers(cases.records(case))
    back = numbers(cases.records(replace(case, loaded=case.baseline, baseline=case.loaded)))
    changes = [key for key in there if "_change_" in key[1] and "worst" not in key[1] and "detectable" not in key[1]]
    assert len(changes) > 20
    for key in changes:
        assert there[key].value == pytest.approx(-back[key].value, abs=1e-12)
        assert there[key].interval.lower == pytest.approx(-back[key].interval.upper, abs=1e-9)
