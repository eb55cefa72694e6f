"""The record of a run that still goes on: one JSON document, and after it one line for each later reading.

A line costs a single write, where writing the whole record anew would cost as much as all its readings. A line holds
what has changed and a hash over itself and all that comes before it, so that a file that was changed does not read as
evidence. A line that was cut off, because the program was killed as it was written, is left out.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audit.errors import DataError

MOST_LINES = 4096  # then the whole is written anew: a file of at most a megabyte, however long the run
READING = "reading"  # the key of a line whose value is added to the readings; the others replace what was there


def chained(before: str, content: Mapping[str, Any]) -> str:
    """sha256 over the hash of all that comes before and the content, canonically written."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256((before + canonical).encode("ascii")).hexdigest()


class Journal:
    """Appends lines to a record that has just been written whole. Every method may raise OSError."""

    def __init__(self, path: Path, sha256: str) -> None:
        self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
        self._sha256 = sha256
        self.lines = 0

    @property
    def full(self) -> bool:
        return self.lines >= MOST_LINES

    def add(self, content: Mapping[str, Any]) -> None:
        """One line, in one write: a reader sees all of it or a part without an end."""
        if self._descriptor is None:
            return
        digest = chained(self._sha256, content)
        line = json.dumps({**content, "sha256": digest}, separators=(",", ":"), allow_nan=False)
        data = f"{line}\n".encode("ascii")
        if os.write(self._descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._sha256 = digest
        self.lines += 1

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lines(text: str, before: str, name: str, decode: Callable[[str], Any]) -> Iterator[dict[str, Any]]:
    """The content of each whole line, its hash checked. ``text`` starts after the document."""
    whole, _, _cut = text.rpartition("\n")
    for line in whole.split("\n"):
        if not line.strip():
            continue
        try:
            content = decode(line)
        except ValueError:
            content = None
        stated = content.pop("sha256", None) if isinstance(content, dict) else None
        if stated is None or stated != chained(before, content):
            raise DataError(
                f"{name} was changed after it was written (a line's hash does not match): record the training again"
            )
        before = stated
        yield content


def applied(content: Mapping[str, Any], text: str, name: str, decode: Callable[[str], Any]) -> dict[str, Any]:
    """The document with the lines that follow it in ``text``; its own ``sha256`` is left as it is.

    Raises DataError for a line that was changed.
    """
    if text.strip() and content.get("status") != "running":
        raise DataError(f"{name} holds more after its end: record the training again")
    found = dict(content)
    readings = found.get("readings")
    for line in _lines(text, str(content.get("sha256", "")), name, decode):
        reading = line.pop(READING, None)
        if isinstance(readings, list) and reading is not None:
            readings.append(reading)
        found.update(line)
    return found
