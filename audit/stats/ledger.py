"""The ledger of looks at an audit set: who retrains until the audit is green must pay for each try.

The k-th look at the same rows is judged at 6 alpha / (pi^2 k^2); over all looks these add up to alpha, so that a model
beyond its limit gets through with probability alpha at most, however many are tried. The file is JSON, keyed by the
fingerprint of the audit set, meant to be committed by the team. A model that was looked at before keeps its index.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from audit.errors import StoreError
from audit.results import Look, spent_alpha

__all__ = ["Ledger", "Look", "read_ledger", "spent_alpha", "write_ledger"]

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """``looks`` maps the fingerprint of an audit set to the digests of the models held against it, in order."""

    looks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", MappingProxyType(dict(self.looks)))

    def index(self, audit_set: str, model: str) -> int:
        """The place of this look: that of the model if it has been here, else the next one."""
        before = self.looks.get(audit_set, ())
        return before.index(model) + 1 if model in before else len(before) + 1

    def spend(self, audit_set: str, model: str) -> tuple[Ledger, Look]:
        """The ledger with this look in it, and the look."""
        index, looks = self.index(audit_set, model), self.looks.get(audit_set, ())
        before = "\n".join((audit_set, *looks[: index - 1]))
        look = Look(index=index, before_sha256=hashlib.sha256(before.encode()).hexdigest())
        if model in looks:
            return self, look
        return Ledger(looks={**self.looks, audit_set: (*looks, model)}), look

    @property
    def text(self) -> str:
        """The file: sorted, one look a line, so that two branches merge like any other text."""
        return json.dumps({"schema": SCHEMA, "looks": dict(self.looks)}, indent=1, sort_keys=True) + "\n"


def read_ledger(path: Path) -> Ledger:
    """The ledger in that file, an empty one where there is none. StoreError when the file is no ledger."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Ledger()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"cannot read the ledger {path}: {error}") from error
    try:
        return Ledger(looks=_looks(json.loads(text)))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is no ledger: {error}; restore it from version control") from error


def _looks(found: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(found, dict) or found.keys() != {"schema", "looks"} or found["schema"] != SCHEMA:
        raise ValueError(f'it needs "schema": {SCHEMA} and "looks"')
    looks = found["looks"]
    if not isinstance(looks, dict):
        raise ValueError('"looks" maps audit sets to lists of models')
    for models in looks.values():
        if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
            raise ValueError("the looks at an audit set are a list of digests")
        if len(set(models)) < len(models):
            raise ValueError("a model stands twice under one audit set")
    return {str(name): tuple(models) for name, models in looks.items()}


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Replace the file in one step, so that a crash leaves the old or the new one. StoreError when that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(ledger.text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"cannot write the ledger {path}: {error}") from error
