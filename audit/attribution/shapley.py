"""Shapley values of any black box, on the user's own columns, over a background sample.

The interventional game is an average over background rows, and so is its Shapley value. For each pair of a row and a
background row only the k columns in which they differ play. Small games (k <= ``exact_columns``) are enumerated. Larger
ones are fitted by KernelSHAP where a pair has the evaluations for it (:mod:`audit.attribution.kernel`); else whole
orders are walked forwards and backwards (antithetic pairs; Mitchell et al., "Sampling permutations for Shapley value
estimation", JMLR 23, 2022). Both are drawn anew for every background row and shared by the explained rows. On a network
of 12 columns their errors are equal at 4 evaluations a column and the fit's is two thirds at 16. The spread between the
walks of a pair, or the residuals of its fit, give each value its standard error; the sum of a row telescopes exactly.

Sources: Shapley 1953; Lundberg & Lee, NeurIPS 2017; Janzing et al., AISTATS 2020 (interventional value function).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from .kernel import KernelDesign, kernel_design

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_EXACT_COLUMNS = 12
FEWEST_BACKGROUND = 8
MOST_WALKS = 512
FEWEST_WALKS = 4  # whose spread may decide whether more are needed
ACCURATE = 0.01  # standard errors as a share of all contributions of a row, below which it is left at that
FIT_EVALUATIONS = 6  # a column: from here on the fit beats the walks


class Game(Protocol):
    """n rows against m background rows: which players of a pair matter, and what coalitions of them are worth."""

    names: tuple[str, ...]
    n: int
    chunk: int

    def differs(self, rows: Integers, backs: Integers) -> NDArray[np.bool_]: ...
    def ends(self, rows: Integers, backs: Integers) -> Floats: ...
    def values(self, rows: Integers, backs: Integers, coalitions: NDArray[np.bool_]) -> Floats: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the evaluations of one row are spent; it depends on nothing but the shape of the task."""

    background: int
    exact_columns: int
    walks: int  # antithetic pairs of orders for each background row
    fit: int = 0  # coalitions that a game is fitted on instead; 0: it is walked

    @classmethod
    def within(cls, evaluations: int, *, columns: int, background: int) -> Plan:
        """At most about ``evaluations`` model calls a row; a wide table is explained over fewer background rows."""
        per_walk = 2 * max(columns - 1, 1)
        rows = min(background, max(FEWEST_BACKGROUND, evaluations // (2 * per_walk)))
        each = evaluations // rows
        exact = min(MOST_EXACT_COLUMNS, max(1, int(np.log2(max(each, 2)))))
        walks = int(np.clip(each // per_walk, 2, MOST_WALKS))
        fit = each if each >= FIT_EVALUATIONS * columns and columns > max(exact, 2) else 0
        return cls(background=rows, exact_columns=exact, walks=walks, fit=fit)

    def most_evaluations(self, columns: int) -> int:
        """Model calls that a row costs at most."""
        sampled = (self.fit or 2 * (columns - 1) * self.walks) if columns > self.exact_columns else 0
        return self.background * max(1 << min(self.exact_columns, columns), sampled)

    @property
    def cost(self) -> int:
        """Evaluations of a sampled pair, up to a factor that is the same for plans of one kind."""
        return self.fit or self.walks

    def first_look(self, columns: int) -> Plan | None:
        """A first look at a third of this plan's cost; None where all is exact or too little would be left to judge."""
        if columns <= self.exact_columns:
            return None
        if self.fit:
            return replace(self, fit=self.fit // 3) if self.fit >= 3 * FIT_EVALUATIONS * columns else None
        return replace(self, walks=self.walks // 3) if self.walks >= 3 * FEWEST_WALKS else None

    def freedom(self, columns: int) -> int:
        """Degrees of freedom of the variance of one pair."""
        return max(self.fit // 2 - columns + 1, 1) if self.fit else self.walks - 1

    @property
    def words(self) -> str:
        how = f"KernelSHAP on {self.fit} coalitions" if self.fit else f"{self.walks} antithetic pairs of permutations"
        return f"{how} a background row (exact where two rows differ in at most {self.exact_columns} columns)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Coalitions (m, k) of a game of k players and the weights (k, m + 2) that turn v(none), v(coalitions), v(all)
    into Shapley values."""

    coalitions: NDArray[np.bool_]
    weights: Floats


@lru_cache(maxsize=MOST_EXACT_COLUMNS + 1)
def every_coalition(k: int) -> Design:
    """Exact: phi_j = sum over S without j of |S|! (k - |S| - 1)! / k! (v(S + j) - v(S))."""
    members = ((np.arange(2**k)[:, None] >> np.arange(k)) & 1).astype(bool)
    size = members.sum(axis=1)
    joined = np.array([1.0 / (k * comb(k - 1, s - 1)) if s else 0.0 for s in range(k + 1)])[size]
    absent = np.array([1.0 / (k * comb(k - 1, s)) if s < k else 0.0 for s in range(k + 1)])[size]
    return Design(coalitions=members[1:-1], weights=np.where(members.T, joined, -absent))


@lru_cache(maxsize=64)
def both_ways(k: int) -> Design:
    """One order of k >= 2 players walked forwards and backwards: each player's mean of two marginal contributions."""
    prefixes = np.tri(k - 1, k, dtype=bool)
    last = 2 * k - 1  # columns: none, the first 1..k-1 players, the last 1..k-1 players, all
    forwards = np.concatenate([[0], np.arange(1, k), [last]])
    backwards = np.concatenate([[0], np.arange(k, last), [last]])
    weights = np.zeros((k, 2 * k))
    for path, players in ((forwards, np.arange(k)), (backwards, np.arange(k)[::-1])):
        np.add.at(weights, (players, path[1:]), 0.5)
        np.add.at(weights, (players, path[:-1]), -0.5)
    return Design(coalitions=np.concatenate([prefixes, prefixes[:, ::-1]]), weights=weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Shapley values (n, d), their standard errors given the background (0 where exact), and how they were made."""

    values: Floats
    standard_errors: Floats
    plan: Plan
    exact: bool
    halves: Floats | None  # (n, d) half the difference between the two halves of the background


def shapley_values(game: Game, plan: Plan, generator: np.random.Generator, rows: Integers | None = None) -> Estimate:
    """Shapley values of these foreground rows (default: all) over the first ``plan.background`` background rows."""
    chosen = np.arange(game.n) if rows is None else rows
    n, d = len(chosen), len(game.names)
    draw = _Draw(orders=_orders(generator, plan, d), seed=int(generator.integers(2**31)))
    half = plan.background // 2
    total, variance, square = np.zeros((2, n, d)), np.zeros((n, d)), np.zeros((n, d))
    exact = True
    for at, backs in _blocks(n, game, plan):
        mean, error, enumerated = _pairs(game, plan, draw, chosen[at], backs)
        np.add.at(total, ((backs >= half).astype(int), at), mean)
        np.add.at(variance, at, error)
        np.add.at(square, at, error**2)
        exact = exact and enumerated
    b = plan.background
    error = np.sqrt(variance) / b * _widening(variance, square, plan.freedom(d))
    halves = (total[0] / half - total[1] / (b - half)) / 2 if half else None
    return Estimate(values=total.sum(axis=0) / b, standard_errors=error, plan=plan, exact=exact, halves=halves)


def until_accurate(game: Game, plan: Plan, generator: np.random.Generator) -> Estimate:
    """As :func:`shapley_values`, but a row that a first look explains well enough is left at that.

    Each row decides for itself, by the share of its standard errors in its contributions, so that its answer does not
    depend on the rows beside it. The others get the rest of the evaluations; both answers are averaged by their cost.
    """
    first = plan.first_look(len(game.names))
    if first is None:
        return shapley_values(game, plan, generator)
    early = shapley_values(game, first, generator)
    share = early.standard_errors.sum(axis=1) / np.maximum(np.abs(early.values).sum(axis=1), 1e-300)
    rest = np.flatnonzero(share > ACCURATE)
    if early.exact or not len(rest):
        return early
    late = shapley_values(game, plan, generator, rest)
    w = first.cost / (first.cost + plan.cost)
    values, errors, halves = early.values.copy(), early.standard_errors.copy(), early.halves
    values[rest] = w * early.values[rest] + (1 - w) * late.values
    errors[rest] = np.hypot(w * early.standard_errors[rest], (1 - w) * late.standard_errors)
    if halves is not None and late.halves is not None:
        halves = halves.copy()
        halves[rest] = w * halves[rest] + (1 - w) * late.halves
    return Estimate(values=values, standard_errors=errors, plan=plan, exact=False, halves=halves)


def _widening(variance: Floats, square: Floats, each: int) -> Floats:
    """How much wider than a normal's the interval must be, because the variances are estimates themselves.

    Student's t with Satterthwaite's degrees of freedom, from sums over pairs of variances with ``each`` degrees of
    freedom, corrected for their own spread: (each + 2) (sum v)^2 / (sum v^2) - 2. A reader may then use 1.96.
    """
    known = square > 0
    ratio = np.divide(variance**2, square, out=np.ones_like(square), where=known)
    df = np.maximum((each + 2) * ratio - 2, 1.0)
    return np.where(known, stdtrit(df, 0.975) / ndtri(0.975), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """All that is random: the players' orders of every background row, and the coalitions of fitted games."""

    orders: Integers
    seed: int


def _orders(generator: np.random.Generator, plan: Plan, d: int) -> Integers:
    """Rank of every column in every order, shape (background, walks, d)."""
    return np.argsort(generator.random((plan.background, plan.walks, d)), axis=2)


def _blocks(n: int, game: Game, plan: Plan) -> Iterator[tuple[Integers, Integers]]:
    """All pairs (row, background row), in blocks whose coalitions fill about one call of the model."""
    each = max(1, plan.most_evaluations(len(game.names)) // plan.background)
    size = max(1, 2 * game.chunk // each)  # rows and background share values, so games are half as large
    pairs = n * plan.background
    for start in range(0, pairs, size):
        pair = np.arange(start, min(start + size, pairs))
        yield pair // plan.background, pair % plan.background


def _pairs(game: Game, plan: Plan, draw: _Draw, rows: Integers, backs: Integers) -> tuple[Floats, Floats, bool]:
    """Values of each pair, their variances, both (pairs, d), and whether all games were enumerated."""
    differs = game.differs(rows, backs)
    k = differs.sum(axis=1)
    small = k <= plan.exact_columns
    walks = np.where(small | (plan.fit > 0), 1, plan.walks)
    pair = np.repeat(np.arange(len(rows)), walks)
    walk = np.arange(len(pair)) - np.repeat(np.cumsum(walks) - walks, walks)
    ranks = np.where(differs[pair], draw.orders[backs[pair], walk], len(game.names))
    order = np.argsort(ranks, axis=1)
    contributions, fitted = _contributions(game, plan, draw.seed, rows[pair], backs[pair], k[pair], order)
    if plan.fit or small.all():
        return contributions, fitted, bool(small.all())
    mean, square = np.zeros(differs.shape), np.zeros(differs.shape)
    np.add.at(mean, pair, contributions)
    mean /= walks[:, None]
    np.add.at(square, pair, (contributions - mean[pair]) ** 2)
    variance = np.where(small[:, None], 0.0, square / (walks * np.maximum(walks - 1, 1))[:, None])
    return mean, variance, False


def _contributions(
    game: Game, plan: Plan, seed: int, rows: Integers, backs: Integers, k: Integers, order: Integers
) -> tuple[Floats, Floats]:
    """Contributions of games whose k players are the first k columns of ``order``, and the variances of those that were
    fitted, both (tasks, d)."""
    groups = [(int(size), np.flatnonzero(k == size)) for size in np.unique(k) if size > 0]
    designs = [_design(plan, size, seed) for size, _ in groups]
    asked = [_mixtures(design.coalitions, tasks, order) for design, (_, tasks) in zip(designs, groups, strict=True)]
    answers = _answers(game, rows, backs, asked)
    result, variance = np.zeros(order.shape), np.zeros(order.shape)
    for (size, tasks), design, answer in zip(groups, designs, answers, strict=True):
        ends = game.ends(rows[tasks], backs[tasks])
        inner = answer.reshape(len(tasks), len(design.coalitions))
        worth = np.column_stack([ends[:, 0], inner, ends[:, 1]])
        values = worth @ design.weights.T
        result[tasks[:, None], order[tasks, :size]] = values
        if isinstance(design, KernelDesign):
            variance[tasks[:, None], order[tasks, :size]] = design.variances(worth, values)
    return result, variance


def _design(plan: Plan, k: int, seed: int) -> Design | KernelDesign:
    if k <= plan.exact_columns:
        return every_coalition(k)
    return kernel_design(k, plan.fit, seed) if plan.fit else both_ways(k)


def _mixtures(coalitions: NDArray[np.bool_], tasks: Integers, order: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """For each task and coalition: the task, and which columns come from the explained row."""
    m, k = coalitions.shape
    masks = np.zeros((len(tasks), m, order.shape[1]), dtype=bool)
    players = np.broadcast_to(order[tasks, None, :k], (len(tasks), m, k))
    np.put_along_axis(masks, players, np.broadcast_to(coalitions, players.shape), axis=2)
    return np.repeat(tasks, m), masks.reshape(len(tasks) * m, order.shape[1])


def _answers(
    game: Game, rows: Integers, backs: Integers, asked: list[tuple[Integers, NDArray[np.bool_]]]
) -> list[Floats]:
    """The values of all mixtures in as few calls as possible, split again by group."""
    if not asked:
        return []
    tasks = np.concatenate([task for task, _ in asked])
    values = game.values(rows[tasks], backs[tasks], np.concatenate([masks for _, masks in asked]))
    return np.split(values, np.cumsum([len(task) for task, _ in asked])[:-1])
