"""What an unfinished audit has measured so far, so that the same audit, started again, goes on from there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import StoreError
from audit.results import Record
from audit.store import arrays as array_file
from audit.store.formats import v1

PREFIX = ".unfinished-"
Facts = dict[str, Any]
Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Journal:
    """A folder of its own, which only its owner may read: it may hold the predictions of single rows.

    Each entry is written under a temporary name and renamed. An entry that cannot be read counts as absent, because
    measuring again is always right.
    """

    folder: Path

    def keep_record(self, name: str, record: Record, seconds: float) -> None:
        """StoreError when the disk is full."""
        content, arrays = v1.dump_record(record)
        place = self._place(name)
        if arrays:
            self._write(place.with_suffix(".safetensors"), lambda path: array_file.write(arrays, path))
        self._write_json(place.with_suffix(".json"), {"record": content, "seconds": seconds})

    def record(self, name: str) -> tuple[Record, float] | None:
        """(the record, the seconds that it took)."""
        place = self._place(name)
        try:
            content = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
            pictures = place.with_suffix(".safetensors")
            arrays = array_file.read(pictures) if pictures.exists() else {}
            return v1.load_record(content["record"], arrays.__getitem__), float(content["seconds"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, StoreError):
            return None

    def keep_arrays(self, name: str, arrays: Columns, facts: Facts) -> None:
        """Arrays of numbers, and what JSON can hold beside them. StoreError when the disk is full."""
        from safetensors.numpy import save

        place = self._place(name)
        dense = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
        self._write(place.with_suffix(".safetensors"), lambda path: path.write_bytes(save(dense)))
        self._write_json(place.with_suffix(".json"), facts)

    def arrays(self, name: str) -> tuple[Columns, Facts] | None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        place = self._place(name)
        try:
            facts = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
            return load(place.with_suffix(".safetensors").read_bytes()), facts
        except (OSError, ValueError, SafetensorError):
            return None

    def clear(self) -> None:
        """Away with it, and with what older audits of the same name left."""
        for folder in self.folder.parent.glob(f"{self.folder.name.rpartition('-')[0]}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _place(self, name: str) -> Path:
        return self.folder / hashlib.sha256(name.encode()).hexdigest()[:24]

    def _write_json(self, path: Path, content: Facts) -> None:
        text = json.dumps(content, allow_nan=False)
        self._write(path, lambda work: work.write_text(text, encoding="utf-8"))

    def _write(self, path: Path, fill: Callable[[Path], object]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, work = tempfile.mkstemp(dir=self.folder)
            os.close(handle)
            fill(Path(work))
            os.replace(work, path)
        except OSError as error:
            raise StoreError(f"cannot keep what was measured in {self.folder}: {error.strerror or error}") from error


def journal(parent: Path, slug: str, key: str) -> Journal:
    """The journal of the audit ``key``, a hash of all that it depends on, in the folder that its run will lie in."""
    return Journal(parent / f"{PREFIX}{slug}-{key[:16]}")
