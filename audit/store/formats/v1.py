"""result.json, version 1: plain JSON, finite numbers only; groups of a measure as columns, pictures outside."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from audit.errors import CheckError, StoreError
from audit.policy import Finding
from audit.record import AuditRun
from audit.results import Array, Basis, Interval, Measurement, Outcome, Record
from audit.stats.bases import evaluate

Plain = dict[str, Any]
Arrays = dict[str, Array]

_ATOMS = frozenset({str, int, float, bool, type(None)})
_NOTHING = object()
VARYING = ("id", "machine")  # not part of the identity of what was measured
OF_THIS_MACHINE = ("timing", "replay")  # costs of checks whose results differ from run to run
JUDGED = ("verdict", "exit_code", "exit_reason")


def dump(run: AuditRun) -> tuple[Plain, Arrays]:
    """(what result.json holds, the arrays that lie beside it by key)."""
    arrays: Arrays = {}

    def keep(array: Array) -> Plain:
        return _put(array, arrays)

    content = {
        name: [_with_grids(record, keep) for record in run.records]
        if name == "records"
        else plain(getattr(run, name), keep)
        for name in _fields(AuditRun)
    }
    content["findings"] = [
        {**_headline(finding, run), "detail": detail}
        for finding, detail in zip(run.findings, content["findings"], strict=True)
    ]
    return content, arrays


def load(content: Plain, arrays: Callable[[str], Array]) -> AuditRun:
    """The run that was dumped. StoreError when anything in it is unknown, missing or not as it was written."""
    try:
        raw = {**content}
        raw["records"] = [_without_grids(_with_arrays(record, arrays)) for record in content["records"]]
        raw["findings"] = [finding["detail"] for finding in content["findings"]]
        run = _adapter().validate_python(raw)
        again, _ = dump(run)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, CheckError) as error:
        raise StoreError(f"result.json does not hold a run of schema 1: {_first(error)}") from error
    if (where := foreign(content, again)) is not None:
        raise StoreError(f"result.json holds something that is not part of schema 1: {where}")
    return run


def dump_record(record: Record) -> tuple[Plain, Arrays]:
    """One record with every number written out, so that it reads back to the last bit, and its arrays by key."""
    arrays: Arrays = {}
    return plain(record, lambda array: _put(array, arrays)), arrays


def load_record(content: Plain, arrays: Callable[[str], Array]) -> Record:
    """The record that was dumped. StoreError, KeyError, TypeError or ValueError when it is none."""
    return _record_adapter().validate_python(_with_arrays(content, arrays))


def identity(content: Plain) -> str:
    """sha256 over all that was measured, canonically written; machine facts, times and the id itself stay out."""
    core = {key: value for key, value in _untimed(content).items() if key not in VARYING}
    text = json.dumps(core, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _untimed(content: Plain) -> Plain:
    """Without what was timed, the limits on it, and the verdict where such a limit had a part in it."""
    timed = {record.get("check") for record in _dicts(content, "records") if record.get("cost") in OF_THIS_MACHINE}
    if not timed:
        return content
    notes = content.get("measures")
    of_time = {
        name
        for name, note in (notes if isinstance(notes, dict) else {}).items()
        if isinstance(note, dict) and note.get("check") in timed
    }
    findings = [finding for finding in _dicts(content, "findings") if finding.get("measure") not in of_time]
    kept = {**content, "records": [r for r in _dicts(content, "records") if r.get("cost") not in OF_THIS_MACHINE]}
    judged = len(findings) < len(_dicts(content, "findings"))
    return {**kept, "findings": findings, **dict.fromkeys(JUDGED)} if judged else kept


def _dicts(content: Plain, key: str) -> list[Plain]:
    """The entries of a list of a file that anybody may have edited."""
    found = content.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def plain(value: Any, keep: Callable[[Array], Plain]) -> Any:
    """Dataclasses as dictionaries, tuples as lists: only what JSON has."""
    if type(value) in _ATOMS:
        return value
    if isinstance(value, Array):
        return keep(value)
    if names := _fields(value.__class__):
        return {name: plain(getattr(value, name), keep) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(inner, keep) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, keep) for inner in value]
    return value.isoformat() if isinstance(value, date) else str(value)


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """Of a dataclass; a run of 10,000 groups holds half a million."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


