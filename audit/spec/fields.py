"""What several keys of audit.toml hold alike: a list of names, one entry or one a label, the task."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError


def _listed(value: object) -> object:
    """One name may stand for a list of one. ValueError for a name that stands twice."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list | tuple):
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            raise ValueError(f'"{twice}" stands there twice: name it once')
    return names


def _several(value: object) -> list[object]:
    """The entries of a list that has one a label; a single entry by itself. Refuses a list of one."""
    if not isinstance(value, list | tuple):
        return [value]
    if len(value) < 2:
        raise PydanticCustomError("labels", "must have one entry a label, two or more, or be a single one, no list")
    return list(value)


def _columns(value: object) -> object:
    """A column, or one a label."""
    if not all(isinstance(one, str) for one in _several(value)):
        raise PydanticCustomError("column", "must be a column in quotes, or a list of columns, one a label")
    return value if isinstance(value, str) else _listed(value)


def _thresholds(value: object) -> object:
    """A finite number, or one a label."""
    for one in _several(value):
        if isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one):
            raise PydanticCustomError("threshold", "must be a finite number")
    return value


def _named_groups(value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Groups of features that have a name and members. ValueError for one that has not."""
    for name, members in value.items():
        if not name.strip():
            raise ValueError("a group has no name: write it before its columns, such as region = ['region_*']")
        if not members:
            raise ValueError(f'the group "{name}" is empty: name its columns, or leave it out')
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Column = Annotated[str | tuple[str, ...], BeforeValidator(_columns)]
Threshold = Annotated[float | tuple[float, ...], BeforeValidator(_thresholds)]
FeatureGroups = Annotated[dict[str, Names], AfterValidator(_named_groups)]
Task = Literal["binary", "multiclass", "multilabel", "regression", "ranking"]
