"""What would change a decision: the cheapest allowed change of a few columns, found by asking the model itself.

Contributions do not answer that question (Bilodeau et al., PNAS 2024); only evaluations of changed rows do. Greedy
search: from the row, each step tries every allowed value of every column that may change, keeps the change that gains
the most score for its cost, and stops at the wanted decision; changes that turned out unneeded are then taken back.
Numbers move between the observed 5 and 95 % quantiles only, categories only to values that were seen. The cost of a
change is its distance in standard deviations, 1 for another category (Wachter et al., 2018; Ustun et al., FAT* 2019).
Columns of one of the user's groups change each on their own; but where they are one-hot columns in all the data, they
are the levels of one category, which changes as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns, Dataset

from .hybrids import rows_per_call
from .indicators import Levels, packed, unpacked

Floats = NDArray[np.float64]
Score = Callable[[Columns], Floats]

STEPS = 4  # columns that change at most
VALUES = 10  # tried of each column
LEAST_GAIN = 1e-12  # of score: less is rounding
SMALL_COST = 0.1  # added to costs, so that a tiny step is not the best for being tiny


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Values that a column may take, in the type that the model is given, and the standard deviation of a number."""

    name: str
    values: NDArray[Any]
    spread: float  # 0: a category

    def cost(self, before: NDArray[Any], after: NDArray[Any]) -> Floats:
        """What it costs to move, elementwise: standard deviations of a number; 1 to or from another category or a
        missing value."""
        if not self.spread:
            return np.asarray(before != after, dtype=np.float64)
        first, second = before.astype(np.float64), after.astype(np.float64)
        moved = np.abs(second - first) / self.spread
        return np.where(np.isnan(first) & np.isnan(second), 0.0, np.where(np.isnan(moved), 1.0, moved))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    column: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """The row of the data, what would change its decision, and the cost; no changes: none was found."""

    row: int
    changes: tuple[Change, ...]
    cost: float
    score: float

    @property
    def found(self) -> bool:
        return bool(self.changes)


def options(reference: Dataset, immutable: Sequence[str], one_hot: Sequence[Levels] = ()) -> list[Option]:
    """Values of the columns that may change: quantiles of a number as they were observed, or all seen categories.

    The columns of ``one_hot`` are a category each, which is fixed where one of its columns is.
    """
    found = [
        Option(name=levels.name, values=states, spread=0.0)
        for levels in one_hot
        if not set(levels.columns) & set(immutable) and len(states := levels.seen(reference)) > 1
    ]
    parts = {column for levels in one_hot for column in levels.columns}
    for name in reference.roles.features:
        kind = reference.column(name).kind
        if name in immutable or name in parts or kind not in {"number", "category"}:
            continue
        values = reference.values(name)
        if kind == "number" and values.dtype.kind in "iuf":
            known = values[np.isfinite(values)]
            if len(known) and np.ptp(known) > 0:
                steps = np.quantile(known, np.linspace(0.05, 0.95, VALUES), method="nearest")
                found.append(Option(name=name, values=np.unique(steps), spread=float(known.std())))
        else:
            levels = sorted({v for v in values.tolist() if v is not None and v == v}, key=str)  # noqa: PLR0124
            if len(levels) > 1:
                kept = np.array(levels[: 5 * VALUES], dtype=values.dtype)
                found.append(Option(name=name, values=kept, spread=0.0))
    return found


def counterfactuals(
    score: Score, columns: Columns, allowed: Sequence[Option], goal: float, one_hot: Sequence[Levels] = ()
) -> list[Counterfactual]:
    """For each row the cheapest found change after which ``score`` is at least ``goal``; all rows step together.

    Columns of ``one_hot`` are searched as one category, so that ``score`` never meets a row with two levels of it.
    """
    if one_hot:
        whole = packed(columns, one_hot)
        return counterfactuals(lambda table: score(unpacked(table, columns, one_hot)), whole, allowed, goal)
    now = {name: values.copy() for name, values in columns.items()}
    reached = score(now)
    still_open = np.ones((len(reached), len(allowed)), dtype=bool)
    for _ in range(STEPS):
        rows = np.flatnonzero((reached < goal) & still_open.any(axis=1))
        if not len(rows):
            break
        _step(score, columns, now, allowed, still_open, reached, rows, goal)
    costs = _prune(score, columns, now, allowed, np.flatnonzero(reached >= goal), goal)
    final = score(now)
    return [_told(columns, now, allowed, costs[i], i, float(final[i]), goal) for i in range(len(final))]