def foreign(content: Any, again: Any, path: str = "") -> str | None:
    """Where ``content`` says something that writing it ``again`` would not, or None.

    What a later version of Assay writes in addition may be absent: an old file is read for ever.
    """
    if isinstance(content, dict) and isinstance(again, dict):
        pairs = [(f"{path}.{key}", value, again.get(key, _NOTHING)) for key, value in content.items()]
    elif isinstance(content, list) and isinstance(again, list) and len(content) == len(again):
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(content, again, strict=True))]
    else:
        return None if content == again else path.lstrip(".") or "the file"
    return next((where for name, a, b in pairs if (where := foreign(a, b, name)) is not None), None)


@cache
def _adapter() -> TypeAdapter[AuditRun]:
    return TypeAdapter(AuditRun)


@cache
def _record_adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        item = error.errors()[0]
        return f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
    return f"{type(error).__name__}: {error}"


def _put(array: Array, arrays: Arrays) -> Plain:
    digest = hashlib.sha256(array.data).hexdigest()
    arrays[digest[:16]] = array
    return {"array": digest[:16], "sha256": digest, "shape": list(array.shape), "dtype": array.dtype}


def _with_arrays(record: Plain, arrays: Callable[[str], Array]) -> Plain:
    """Only evidence holds pictures: elsewhere a user's own words may look like one."""
    outcome = record["outcome"]
    return {**record, "outcome": {**outcome, "evidence": _get(outcome["evidence"], arrays)}}


def _get(value: Any, arrays: Callable[[str], Array]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"array", "sha256", "shape", "dtype"}:
            return _array(value, arrays)
        return {key: _get(inner, arrays) for key, inner in value.items()}
    return [_get(inner, arrays) for inner in value] if isinstance(value, list) else value


def _array(entry: Plain, arrays: Callable[[str], Array]) -> Array:
    array = arrays(entry["array"])
    if hashlib.sha256(array.data).hexdigest() != entry["sha256"]:
        raise StoreError(f"evidence/arrays.safetensors: {entry['array']} is not what result.json names")
    return Array(shape=tuple(entry["shape"]), dtype=entry["dtype"], data=array.data)


