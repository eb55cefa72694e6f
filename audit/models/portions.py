"""Rows sent through a model in portions, halved whenever the memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from audit.data import Columns
from audit.errors import Unavailable

T = TypeVar("T")

NO_ROOM = "a single row does not fit into the memory: use a machine with more, or a smaller model"


def in_calls(n: int, size: int, call: Callable[[slice], T]) -> list[T]:
    """``call`` on consecutive slices of n rows, of half the size whenever the memory does not suffice."""
    parts: list[T] = []
    start = 0
    while start < n:
        try:
            parts.append(call(slice(start, start + size)))
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if size == 1:
                remedy = "explain it on a larger machine, or with smaller inputs"
                raise Unavailable("not_applicable", "a single row does not fit into the memory", remedy) from error
            size = (size + 1) // 2
            continue
        start += size
    return parts


def by_halves(columns: Columns, call: Callable[[Columns], T]) -> list[T]:
    """What ``call`` answers for all rows; where the memory does not suffice, for each half of them by itself.

    Raises the error of a single row as it is.
    """
    n = len(next(iter(columns.values())))
    try:
        return [call(columns)]
    except (RuntimeError, MemoryError) as error:
        if n < 2 or not out_of_memory(error):
            raise
    middle = n // 2  # outside of except, so that what the failed call held is let go
    halves = ({name: values[at] for name, values in columns.items()} for at in (slice(middle), slice(middle, n)))
    return [part for half in halves for part in by_halves(half, call)]


def out_of_memory(error: BaseException) -> bool:
    """By class or by words: torch's own class is not imported here, and ONNX Runtime has none."""
    words = str(error).lower()
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or "out of memory" in words or "enough memory" in words
