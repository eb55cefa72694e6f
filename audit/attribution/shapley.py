"""Shapley values of any black box, on the user's own columns, over a background sample.

The interventional game is an average over background rows, and so is its Shapley value. For each pair of a row and a
background row only the k columns in which they differ play. Small games (k <= ``exact_columns``) are enumerated; for
the others whole orders are walked forwards and backwards (antithetic pairs; Mitchell et al., "Sampling permutations
for Shapley value estimation", JMLR 23, 2022), with fresh orders for every background row, the same for every explained
row. The spread between the walks of a pair gives each value its standard error; the sum of a row telescopes exactly.

Sources: Shapley 1953; Lundberg & Lee, NeurIPS 2017; Janzing et al., AISTATS 2020 (interventional value function).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from .hybrids import Hybrids

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_EXACT_COLUMNS = 12
FEWEST_BACKGROUND = 8
MOST_WALKS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the evaluations of one row are spent; it depends on nothing but the shape of the task."""

    background: int
    exact_columns: int
    walks: int  # antithetic pairs of orders for each background row

    @classmethod
    def within(cls, evaluations: int, *, columns: int, background: int) -> Plan:
        """At most about ``evaluations`` model calls a row; a wide table is explained over fewer background rows."""
        per_walk = 2 * max(columns - 1, 1)
        rows = min(background, max(FEWEST_BACKGROUND, evaluations // (2 * per_walk)))
        each = evaluations // rows
        exact = min(MOST_EXACT_COLUMNS, max(1, int(np.log2(max(each, 2)))))
        return cls(background=rows, exact_columns=exact, walks=int(np.clip(each // per_walk, 2, MOST_WALKS)))

    def most_evaluations(self, columns: int) -> int:
        """Model calls that a row costs at most."""
        walked = 2 * (columns - 1) * self.walks if columns > self.exact_columns else 0
        return self.background * max(1 << min(self.exact_columns, columns), walked)


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


def shapley_values(game: Hybrids, plan: Plan, generator: np.random.Generator) -> Estimate:
    """Shapley values of every foreground row over the first ``plan.background`` background rows."""
    n, d = game.n, len(game.names)
    orders = _orders(generator, plan, d)
    total, variance, square = np.zeros((n, d)), np.zeros((n, d)), np.zeros((n, d))
    exact = True
    for rows, backs in _blocks(game, plan):
        mean, error, enumerated = _pairs(game, plan, orders, rows, backs)
        np.add.at(total, rows, mean)
        np.add.at(variance, rows, error)
        np.add.at(square, rows, error**2)
        exact = exact and enumerated
    b = plan.background
    error = np.sqrt(variance) / b * _widening(variance, square, plan.walks - 1)
    return Estimate(values=total / b, standard_errors=error, plan=plan, exact=exact)


def _widening(variance: Floats, square: Floats, each: int) -> Floats:
    """How much wider than a normal's the interval must be, because the variances are estimates themselves.

    Student's t with Satterthwaite's degrees of freedom, from sums over pairs of variances with ``each`` degrees of
    freedom, corrected for their own spread: (each + 2) (sum v)^2 / (sum v^2) - 2. A reader may then use 1.96.
    """
    known = square > 0
    ratio = np.divide(variance**2, square, out=np.ones_like(square), where=known)
    df = np.maximum((each + 2) * ratio - 2, 1.0)
    return np.where(known, stdtrit(df, 0.975) / ndtri(0.975), 1.0)


def _orders(generator: np.random.Generator, plan: Plan, d: int) -> Integers:
    """Rank of every column in every order, shape (background, walks, d)."""
    return np.argsort(generator.random((plan.background, plan.walks, d)), axis=2)


def _blocks(game: Hybrids, plan: Plan) -> Iterator[tuple[Integers, Integers]]:
    """All pairs (row, background row), in blocks whose coalitions fill about one call of the model."""
    each = max(1, plan.most_evaluations(len(game.names)) // plan.background)
    size = max(1, 2 * game.chunk // each)  # rows and background share values, so games are half as large
    pairs = game.n * plan.background
    for start in range(0, pairs, size):
        pair = np.arange(start, min(start + size, pairs))
        yield pair // plan.background, pair % plan.background


def _pairs(game: Hybrids, plan: Plan, orders: Integers, rows: Integers, backs: Integers) -> tuple[Floats, Floats, bool]:
    """Mean over the walks of each pair, the variance of that mean, both (pairs, d), and whether all were enumerated."""
    differs = game.differs(rows, backs)
    k = differs.sum(axis=1)
    small = k <= plan.exact_columns
    walks = np.where(small, 1, plan.walks)
    pair = np.repeat(np.arange(len(rows)), walks)
    walk = np.arange(len(pair)) - np.repeat(np.cumsum(walks) - walks, walks)
    ranks = np.where(differs[pair], orders[backs[pair], walk], len(game.names))
    contributions = _contributions(game, plan, rows[pair], backs[pair], k[pair], np.argsort(ranks, axis=1))
    mean, square = np.zeros(differs.shape), np.zeros(differs.shape)
    np.add.at(mean, pair, contributions)
    mean /= walks[:, None]
    np.add.at(square, pair, (contributions - mean[pair]) ** 2)
    variance = np.where(small[:, None], 0.0, square / (walks * np.maximum(walks - 1, 1))[:, None])
    return mean, variance, bool(small.all())


def _contributions(game: Hybrids, plan: Plan, rows: Integers, backs: Integers, k: Integers, order: Integers) -> Floats:
    """Contributions (tasks, d) of games whose k players are the first k columns of ``order``."""
    groups = [(int(size), np.flatnonzero(k == size)) for size in np.unique(k) if size > 0]
    designs = [every_coalition(size) if size <= plan.exact_columns else both_ways(size) for size, _ in groups]
    asked = [_mixtures(design, tasks, order) for design, (_, tasks) in zip(designs, groups, strict=True)]
    answers = _answers(game, rows, backs, asked)
    result = np.zeros(order.shape)
    for (size, tasks), design, answer in zip(groups, designs, answers, strict=True):
        ends = game.ends(rows[tasks], backs[tasks])
        inner = answer.reshape(len(tasks), len(design.coalitions))
        worth = np.column_stack([ends[:, 0], inner, ends[:, 1]])
        result[tasks[:, None], order[tasks, :size]] = worth @ design.weights.T
    return result


def _mixtures(design: Design, tasks: Integers, order: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """For each task and coalition: the task, and which columns come from the explained row."""
    m, k = design.coalitions.shape
    masks = np.zeros((len(tasks), m, order.shape[1]), dtype=bool)
    players = np.broadcast_to(order[tasks, None, :k], (len(tasks), m, k))
    np.put_along_axis(masks, players, np.broadcast_to(design.coalitions, players.shape), axis=2)
    return np.repeat(tasks, m), masks.reshape(len(tasks) * m, order.shape[1])


def _answers(
    game: Hybrids, rows: Integers, backs: Integers, asked: list[tuple[Integers, NDArray[np.bool_]]]
) -> list[Floats]:
    """The values of all mixtures in as few calls as possible, split again by group."""
    if not asked:
        return []
    tasks = np.concatenate([task for task, _ in asked])
    values = game.values(rows[tasks], backs[tasks], np.concatenate([masks for _, masks in asked]))
    return np.split(values, np.cumsum([len(task) for task, _ in asked])[:-1])
