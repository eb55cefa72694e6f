"""From the spec's words about a table to a Dataset: roles are checked against the columns that are really there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from audit.data.dataset import BaselineRoles, Column, ColumnKind, Dataset, Roles, matching
from audit.data.reading import digest, read_table
from audit.errors import DataError, nearest
from audit.spec import ColumnSpec, DataSpec, relative

MADE_OF_SEVERAL = ("image", "series", "audio", "embedding")
# These say what a column is, so a second data set has them too unless it says otherwise.
# What another model said of the test rows it did not say of others.
INHERITED = tuple(name for name in DataSpec.model_fields if name not in {"path", "baseline"})


def inherit(spec: DataSpec, parent: DataSpec) -> DataSpec:
    """``spec`` with the roles of ``parent`` wherever it is silent."""
    given: dict[str, Any] = {name: getattr(parent, name) for name in INHERITED if getattr(spec, name) is None}
    return spec.model_copy(update=given)


def open_dataset(name: str, spec: DataSpec, columns: Mapping[str, ColumnSpec], root: Path) -> Dataset:
    """Read the table of ``[data.<name>]``. DataError names the file, the column and the nearest one there is."""
    path = relative(root, spec.path)
    return dataset_from_table(name, read_table(path), spec, columns, root=root, path=spec.path, sha256=digest(path))


def dataset_from_table(
    name: str,
    table: pa.Table,
    spec: DataSpec,
    columns: Mapping[str, ColumnSpec],
    *,
    root: Path,
    path: str = "",
    sha256: str = "",
) -> Dataset:
    """A Dataset over a table in memory."""
    if table.num_rows == 0:
        raise DataError(f"{path or name} has no rows: an audit needs at least one")
    logical = logical_columns(table.schema, columns, path or name, root)
    roles = checked_roles(name, spec, logical, path)
    return Dataset(name=name, table=table, columns=logical, roles=roles, path=path, sha256=sha256)


def checked_roles(name: str, spec: DataSpec, logical: Mapping[str, Column], path: str) -> Roles:
    """The roles of ``[data.<name>]``. DataError for one that names no column."""
    roles = roles_of(spec)
    for role, column in named_columns(roles):
        if column not in logical:
            raise DataError(
                f'[data.{name}] {role} = "{column}": no such column in {path or "the table"}'
                f"{nearest(column, logical)}; it has {', '.join(list(logical)[:12])}"
            )
    _refuse_two_roles(name, roles)
    return roles


# What holds the truth, an answer or a weight holds nothing else. Any column may group rows, one score be
# judged at two thresholds, and a feature that is the target is what the leakage checks measure.
_ALONE = frozenset({"target", "prediction", "score", "scores", "weight"})
_BESIDE = frozenset({*_ALONE, "query", "id", "cluster"})


def _refuse_two_roles(name: str, roles: Roles) -> None:
    """DataError for a column that would be held against itself, such as a score that is the target."""
    taken: dict[str, str] = {}
    for role, column in named_columns(roles):
        first = taken.get(column, "")
        pair = {first, role}
        if first and ((pair <= _BESIDE and pair & _ALONE) or pair == {"target", "baseline"}):
            raise DataError(
                f'[data.{name}] {role} = "{column}": this column is named as {first} already, and what is the truth, '
                "an answer or a weight can be nothing else: name another column, or leave one of the two keys out"
            )
        if role in _BESIDE:
            taken.setdefault(column, role)


def with_features(data: Dataset, features: tuple[str, ...]) -> Dataset:
    """``data`` with its features role filled; DataError for a feature that is not a column."""
    for feature in features:
        if feature not in data.columns:
            raise DataError(
                f'the model needs the column "{feature}", which {data.path or data.name} does not have'
                f"{nearest(feature, data.columns)}"
            )
    return replace(data, roles=replace(data.roles, features=features))


def default_features(data: Dataset) -> tuple[str, ...]:
    """Every logical column that has no other role; what a picture is made of is not a feature beside it.

    Embeddings say which rows are alike, and are a feature only where they are named as one.
    """
    taken = {*data.roles.used(), *(source for column in data.columns.values() for source in column.sources)}
    return tuple(name for name, column in data.columns.items() if name not in taken and column.kind != "embedding")


def roles_of(spec: DataSpec) -> Roles:
    return Roles(
        target=spec.target if isinstance(spec.target, str) else "",
        targets=spec.labels,
        positive=spec.positive,
        favourable=spec.favourable,
        groups=spec.groups or (),
        features=spec.features or (),
        prediction=spec.prediction if isinstance(spec.prediction, str) else "",
        predictions=spec.prediction if isinstance(spec.prediction, tuple) else (),
        score=spec.score or "",
        scores=spec.scores or (),
        threshold=spec.threshold if isinstance(spec.threshold, float) else None,
        thresholds=spec.threshold if isinstance(spec.threshold, tuple) else (),
        query=spec.query or "",
        baseline=_baseline_roles(spec),
        id=spec.id or "",
        weight=spec.weight or "",
        cluster=spec.cluster or "",
        time=spec.time or "",
        control=spec.control or (),
        immutable=spec.immutable or (),
    )


def _baseline_roles(spec: DataSpec) -> BaselineRoles:
    said = spec.baseline
    if said is None:
        return BaselineRoles()
    return BaselineRoles(
        prediction=said.prediction or "", score=said.score or "", scores=said.scores or (), threshold=said.threshold
    )


def named_columns(roles: Roles) -> list[tuple[str, str]]:
    """(role, column) for every column that a role names."""
    single = ("target", "prediction", "score", "query", "id", "weight", "cluster", "time")
    several = ("groups", "features", "scores", "control", "immutable")
    pairs = [(role, getattr(roles, role)) for role in single]
    pairs += [(role, column) for role in several for column in getattr(roles, role)]
    pairs += [("target", column) for column in roles.targets] + [("prediction", c) for c in roles.predictions]
    pairs += [("baseline", column) for column in roles.baseline.columns]
    return [(role, column) for role, column in pairs if column]


def logical_columns(schema: pa.Schema, specs: Mapping[str, ColumnSpec], where: str, root: Path) -> dict[str, Column]:
    """Stored columns with their inferred kinds, plus those that [columns] makes of several."""
    columns = {field.name: Column(name=field.name, kind=kind_of(field.type)) for field in schema}
    for name, spec in specs.items():
        sources = matching(spec.sources, schema.names) if spec.sources else ()
        if spec.sources and not sources:
            raise DataError(f'[columns] {name}: no column of {where} fits from = "{spec.sources}"')
        if not sources and name not in columns:
            raise DataError(f'[columns] "{name}" is no column of {where}{nearest(name, columns)}')
        if sources and spec.kind not in MADE_OF_SEVERAL:
            got = f'"{spec.kind}"' if spec.kind else "none"
            raise DataError(
                f"[columns] {name}: from makes one column of several numbers, of kind "
                f"{', '.join(MADE_OF_SEVERAL)}, and its kind is {got}: name one of these, or leave from out"
            )
        columns[name] = _described(name, spec, sources, columns.get(name), root)
        if sources and spec.shape and _product(spec.shape) != len(sources):
            raise DataError(
                f"[columns] {name}: shape {list(spec.shape)} needs {_product(spec.shape)} columns, "
                f'"{spec.sources}" fits {len(sources)}'
            )
    return columns


def _described(name: str, spec: ColumnSpec, sources: tuple[str, ...], stored: Column | None, root: Path) -> Column:
    return Column(
        name=name,
        kind=spec.kind or (stored.kind if stored else "number"),
        sources=sources,
        shape=spec.shape or (),
        bins=tuple(sorted(spec.bins or ())),
        labels=spec.labels,
        reference=spec.reference,
        root=str(relative(root, spec.root or "")),
    )


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def kind_of(arrow_type: pa.DataType) -> ColumnKind:
    if pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type) or pa.types.is_decimal(arrow_type):
        return "number"
    return "image" if pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type) else "category"
