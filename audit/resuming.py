"""What an interrupted audit had already measured is taken over by the same audit, and by no other."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audit.case import Case
from audit.data import Dataset
from audit.errors import StoreError
from audit.inputs.predictions import Predictions, predictions
from audit.machine import version
from audit.plan import Item
from audit.registry import Registry
from audit.results import Record
from audit.spec import Loaded, relative
from audit.store.folder import slug
from audit.store.journal import Journal, journal

WORTH_KEEPING = 0.2  # seconds: what is quicker is measured again
TO_KEEP_ONE = 1e-4  # seconds that a measurement takes to be written down and read again: often longer than to measure
PROBED = 256
LONGEST_PATH = 1000
NEVER = frozenset({"timing", "replay", "retrain"})  # their results belong to the moment they were measured in
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "captum", "fairlearn", "onnxruntime", "xgboost", "lightgbm")


def journal_of(case: Case, loaded: Loaded, registry: Registry, parent: Path) -> Journal | None:
    """The journal of exactly this audit. None where a model has no file, so that nobody could say it is the same."""
    others = [*case.variants.values(), *([case.baseline] if case.baseline else [])]
    models = [case.loaded, *others] if case.loaded else []
    if any(not model.sha256 for model in models):
        return None
    key = json.dumps(
        {
            "spec": loaded.raw,
            "models": [model.sha256 for model in models],
            "data": {name: data.sha256 for name, data in case.datasets.items()},
            "packages": {name: version(name) for name in PACKAGES},
            "code": [_stamp(file) for file in sorted(_code(registry))],
            "files": [_stamp(file) for file in sorted(set(_named_files(loaded.raw, loaded.root)))],
        },
        sort_keys=True,
        default=str,
    )
    return journal(parent, slug(loaded.spec.name), hashlib.sha256(key.encode()).hexdigest())


def _code(registry: Registry) -> set[Path]:
    """Every file that a number may come from: the engine's own, and the checks and inputs of others."""
    here = Path(__file__).parent
    found = {*here.rglob("*.py"), *here.rglob("*.toml"), *here.rglob("*.csv")}
    return found | {info.file for info in registry.checks.values()} | {i.file for i in registry.inputs.values()}


def _named_files(value: Any, root: Path) -> Iterator[Path]:
    """Every file that audit.toml names, and all that lie in a folder it names: pictures, records, code."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _named_files(inner, root)
    elif isinstance(value, str) and value and len(value) < LONGEST_PATH and "\0" not in value:
        path = relative(root, value.partition(":")[0] if ".py:" in value else value)
        yield from (file for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


def _stamp(file: Path) -> tuple[str, int, int]:
    facts = file.stat()
    return str(file), facts.st_size, facts.st_mtime_ns


@dataclass(kw_only=True)
class Resume:
    """Between the engine and the journal. ``taken`` names what was taken over."""

    journal: Journal
    case: Case
    taken: list[str] = field(default_factory=list)
    _made: list[tuple[Dataset, Predictions]] = field(default_factory=list)
    _trusted: bool | None = None
    _full: bool = False

    def predictions(self, data: Dataset) -> Predictions | None:
        """Those of the interrupted audit, if the model still says the same about the first rows.

        Where it does not, its code has changed, which no hash of weights shows, and nothing is taken over.
        """
        if self.case.model is None:
            return None
        kept = self._kept(data)
        if kept is None:
            self._trusted = self._trusted or False
            return None
        self._trusted = self._trusted is not False and _agree(kept, predictions(self.case, _first(data)))
        if not self._trusted:
            return None
        self.taken.append(f"predictions of {data.name}")
        return kept

    def made(self, data: Dataset, made: Predictions) -> None:
        """What to write down as soon as there is a record worth it."""
        self._made.append((data, made))

    def record(self, name: str, item: Item) -> tuple[Record, float] | None:
        found = self.journal.record(name) if self._may_take(item) else None
        if found is not None:
            self.taken.append(name)
        return found

    def keep(self, name: str, record: Record, seconds: float) -> None:
        """A crash is not kept: it may have been the machine's. On a full disk nothing is, and the audit goes on."""
        worth = WORTH_KEEPING + TO_KEEP_ONE * len(record.outcome.measurements)
        if seconds < worth or record.traceback or record.cost in NEVER or self._full:
            return
        try:
            while self._made and self.case.model is not None:
                data, made = self._made.pop()
                self.journal.keep_arrays(_entry(data), *_packed(made))
            self.journal.keep_record(name, record, seconds)
        except StoreError:
            self._full = True

    def _may_take(self, item: Item) -> bool:
        return item.check.cost not in NEVER and (self.case.model is None or self._trusted is True)

    def _kept(self, data: Dataset) -> Predictions | None:
        found = self.journal.arrays(_entry(data))
        return _unpacked(*found) if found else None


def _entry(data: Dataset) -> str:
    return f"predictions of {data.name}"


def _first(data: Dataset) -> Dataset:
    return data.take(np.arange(min(PROBED, data.n)))


def _packed(made: Predictions) -> tuple[dict[str, Any], dict[str, Any]]:
    values = {item.name: getattr(made, item.name) for item in dataclasses.fields(made)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    return arrays, {name: value for name, value in values.items() if name not in arrays}


def _unpacked(arrays: Any, facts: Any) -> Predictions | None:
    """None when the entry is of another form than predictions have now."""
    values: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()} | dict(
        arrays
    )
    if set(values) != {item.name for item in dataclasses.fields(Predictions)}:
        return None
    return Predictions(**values)


def _agree(kept: Predictions, now: Predictions) -> bool:
    """Whether the first rows are the same, up to what another batch size does to a float."""
    pairs = list(zip(_arrays(kept), _arrays(now), strict=True))
    return all(
        len(old) >= len(new) and np.allclose(old[: len(new)], new, rtol=1e-5, atol=1e-6, equal_nan=True)
        for old, new in pairs
    )


def _arrays(made: Predictions) -> Iterator[Any]:
    for item in dataclasses.fields(made):
        value = getattr(made, item.name)
        yield np.asarray(value, dtype=float) if isinstance(value, np.ndarray) else np.empty(0)
