"""What kind of question a target asks, decided the same way by the plan and by the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from audit.data.dataset import shown
from audit.errors import DataError, SpecError, nearest
from audit.results import Scalar
from audit.spec import Task

QUANTITIES: tuple[Task, ...] = ("regression", "ranking")
"""Tasks whose target is a number: what is to be predicted, or how relevant a row is to its query."""

_PAIRS = (("0", "1"), ("false", "true"), ("-1", "1"))

MOST_CLASSES = 50
"""More distinct values than this are read as a quantity when they are numbers, and as a mistake when they are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """What the target column holds: its levels in natural order (None: too many to be classes)."""

    levels: tuple[str, ...] | None
    fractional: bool


def target_facts(column: pa.ChunkedArray) -> TargetFacts:
    values = pc.unique(column).to_pylist()
    present = [v for v in values if v is not None and v == v]  # noqa: PLR0124  # NaN is not itself
    fractional = any(isinstance(v, float) and not v.is_integer() for v in present)
    if len(present) > MOST_CLASSES:
        return TargetFacts(levels=None, fractional=fractional)
    numeric = all(isinstance(v, int | float) for v in present)
    return TargetFacts(
        levels=tuple(map(shown, sorted(present) if numeric else sorted(present, key=shown))), fractional=fractional
    )


def decide_task(said: Task | None, classes: Sequence[str] | None, facts: TargetFacts | None, target: str) -> Task:
    """``classes`` are the model's (empty: a regressor; None: not known before it is loaded)."""
    if said is not None:
        return said
    if classes is not None:
        return "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    if facts is None:
        return "binary"
    if facts.levels is None or facts.fractional:
        return "regression"
    if len(facts.levels) < 2:
        raise DataError(
            f'target "{target}" holds {"one value" if facts.levels else "no value"}'
            f"{f' ({facts.levels[0]})' if facts.levels else ''}: an audit needs rows of at least two classes"
        )
    return "binary" if len(facts.levels) == 2 else "multiclass"


def label_pair(levels: Sequence[str], positive: Scalar | None, column: str) -> tuple[str, str]:
    """What a column of a label holds where the label does not and does hold: (0, 1), (false, true) or as ``positive``.

    DataError for a column that holds anything else.
    """
    if positive is not None:
        others = [level for level in levels if level != shown(positive)]
        if len(others) < 2:
            return (others[0] if others else "other", shown(positive))
        found = f'beside positive = "{shown(positive)}" both "{others[0]}" and "{others[1]}"'
    else:
        for pair in _PAIRS:
            if set(levels) <= set(pair):
                return pair
        known = {word for pair in _PAIRS for word in pair}
        found = f'"{next((level for level in levels if level not in known), levels[-1])}"'
    raise DataError(
        f'target "{column}" holds {found}, and a label holds or does not: give 0 and 1 (or false and true), nothing '
        'where it is not known, or name another word for it with positive = "..."'
    )


def decide_positive(said: Scalar | None, classes: Sequence[str], target: str, key: str = "positive") -> str:
    """The class that a binary score is about: what the user says, else 1 of 0/1 or true of false/true."""
    if said is not None:
        if shown(said) not in classes:
            raise SpecError(
                f'{key} = {said!r} is no value of "{target}"{nearest(shown(said), classes)}: '
                f"it has {', '.join(classes)}"
            )
        return shown(said)
    for pair in ({"0", "1"}, {"false", "true"}, {"-1", "1"}):
        if set(classes) == pair:
            return "true" if "true" in pair else "1"
    raise SpecError(
        f'say which value of "{target}" is the positive one: positive = "{classes[-1]}" '
        f'(or "{classes[0]}") in [data.test]'
    )
