"""An audit of tables in memory, from the raw tables of an audit.toml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.case import build_case, data_spec
from audit.data.memory import as_table
from audit.data.opening import dataset_from_table
from audit.engine import run_audit
from audit.models.loading import LoadedModel
from audit.models.wrapping import wrap
from audit.record import AuditRun
from audit.registry import Registry
from audit.spec import AuditSpec, Loaded, validate

IN_MEMORY = "(in memory)"
Tables = Mapping[str, Mapping[str, Any] | None]


def audited(
    tables: Tables,
    roles: Mapping[str, Any],
    limit: Mapping[str, Any],
    registry: Registry,
    model: LoadedModel | None = None,
) -> AuditRun:
    """``tables`` are by the names of [data]; the others inherit the roles of "test"."""
    given = {name: table for name, table in tables.items() if table is not None}
    data = {name: {"path": IN_MEMORY, **(roles if name == "test" else {})} for name in given}
    raw: dict[str, Any] = {"name": "selftest", "use": [], "data": data, "limit": [{"why": "selftest", **limit}]}
    if model is not None:
        raw["model"] = {"path": IN_MEMORY}
    spec = validate(AuditSpec, raw, "selftest")
    datasets = {
        name: dataset_from_table(name, as_table(table, name), part, spec.columns, root=Path())
        for name, table in given.items()
        if (part := data_spec(spec, name)) is not None
    }
    case = build_case(spec, Path(), model, datasets)
    return run_audit(case, Loaded(spec=spec, root=Path(), raw=raw, sha256=""), registry)


def in_memory(function: Any, classes: tuple[Any, ...], output: str, features: Any) -> LoadedModel:
    """A function as a model."""
    adapter = wrap(function, classes=classes, output=output, features=features, device="cpu")
    return LoadedModel(model=adapter, sha256="", bytes=0, path=IN_MEMORY)
