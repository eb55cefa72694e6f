"""Variants in awkward cases: every degenerate table, and regressions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import audit
from audit.case import Case, with_variants
from audit.results import Record
from tests.checks.efficiency.worlds import found, network, overall, table
from tests.contracts.cases import case_of, cells, records
from tests.contracts.test_degenerate import TABLES, faults, refused

CHECKS = (
    "efficiency.variants",
    "efficiency.variant_classes",
    "efficiency.variant_scores",
    "efficiency.variant_errors",
    "efficiency.model_size",
)


def with_copies(case: Case) -> Case:
    """The case with its own model as a variant, and as another seed."""
    loaded = case.loaded
    if loaded is None:
        return case
    model = case.spec.model
    named = {"copy": "m.skops", "seed2": "m.skops"}
    spec = case.spec.model_copy(update={"model": model and model.model_copy(update={"variants": named})})
    return with_variants(replace(case, spec=spec), {"copy": loaded, "seed2": loaded})


@pytest.mark.parametrize("name", [pytest.param(t, marks=pytest.mark.slow if "200" in t else ()) for t in TABLES])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_every_degenerate_table_gives_a_sound_answer_or_says_why_not(
    kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if refused(kind, name):
        return
    made = slim(with_copies(case_of(kind, TABLES[name](cells()))), monkeypatch)
    assert {check: faults(made[check]) for check in CHECKS if faults(made[check])} == {}
    churn = [m for m in made["efficiency.variants"].outcome.measurements if m.name == "variant_churn"]
    assert all(m.value == 0 for m in churn)


def slim(case: Case, monkeypatch: pytest.MonkeyPatch) -> dict[str, Record]:
    """The records of these checks alone."""
    from tests.contracts import cases

    every = cases.REGISTRY
    few = replace(
        every,
        checks={name: every.checks[name] for name in CHECKS},
        measures={name: check for name, check in every.measures.items() if check in CHECKS},
    )
    monkeypatch.setattr(cases, "REGISTRY", few)
    return records(case)


def test_a_regression_is_compared_by_its_errors_row_by_row() -> None:
    rng = np.random.default_rng(8)
    x, z = rng.normal(size=200), rng.normal(size=200)
    data: dict[str, Any] = {"x": x, "z": z, "v": x + z + rng.normal(size=200), "group": np.where(x > 0, "a", "b")}
    features = np.column_stack([x, z])
    full, less = LinearRegression().fit(features, data["v"]), LinearRegression().fit(features * [1, 0], data["v"])
    run = audit.run(full, data, target="v", features=["x", "z"], groups=["group"], variants={"less": less}, use=())
    errors = [np.abs(m.predict(features) - data["v"]) for m in (less, full)]
    assert overall(run.result, "variant_error_change", variant="less").value == pytest.approx(
        np.mean(errors[0] - errors[1])
    )
    assert len(found(run.result, "variant_shift", variant="less")) == 3


def test_a_limit_on_a_variant_that_was_not_given_is_not_assessed() -> None:
    limit = {"measure": "variant_churn", "params": {"variant": "int8"}, "max": 0.1, "why": "so"}
    run = audit.run(network(), table(60), target="y", features=["x", "z"], classes=[0, 1], output="logit", use=(),
                    device="cpu", limits=[limit])  # fmt: skip
    assert (run.exit_code, str(run.findings[0].verdict)) == (2, "not_assessed")
