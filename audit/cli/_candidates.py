"""What the columns of a table may be, from their names and their values. Guesses, for a person to confirm."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import pyarrow as pa
import pyarrow.compute as pc

from audit.data.task import TargetFacts, target_facts

TARGETS = (
    *("target", "label", "labels", "y", "y_true", "outcome", "class", "truth", "ground_truth", "actual", "response"),
    *(
        "approve",
        "approved",
        "default",
        "defaulted",
        "churn",
        "survived",
        "hired",
        "diagnosis",
        "two_year_recid",
    ),
)
SCORES = ("score", "scores", "probability", "proba", "prob", "y_score", "y_prob", "pred_prob", "risk", "decile_score")
DECISIONS = ("prediction", "predictions", "predicted", "pred", "y_pred", "yhat", "decision", "predicted_label")
SENSITIVE = (
    *(
        "sex",
        "gender",
        "race",
        "ethnic",
        "ethnicity",
        "black",
        "white",
        "hispan",
        "hispanic",
        "asian",
        "male",
        "female",
    ),
    *("age", "religion", "nationality", "citizen", "citizenship", "disability", "disabled", "pregnant", "pregnancy"),
    *("marital", "married", "orientation", "language", "country", "region", "zip", "postcode", "site", "hospital"),
    *("scanner", "veteran", "birth", "dob"),
)
FEW = 10
"""Levels up to which a column is listed as a possible group though its name says nothing."""
LOOKED_AT = 200_000  # rows; levels that are rarer than that are no group that could be measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What one column or several may be. ``chosen`` is empty where it is not clear."""

    chosen: str
    candidates: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    by_name: tuple[str, ...]
    by_levels: tuple[str, ...]


def words_of(name: str) -> list[str]:
    """``["Applicant", "Age"]`` of ``applicantAge`` and of ``applicant_age``, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[^a-zA-Z]+", spaced.lower()) if word]


def target_of(table: pa.Table, features: Sequence[str] | None, classes: Sequence[str], taken: Sequence[str]) -> Guess:
    """By its name, else the one column that the model does not use; its values must be the model's classes."""
    free = [name for name in table.column_names if name not in (features or ()) and name not in taken]
    if classes:
        fitting = [name for name in free if _levels(table, name) and set(_levels(table, name)) <= set(classes)]
        free = fitting or free
    named = [name for name in free if name.lower() in TARGETS]
    if len(named) == 1:
        return Guess(chosen=named[0], candidates=tuple(free), why="by its name")
    unused = [name for name in free if name not in ids(table)]
    if features is not None and not named and len(unused) == 1:
        return Guess(chosen=unused[0], candidates=tuple(free), why="the column that the model does not use")
    few = [name for name in unused if 2 <= len(_levels(table, name)) <= FEW]
    return Guess(chosen="", candidates=tuple(named or few or unused))


def _levels(table: pa.Table, name: str) -> tuple[str, ...]:
    return facts(table, name).levels or ()


def facts(table: pa.Table, name: str) -> TargetFacts:
    return target_facts(table.column(name).slice(0, LOOKED_AT))


def held_or_not(table: pa.Table) -> list[str]:
    """Columns of 0 and 1, or false and true, whose names are those of no sensitive column."""
    pairs = ({"0", "1"}, {"false", "true"})
    return [
        name
        for name in table.column_names
        if set(_levels(table, name)) in pairs and not set(words_of(name)) & set(SENSITIVE)
    ]


def scores_of(table: pa.Table) -> Guess:
    """A number whose name is that of a score."""
    numbers = [field.name for field in table.schema if _is_number(field.type)]
    named = [name for name in numbers if name.lower() in SCORES or words_of(name)[-1:] in (["score"], ["prob"])]
    return Guess(chosen=named[0] if len(named) == 1 else "", candidates=tuple(named or _within_one(table, numbers)))


def decisions_of(table: pa.Table) -> Guess:
    named = [name for name in table.column_names if name.lower() in DECISIONS]
    return Guess(chosen=named[0] if len(named) == 1 else "", candidates=tuple(named))


def _within_one(table: pa.Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if lies_within_one(table, name) and facts(table, name).fractional]


def lies_within_one(table: pa.Table, name: str) -> bool:
    bounds = pc.min_max(table.column(name)).as_py()
    return bool(bounds["min"] is not None and bounds["min"] >= 0 and bounds["max"] <= 1)


def ids(table: pa.Table) -> tuple[str, ...]:
    """Named like an identifier, and different in every row."""
    named = [name for name in table.column_names if words_of(name)[-1:] in (["id"], ["uuid"], ["key"])]
    return tuple(name for name in named if pc.count_distinct(table.column(name)).as_py() == table.num_rows)


def groups_of(table: pa.Table, taken: Sequence[str]) -> Groups:
    """Listed for a person to choose from; never chosen here."""
    free = [name for name in table.column_names if name not in taken]
    by_name = [name for name in free if set(words_of(name)) & set(SENSITIVE)]
    by_levels = [
        name
        for name in free
        if name not in by_name and not facts(table, name).fractional and 2 <= len(_levels(table, name)) <= FEW
    ]
    return Groups(by_name=tuple(by_name), by_levels=tuple(by_levels[:FEW]))


def many_numbers(table: pa.Table, names: Sequence[str]) -> list[str]:
    """Numbers with so many values that they need bins to be groups."""
    return [n for n in names if _is_number(table.schema.field(n).type) and facts(table, n).levels is None]


def picture_of(names: Sequence[str]) -> tuple[str, int] | None:
    """(pattern, side) of the columns that look like the pixels of one square picture."""
    stems: dict[str, int] = {}
    for name in names:
        if found := re.fullmatch(r"(.*\D)\d+", name):
            stems[found[1]] = stems.get(found[1], 0) + 1
    squares = [(stem, isqrt(count)) for stem, count in stems.items() if count >= 16 and isqrt(count) ** 2 == count]
    return (f"{squares[0][0]}*", squares[0][1]) if squares else None


def _is_number(arrow_type: pa.DataType) -> bool:
    return bool(pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type))