def _headline(finding: Finding, run: AuditRun) -> Plain:
    """What other programs read: flat, stable keys."""
    subject, limit = finding.subject, finding.limit
    measured = subject if isinstance(subject, Measurement) else None
    note = run.measures.get(limit.measure)
    columns = [*limit.by, *(c for c in (measured.columns if measured else ()) if c not in limit.by)]
    worst = finding.comparison.groups[0] if finding.comparison else subject.slice
    return {
        "id": finding.id,
        "family": note.check.split(".")[0] if note else "",
        "measure": limit.measure,
        "columns": columns,
        "slice": dict(worst),
        "compare": limit.compare,
        "value": measured.value if measured else None,
        "interval": plain(measured.interval, _no_array) if measured else None,
        "n": subject.n,
        "limit": {"min": limit.min, "max": limit.max, "regress": limit.regress},
        "verdict": str(finding.verdict),
        "level": limit.level,
        "waived": finding.waiver is not None,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def _no_array(array: Array) -> Plain:
    raise StoreError("a finding holds no picture")


# Groups of one measure share all but their level, numbers and n: they are stored as columns. ---------------------

_SHARED = ("name", "unit", "method", "compare", "params", "columns")


def _with_grids(record: Record, keep: Callable[[Array], Plain]) -> Plain:
    """One record; half a million numbers of groups go straight into their columns."""
    outcome = record.outcome
    follows = _following(outcome.measurements)
    single: list[Plain] = []
    grids: dict[Hashable, Plain] = {}
    for position, m in enumerate(outcome.measurements):
        if position in follows:
            _add(grids, position, m)
        else:
            single.append({"at": position, **plain(m, keep)})
    packed, levels = _packed(list(grids.values()))
    content = {
        name: single if name == "measurements" else plain(getattr(outcome, name), keep) for name in _fields(Outcome)
    }
    whole = {name: None if name == "outcome" else plain(getattr(record, name), keep) for name in _fields(Record)}
    return {**whole, "outcome": {**content, "levels": levels, "grids": packed}}


def _packed(grids: list[Plain]) -> tuple[list[Plain], list[Plain]]:
    """The grids with their places as runs (first, how many), and their groups by number in a list without repeats."""
    tables: dict[str, int] = {}
    lists: list[Plain] = []
    for grid in grids:
        key = json.dumps(grid["levels"])
        if key not in tables:
            tables[key] = len(lists)
            lists.append(grid["levels"])
        grid["levels"] = tables[key]
        grid["at"] = _as_runs(grid["at"])
    return grids, lists


def _as_runs(places: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for place in places:
        if runs and place == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([place, 1])
    return runs


def _following(measurements: Sequence[Measurement]) -> set[int]:
    """Places of the group measurements whose value and bounds follow from their basis, so need not be stored."""
    levels: dict[float, list[int]] = {}
    for i, m in enumerate(measurements):
        if m.slice and not m.basis.parts and m.interval.kind == "sample":
            levels.setdefault(m.interval.level, []).append(i)
    follows: set[int] = set()
    for level, places in levels.items():
        some = [measurements[i] for i in places]
        made = np.array(evaluate([m.basis for m in some], (1 - level) / 2))
        kept = np.array([[m.value, m.interval.lower, m.interval.upper] for m in some]).T
        same = np.isclose(made, kept, rtol=1e-12, atol=1e-15).all(axis=0)
        follows |= {i for i, is_same in zip(places, same, strict=True) if is_same}
    return follows


def _add(grids: dict[Hashable, Plain], position: int, m: Measurement) -> None:
    numbers, interval = m.basis.numbers, m.interval
    params = json.dumps(dict(m.params), sort_keys=True)
    shared = (m.name, m.unit, m.method, m.compare, params, m.columns)
    key = (shared, interval.level, interval.method, tuple(m.slice), tuple(numbers), m.basis.method)
    if key not in grids:
        grids[key] = {
            **{name: plain(getattr(m, name), _no_array) for name in _SHARED},
            "interval": {name: getattr(interval, name) for name in ("level", "method", "kind")},
            "by": list(m.slice),
            "basis": m.basis.method,
            "at": [],
            "levels": [],
            "n": [],
            "numbers": {name: [] for name in numbers},
        }
    grid = grids[key]
    grid["at"].append(position)
    grid["levels"].append(list(m.slice.values()))
    grid["n"].append(m.n)
    for name, number in numbers.items():
        grid["numbers"][name].append(number)


def _without_grids(record: Plain) -> Plain:
    outcome = {**record["outcome"]}
    single = outcome["measurements"]
    placed: list[tuple[int, Any]] = [(m["at"], {k: v for k, v in m.items() if k != "at"}) for m in single]
    levels = outcome.pop("levels")
    for grid in outcome.pop("grids"):
        places = [first + i for first, count in grid["at"] for i in range(count)]
        placed += _expanded({**grid, "at": places, "levels": levels[grid["levels"]]})
    placed.sort(key=lambda pair: pair[0])
    return {**record, "outcome": {**outcome, "measurements": [m for _, m in placed]}}


def _expanded(grid: Plain) -> list[tuple[int, Measurement]]:
    """Value and bounds follow from the basis, so they are computed, not stored."""
    confidence = grid["interval"]["level"]
    numbers = [dict(zip(grid["numbers"], row, strict=True)) for row in zip(*grid["numbers"].values(), strict=True)]
    bases = [Basis(method=grid["basis"], numbers=each) for each in numbers]
    found = evaluate(bases, (1 - confidence) / 2)
    shared = {key: grid[key] for key in _SHARED} | {"columns": tuple(grid["columns"])}
    return [
        (
            at,
            Measurement(
                **shared,
                value=float(found.value[i]),
                interval=Interval(lower=float(found.lower[i]), upper=float(found.upper[i]), **grid["interval"]),
                basis=bases[i],
                n=n,
                slice=dict(zip(grid["by"], level, strict=True)),
            ),
        )
        for i, (at, n, level) in enumerate(zip(grid["at"], grid["n"], grid["levels"], strict=True))
    ]
