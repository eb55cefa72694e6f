"""Every degenerate table x every kind of model x every check: a sound answer, or an omission that says why."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from audit.errors import AuditError
from audit.results import EXPLAINED, Measurement, Omission, Reason, Record
from audit.stats import interval
from tests.contracts.cases import KINDS, REGISTRY, Cells, case_of, cells, records

HOSTILE = [
    "<script>alert(1)</script>",
    "%0A::error::x",
    "a|b`x`",
    "\x00\x1b[31m",
    "\u202eevil",
    "",
    "x" * 9000,
    "=cmd()",
]


def rows(n: int) -> Callable[[Cells], Cells]:
    """The first n rows, of different labels where there are two."""

    def first(test: Cells) -> Cells:
        order = np.argsort(np.asarray(test["y"])[: len(test["y"])], kind="stable")
        order = np.concatenate([order[:1], order[::-1]])[:n]
        return {name: np.asarray(values)[order] for name, values in test.items()}

    return first


def filled(*values: tuple[str, object]) -> Callable[[Cells], Cells]:
    def fill(test: Cells) -> Cells:
        return {**test, **{column: np.array([v] * len(test["y"]), dtype=object) for column, v in values}}

    return fill


def some(column: str, *odd: float) -> Callable[[Cells], Cells]:
    def change(test: Cells) -> Cells:
        values = np.array(test[column], dtype=float)
        for i, value in enumerate(odd):
            values[i :: len(odd) + 2] = value
        return {**test, column: values}

    return change


def grouped(names: list[str]) -> Callable[[Cells], Cells]:
    def group(test: Cells) -> Cells:
        return {**test, "race": np.array([names[i % len(names)] for i in range(len(test["y"]))], dtype=object)}

    return group


def twice(test: Cells) -> Cells:
    return {name: np.concatenate([values[:45], values[:45]]) for name, values in test.items()}


def many(test: Cells) -> Cells:
    wide = {name: np.concatenate([values] * 5) for name, values in test.items()}
    return {**wide, "race": np.array([f"g{i % 200}" for i in range(len(wide["y"]))], dtype=object)}


TABLES: dict[str, Callable[[Cells], Cells]] = {
    "1 row": rows(1),
    "2 rows": rows(2),
    "one group": filled(("race", "all"), ("sex", "all")),
    "no group known": filled(("race", None), ("sex", None)),
    "200 groups": many,
    "hostile names": grouped(HOSTILE),
    "one label": filled(("y", 1), ("k", "ant"), ("v", 1.0)),
    "one score": filled(("s", 0.5), ("x", 0.0), ("z", 0.0), ("p0", 0.1), ("p1", 0.1), ("p2", 0.1), ("p3", 0.1)),
    "NaN and infinite scores": some("s", math.nan, math.inf, -math.inf),
    "no score known": filled(("s", None)),
    "an empty feature": filled(("z", None)),
    "NaN and infinite features": some("x", math.nan, math.inf),
    "duplicate rows": twice,
    "no label known": filled(("y", None), ("k", None), ("v", None)),
}


def refused(kind: str, name: str) -> bool:
    """A model that takes no missing value, or no column without a type, refuses the whole table: one line ends it."""
    if (kind, name) == ("torch", "an empty feature"):
        return True
    return kind in {"binary", "multiclass", "regression"} and name in {"NaN and infinite features", "an empty feature"}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_check_gives_a_sound_answer_or_says_why_not(kind: str, name: str) -> None:
    if refused(kind, name):
        with pytest.raises(AuditError, match=r"\A[^\n]*\Z"):
            records(case_of(kind, TABLES[name](cells())))
        return
    found = records(case_of(kind, TABLES[name](cells())))
    assert set(found) == set(REGISTRY.checks)
    assert {check: faults(record) for check, record in found.items() if faults(record)} == {}


def faults(record: Record) -> list[str]:
    outcome, info = record.outcome, REGISTRY.checks[record.check]
    found = [f"{m.name} {dict(m.slice)}: {fault}" for m in outcome.measurements for fault in _unsound(m, info.measures)]
    keys = [(m.name, str(dict(m.slice)), str(dict(m.params))) for m in outcome.measurements]
    found += [f"twice: {key}" for key in keys if keys.count(key) > 1]
    return (
        found
        + [f"{o.name}: {fault}" for o in outcome.omissions for fault in _mute(o)]
        + ([record.traceback] * bool(record.traceback))
    )


def _unsound(m: Measurement, notes: object) -> list[str]:
    checks = {
        "is not finite": not math.isfinite(m.value),
        "lies outside its interval": not m.interval.lower <= m.value <= m.interval.upper,
        "has a negative n": m.n < 0,
        "has another unit than its measure": getattr(notes, "get")(m.name).unit not in {m.unit, EXPLAINED},  # noqa: B009
        "has another level": m.interval.kind == "sample" and m.interval.level != 0.95,
        "has an interval that does not follow from its basis": not _follows(m),
        "has no method": not m.method,
        "compares": m.compare != "each",
    }
    return [words for words, wrong in checks.items() if wrong]


def _follows(m: Measurement) -> bool:
    made = interval(m.basis, m.interval.level)
    return m.interval.kind != "sample" or bool(
        np.allclose([made.lower, made.upper], [m.interval.lower, m.interval.upper], rtol=1e-9, atol=1e-12)
    )


def _mute(o: Omission) -> list[str]:
    checks = {"crashed": o.reason is Reason.ERROR, "gives no detail": not o.detail, "gives no remedy": not o.remedy}
    return [words for words, wrong in checks.items() if wrong]


def test_a_table_without_rows_is_refused_in_words() -> None:
    with pytest.raises(AuditError, match="has no rows"):
        case_of("stored", {name: values[:0] for name, values in cells().items()})


def test_the_contract_itself_finds_faults() -> None:
    """A contract that accepts everything would prove nothing."""
    record = records(case_of("stored", cells()))["fairness.selection"]
    first = record.outcome.measurements[0]
    for broken in (
        replace(first, value=2.0),
        replace(first, n=-1),
        replace(first, unit="kWh"),
        replace(first, interval=replace(first.interval, lower=0.0)),
    ):
        outcome = replace(record.outcome, measurements=(broken, *record.outcome.measurements[1:]))
        assert faults(replace(record, outcome=outcome))


@pytest.mark.parametrize("kind", KINDS)
def test_the_evidence_of_the_training_is_measured_and_not_only_left_out(kind: str) -> None:
    found = records(case_of(kind, cells()))
    names = {m.name for record in found.values() for m in record.outcome.measurements}
    assert {"training_energy", "training_carbon", "training_energy_disagreement", "declared_energy_miss"} <= names
    assert ("training_flops" in names) is (kind in {"torch", "picture"})
