"""Rows that take some columns from a foreground row and the others from a background row.

The interventional (marginal) value of a coalition S for row x is the mean over background rows b of f(x on S, b
elsewhere). Where x and b hold the same value in a column, that column cannot matter for the pair: it is left out, which
makes the game of the pair smaller and is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import Unavailable
from audit.models.portions import in_calls

from .players import Players
from .scalar import Explained, require_alone

ROWS_PER_CALL = 1 << 15
REPRODUCED = 1e-6  # relative; a parallel sum may differ in its last digits
CELLS_PER_CALL = 1 << 22  # 32 MB as float64, so that a pipeline's own copies stay in tens of megabytes


def rows_per_call(width: int) -> int:
    """Rows that are sent to the model at once."""
    return int(np.clip(CELLS_PER_CALL // max(width, 1), 16, ROWS_PER_CALL))


class Hybrids:
    """Foreground rows 0..n-1 and background rows 0..m-1 in one place, and the model's answer to their mixtures.

    ``names`` (d,) are those of the players: every column by itself, unless ``players`` says otherwise.
    """

    def __init__(
        self, explained: Explained, foreground: Columns, background: Columns, players: Players | None = None
    ) -> None:
        self.explained = explained
        self.players = players or Players.among(tuple(foreground))
        self.names = self.players.names
        self.n, self.m = _length(foreground), _length(background)
        self._stacks = {name: np.concatenate([foreground[name], background[name]]) for name in foreground}
        codes = [_codes(stack) for stack in self._stacks.values()]
        each = [[codes[c] for c in self.players.places(j)] for j in range(len(self.names))]
        self._codes = np.column_stack([_together(own) for own in each])
        self.chunk = rows_per_call(sum(int(np.prod(s.shape[1:])) for s in self._stacks.values()))
        self.evaluations = 0
        self.outputs = self._reproduced(np.arange(self.n + self.m))
        self.targets = explained.targets(self.outputs[: self.n])

    def differs(self, rows: NDArray[np.int64], backs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Shape (pairs, d): does player j hold different values in foreground row i and background row b?"""
        return np.asarray(self._codes[rows] != self._codes[self.n + backs])

    def ends(self, rows: NDArray[np.int64], backs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Shape (pairs, 2): the explained scalar at the background row and at the foreground row."""
        target = self.targets[rows]
        return np.column_stack([self.outputs[self.n + backs, target], self.outputs[rows, target]])

    def values(
        self, rows: NDArray[np.int64], backs: NDArray[np.int64], coalitions: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Shape (pairs,): the explained scalar where the players in ``coalitions`` (pairs, d) come from the row."""
        result, size = np.empty(len(rows)), max(1, self.chunk - 1)
        for start in range(0, len(rows), size):
            part = slice(start, start + size)
            source = np.where(self._by_column(coalitions[part]), rows[part, None], self.n + backs[part, None])
            known = int(rows[start])  # a row that was answered before goes along: it must be answered the same here
            outputs = self._call(np.vstack([source, np.full((1, source.shape[1]), known)]))
            require_alone(self.outputs[known], outputs[-1], self.explained.unit)
            result[part] = outputs[np.arange(len(outputs) - 1), self.targets[rows[part]]]
        return result

    def _by_column(self, coalitions: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Coalitions of players (pairs, d) as coalitions of columns."""
        return coalitions[:, self.players.of] if self.players.groups else coalitions

    def _reproduced(self, source: NDArray[np.int64]) -> NDArray[np.float64]:
        """T0: a model that answers the same rows differently cannot be split into contributions.

        The second time they stand in the opposite order and in smaller calls, which shows chance and neighbours alike.
        """
        first = self._in_calls(source, self.chunk)
        second = self._in_calls(source[::-1], max(1, min(self.chunk, len(source)) // 2))[::-1]
        scale = 1 + float(np.abs(first).max(initial=0.0))
        if float(np.abs(first - second).max(initial=0.0)) <= REPRODUCED * scale:
            return first
        difference = float(np.abs(first - self._in_calls(source, self.chunk)).max(initial=0.0))
        if difference > REPRODUCED * scale:
            raise Unavailable(
                "withheld",
                f"the model returns different outputs for the same rows (largest difference {difference:.3g})",
                "fix the random state of the model, or remove its random parts for prediction",
            )
        require_alone(first, second, self.explained.unit)
        return first

    def _in_calls(self, source: NDArray[np.int64], size: int) -> NDArray[np.float64]:
        return np.concatenate([self._call(source[start : start + size]) for start in range(0, len(source), size)])

    def _call(self, source: NDArray[np.int64]) -> NDArray[np.float64]:
        """``source`` holds, for each mixed row and column, the place in the stack that its value is taken from."""
        by_column = source if source.ndim == 2 else np.broadcast_to(source[:, None], (len(source), len(self._stacks)))
        parts = in_calls(len(source), len(source), lambda at: self._answered(by_column[at]))
        if len(parts) > 1:  # more rows than the memory holds: ask for no more than that again
            self.chunk = min(self.chunk, len(parts[0]))
        outputs = np.concatenate(parts)
        self.evaluations += len(outputs)
        if not np.isfinite(outputs).all():
            broken = int((~np.isfinite(outputs).all(axis=1)).sum())
            raise Unavailable(
                "undefined",
                f"the model returned NaN or infinite outputs for {broken} of {len(outputs)} rows",
                "find the inputs that it cannot answer (missing values, overflow) and mend the model or impute them",
            )
        return outputs

    def _answered(self, by_column: NDArray[np.int64]) -> NDArray[np.float64]:
        columns: Mapping[str, NDArray[Any]] = {
            name: stack[by_column[:, j]] for j, (name, stack) in enumerate(self._stacks.items())
        }
        return np.asarray(self.explained.function(columns), dtype=np.float64)


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def _together(codes: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Equal rows of several columns get equal integers, shape (rows,)."""
    if len(codes) == 1:
        return codes[0]
    return np.asarray(np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def _codes(stack: NDArray[Any]) -> NDArray[np.int64]:
    """Equal values get equal integers, NaN and None included, shape (rows,)."""
    if stack.ndim > 1:
        return _first_seen([row.tobytes() for row in np.ascontiguousarray(stack)])
    if stack.dtype == object:
        return _first_seen([None if _is_missing(value) else value for value in stack.tolist()])
    return np.asarray(np.unique(stack, return_inverse=True, equal_nan=True)[1], dtype=np.int64).reshape(-1)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _first_seen(values: list[Any]) -> NDArray[np.int64]:
    seen: dict[Any, int] = {}
    # the type is part of the key: 1, 1.0 and True are equal to Python and need not be to a model
    return np.array([seen.setdefault((type(value), value), len(seen)) for value in values], dtype=np.int64)
