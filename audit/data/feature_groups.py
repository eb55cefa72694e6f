"""Features that the user explains as one: their names and patterns held against the columns that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from audit.data.dataset import Dataset, FeatureGroup
from audit.data.opening import named_columns
from audit.errors import SpecError

GROUPED = ("number", "category")  # other kinds are explained by their own pixels, words and windows
WORDS = {"groups": "a sensitive column", "scores": "a score", "immutable": "an immutable column"}
MOST_NEAR = 3


def with_groups(data: Dataset, groups: tuple[FeatureGroup, ...]) -> Dataset:
    """``data`` whose features are explained in these groups."""
    return replace(data, roles=replace(data.roles, feature_groups=groups))


def feature_groups(
    said: Mapping[str, Sequence[str]], data: Dataset, where: str = "[feature_groups]"
) -> tuple[FeatureGroup, ...]:
    """The groups with their columns, in the order of the features. SpecError, from ``where``, for whatever is wrong.

    Where the features are not known yet, every column that could be one counts as a feature.
    """
    features = data.roles.features or _possible(data)
    taken: dict[str, str] = {}
    for name, members in said.items():
        if name in data.columns:
            raise SpecError(f'{where} "{name}" is a column of {data.path or data.name}: give the group another name')
        if not members:
            raise SpecError(f'{where} "{name}" is empty: name its columns, or leave it out')
        for column in dict.fromkeys(one for member in members for one in _fitting(name, member, features, data, where)):
            if column in taken:
                raise SpecError(
                    f'{where} "{column}" is in two groups, "{taken[column]}" and "{name}": a column belongs to one'
                )
            taken[column] = name
    return tuple(
        FeatureGroup(name=name, columns=tuple(column for column in features if taken.get(column) == name))
        for name in said
    )


def _possible(data: Dataset) -> tuple[str, ...]:
    roles = data.roles
    used = {column for role, column in named_columns(roles) if role not in {"groups", "control", "immutable"}}
    return tuple(name for name in data.columns if name not in used)


def _fitting(name: str, member: str, features: Sequence[str], data: Dataset, where: str) -> Iterator[str]:
    """The features that a member names: a column as it is called, else a pattern."""
    found = [member] if member in features else []
    if not found and member not in data.columns:
        found = [feature for feature in features if fnmatchcase(feature, member)]
    if not found:
        raise SpecError(f'{where} "{name}": {_missing(member, features, data)}')
    for column in found:
        kind = data.column(column).kind
        if kind not in GROUPED:
            raise SpecError(
                f'{where} "{name}": "{column}" holds {kind}, which is explained part by part: group columns of '
                f"{' or '.join(GROUPED)}"
            )
        yield column


def _missing(member: str, features: Sequence[str], data: Dataset) -> str:
    """Why nothing was found, and what there is."""
    others = [column for column in data.columns if column == member or fnmatchcase(column, member)]
    if others:
        roles = [WORDS.get(role, f"the {role}") for role, column in named_columns(data.roles) if column == others[0]]
        why = f" ({roles[0]})" if roles else ""
        return f'"{others[0]}" is no feature of the model{why}: a group is made of features alone'
    stem = member.translate(str.maketrans("", "", "*?[]!"))
    near = get_close_matches(stem, features, n=MOST_NEAR, cutoff=0.5) or list(features)[:MOST_NEAR]
    what = "no feature fits" if stem != member else f"no such column in {data.path or data.name}:"
    return f'{what} "{member}"; the nearest are {", ".join(near)}'
