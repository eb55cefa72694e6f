"""Shapley values of the units of a picture, a series or a text: maps of models that have no gradients.

The players are what a person would cover (a patch, a window of a channel, a word); absent ones take the first fill. All
coalitions where they are few, KernelSHAP or antithetic permutations with standard errors where they are many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from audit.stats import generator

from .explanation import completeness_error
from .maps import Maps
from .network import rows_per_call
from .scalar import require_alone
from .shapley import Estimate, Plan, until_accurate
from .subject import Floats, Masks, Subject

EVALUATIONS = 2000  # model calls a row, and no fewer than EACH a unit
EACH = 30
QUICK = 4  # model calls a unit, where a map is only made to be compared

Integers = NDArray[np.int64]


@dataclass
class UnitGame:
    """The units of each row against one background: the subject's first fill."""

    subject: Subject

    def __post_init__(self) -> None:
        subject, rows = self.subject, torch.arange(self.subject.n)
        self.names = tuple(str(unit) for unit in range(subject.count))
        self.n, self.m, self.chunk = subject.n, 1, rows_per_call((subject.inputs,))
        self.outputs = subject.outputs().numpy()
        self.base = subject.values(subject.fills[0], rows).numpy()
        self.evaluations = 2 * subject.n

    def differs(self, rows: Integers, backs: Integers) -> Masks:
        """Units that a row has not cannot matter."""
        return self.subject.live[rows]

    def ends(self, rows: Integers, backs: Integers) -> Floats:
        return np.column_stack([self.base[rows], self.outputs[rows]])

    def values(self, rows: Integers, backs: Integers, coalitions: Masks) -> Floats:
        self.evaluations += len(rows)
        if not len(rows):
            return np.zeros(0)
        # a row that was answered before goes along whole: it must be answered the same here
        asked = np.vstack([coalitions, np.ones((1, coalitions.shape[1]), dtype=np.bool_)])
        values = self.subject.covered(np.append(rows, rows[0]), asked, 0)
        require_alone(self.outputs[rows[:1]], values[-1:], self.subject.network.words[1])
        return values[:-1]


def unit_shapley(subject: Subject, typical: Floats, words: str, seed: int, evaluations: int = EVALUATIONS) -> Maps:
    """Maps whose units hold their Shapley value, spread evenly over the places of the unit.

    ``typical`` (n,) is a change of the output that is usual for the model.
    """
    game = UnitGame(subject)
    estimate = _estimate(game, evaluations, seed)
    size, error = np.abs(estimate.values).sum(axis=1), estimate.standard_errors.sum(axis=1)
    return Maps(
        method=f"Shapley values of {words} ({_made(estimate)})",
        short=f"Shapley values of {words}",
        family="shapley",
        values=subject.by_place(estimate.values),
        signed=True,
        completeness=completeness_error(estimate.values.sum(axis=1), game.outputs - game.base, typical),
        numerical=np.divide(error, size, out=np.zeros_like(size), where=size > 0),
        base=game.base,
        evaluations=game.evaluations,
    )


def quick_shapley(subject: Subject, seed: int) -> NDArray[np.float32]:
    """The same at a small fixed cost, where a map is only made to be compared."""
    return subject.by_place(_estimate(UnitGame(subject), QUICK * subject.count, seed).values)


def _estimate(game: UnitGame, evaluations: int, seed: int) -> Estimate:
    columns = len(game.names)
    plan = Plan.within(evaluations, columns=columns, background=1)
    if plan.first_look(columns):  # which costs a third more, paid from the same evaluations
        plan = Plan.within(evaluations * 3 // 4, columns=columns, background=1)
    return until_accurate(game, plan, generator(seed, "attribution.units"))


def _made(estimate: Estimate) -> str:
    return "all coalitions" if estimate.exact else estimate.plan.words