def _step(
    score: Score,
    columns: Columns,
    now: dict[str, NDArray[Any]],
    allowed: Sequence[Option],
    still_open: NDArray[np.bool_],
    reached: Floats,
    rows: NDArray[np.intp],
    goal: float,
) -> None:
    """Of each row take the change that reaches the goal most cheaply, else the one with the most gain for its cost."""
    of = np.repeat(np.arange(len(allowed)), [len(option.values) for option in allowed])
    tried, costs = _tried(columns, now, allowed, rows, len(of))
    scores = _in_blocks(score, tried).reshape(len(rows), len(of))
    gain = np.minimum(scores, goal) - reached[rows, None]
    useful: NDArray[np.bool_] = (gain > LEAST_GAIN) & (costs > 0) & still_open[rows][:, of]
    arrived = np.asarray(useful & (scores >= goal))
    merit = np.where(useful, gain / (costs + SMALL_COST), -np.inf)
    there = arrived.any(axis=1, keepdims=True)
    merit = np.where(there, np.where(arrived, -costs, -np.inf), merit)
    best = merit.argmax(axis=1)
    some = useful.any(axis=1)
    still_open[rows[~some]] = False
    for place, row in zip(np.flatnonzero(some).tolist(), rows[some].tolist(), strict=True):
        option = allowed[of[best[place]]]
        now[option.name][row] = tried[option.name][place * len(of) + best[place]]
        still_open[row, of[best[place]]] = False
        reached[row] = scores[place, best[place]]


def _tried(
    columns: Columns, now: Columns, allowed: Sequence[Option], rows: NDArray[np.intp], values: int
) -> tuple[Columns, Floats]:
    """Each row once for each value of each option, with that value in its column, and what the value costs."""
    table = {name: np.repeat(kept[rows], values, axis=0) for name, kept in now.items()}
    costs = np.zeros((len(rows), values))
    start = 0
    for option in allowed:
        part = slice(start, start + len(option.values))
        table[option.name].reshape(len(rows), values)[:, part] = option.values
        costs[:, part] = option.cost(columns[option.name][rows, None], option.values[None, :])
        start = part.stop
    return table, costs


def _in_blocks(score: Score, table: Columns) -> Floats:
    n, size = len(next(iter(table.values()))), rows_per_call(len(table))
    blocks = [slice(start, start + size) for start in range(0, n, size)]
    return np.concatenate([score({name: values[block] for name, values in table.items()}) for block in blocks])


def _prune(
    score: Score,
    columns: Columns,
    now: dict[str, NDArray[Any]],
    allowed: Sequence[Option],
    rows: NDArray[np.intp],
    goal: float,
) -> Floats:
    """Take back, the costliest first, every change without which a row still reaches the goal; the costs (n, options)
    of what remains."""
    costs = np.column_stack([option.cost(columns[option.name], now[option.name]) for option in allowed])
    order = np.argsort(-costs, axis=1, kind="stable")
    for rank in range(min(STEPS, len(allowed))):
        which = order[:, rank]
        mine = rows[costs[rows, which[rows]] > 0]
        if not len(mine):
            break
        without = {name: values[mine].copy() for name, values in now.items()}
        for place, row in enumerate(mine.tolist()):
            name = allowed[which[row]].name
            without[name][place] = columns[name][row]
        for row in mine[score(without) >= goal].tolist():
            name = allowed[which[row]].name
            now[name][row] = columns[name][row]
            costs[row, which[row]] = 0.0
    return costs


def _told(
    columns: Columns, now: Columns, allowed: Sequence[Option], costs: Floats, row: int, score: float, goal: float
) -> Counterfactual:
    if score < goal:
        return Counterfactual(row=row, changes=(), cost=float("inf"), score=score)
    changes = tuple(
        Change(column=o.name, before=columns[o.name].tolist()[row], after=now[o.name].tolist()[row])
        for o, cost in zip(allowed, costs.tolist(), strict=True)
        if cost > 0
    )
    return Counterfactual(row=row, changes=changes, cost=float(costs.sum()), score=score)


def nearest_rows(features: Floats, row: int, eligible: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
    """The eligible rows nearest to one row: Euclidean distance over columns (n, d) scaled to unit spread, NaN as 0."""
    spread = np.nanstd(features, axis=0)
    scaled = np.nan_to_num((features - features[row]) / np.where(spread > 0, spread, 1.0))
    distance = np.where(eligible, (scaled**2).sum(axis=1), np.inf)
    distance[row] = np.inf
    order = np.argsort(distance, kind="stable")[:count]
    return order[np.isfinite(distance[order])]
