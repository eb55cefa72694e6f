"""What the test data could show, before anything is predicted: the rows behind each comparison of groups.

A comparison is powered when its interval could lie inside the limit if there were no gap: 3.29 standard errors within
the tolerance. The rate is not known yet, so the overall base rate stands in for it; the normal approximation is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.case import Question
from audit.data import Dataset
from audit.inputs.groups import GroupSet, crossed
from audit.policy.limits import Limit

POWERED = 2 * NormalDist().inv_cdf(0.95)  # 3.29 standard errors: room for a 95 % interval around no gap
RATES: Mapping[str, str] = {
    "accuracy": "labelled rows",
    "error_rate": "labelled rows",
    "base_rate": "labelled rows",
    "selection_rate": "rows",
    "favourable_rate": "rows",
    "true_positive_rate": "positives",
    "false_negative_rate": "positives",
    "false_positive_rate": "negatives",
    "true_negative_rate": "negatives",
}
"""Rates whose denominator is known before the model has said anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPower:
    """One group: its denominator, and whether some comparison with it could not show that there is no gap."""

    group: Mapping[str, str | None]
    n: int
    short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPower:
    """``needed`` is a denominator for each of two equal groups; None where no number would do."""

    limit: Limit
    denominator: str
    groups: tuple[GroupPower, ...]  # smallest first
    powered: int
    comparisons: int
    needed: int | None
    assumed_rate: float
    can_pass: bool
    blocks: bool  # whether a comparison that could show nothing keeps the limit open

    def words(self, group: GroupPower) -> str:
        end = "this limit cannot pass" if self.blocks or not self.powered else "it will be listed as too small to tell"
        below = f" below about {self.needed:,}" if self.needed is not None else " at any number: the tolerance is 0"
        return f"{wording.slice_words(group.group)} has {group.n:,} {self.denominator}; {end}{below}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denominators:
    """Who counts in which denominator, (n,) each, and the share of positives among the labelled rows."""

    masks: Mapping[str, NDArray[np.bool_]]
    base_rate: float


def plan_power(
    limits: Sequence[Limit], data: Dataset, question: Question, *, min_n: int, underpowered: str
) -> list[LimitPower]:
    """For every limit that compares groups by a rate. ``data`` needs the target and the groups' columns only."""
    counted = denominators(data, question)
    if not 0 < counted.base_rate < 1:  # one class only: no rate to stand in
        return []
    planned = []
    for limit in limits:
        if limit.compare == "each" or limit.on != "test" or RATES.get(limit.measure) not in counted.masks:
            continue
        groups = crossed(limit.by, {column: data.codes(column) for column in limit.by})
        planned.append(_limit(limit, groups, counted, min_n, (limit.underpowered or underpowered) == "block"))
    return planned


def denominators(data: Dataset, question: Question) -> Denominators:
    masks = {"rows": np.ones(data.n, dtype=bool)}
    if not data.roles.target or question.positive is None:
        return Denominators(masks=masks, base_rate=0.5)
    codes = data.codes(data.roles.target)
    at = {level: code for code, level in enumerate(codes.levels)}
    labelled = codes.codes != at.get(None, -1)
    positive = codes.codes == at.get(question.positive, -1)
    masks |= {"labelled rows": labelled, "positives": positive, "negatives": labelled & ~positive}
    total = int(labelled.sum())
    return Denominators(masks=masks, base_rate=int(positive.sum()) / total if total else 0.5)


def _limit(limit: Limit, groups: GroupSet, counted: Denominators, min_n: int, blocks: bool) -> LimitPower:
    denominator = RATES[limit.measure]
    n = np.bincount(groups.codes[counted.masks[denominator]], minlength=len(groups.levels))
    rate = counted.base_rate
    gap = _allowed(limit)
    variance = rate * (1 - rate) if limit.compare == "difference" else (1 - rate) / rate
    most = (gap / POWERED) ** 2 / variance  # of 1/n of one group plus 1/n of the other
    short, powered = _compared(n, limit.contrast, most, min_n)
    total = len(n) * (len(n) - 1) // 2 if limit.contrast == "pairs" else len(n) - (limit.contrast == "reference")
    order = np.argsort(n, kind="stable")
    return LimitPower(
        limit=limit,
        denominator=denominator,
        groups=tuple(GroupPower(group=groups.levels[i], n=int(n[i]), short=bool(short[i])) for i in order),
        powered=powered,
        comparisons=total,
        needed=max(min_n, math.ceil(2 / most)) if most > 0 else None,
        assumed_rate=rate,
        can_pass=bool(powered == total if blocks else powered),
        blocks=blocks,
    )


def _allowed(limit: Limit) -> float:
    """The tolerance on the scale of the standard error: itself, or log(1 / tolerance) for a ratio."""
    if limit.compare == "difference":
        return math.inf if limit.max is None else limit.max
    return math.inf if not limit.min else -math.log(min(limit.min, 1.0))


def _compared(n: NDArray[np.int64], contrast: str, most: float, min_n: int) -> tuple[NDArray[np.bool_], int]:
    """(groups that some comparison is too small for, number of powered comparisons)."""
    if len(n) < 2:
        return np.zeros(len(n), dtype=bool), 0
    large = n >= max(min_n, 1)
    if contrast != "pairs":
        others = np.full(len(n), n.max()) if contrast == "reference" else n.sum() - n
        fits = large & (_sum_of_inverses(n, others) <= most)
        if contrast == "reference":
            fits[int(np.argmax(n))] = True  # the reference itself is compared with nobody
        return ~fits, int(fits.sum()) - (contrast == "reference")
    ordered = np.sort(n)
    with np.errstate(divide="ignore"):
        room = most - 1 / n
        partner = np.where(large & (room > 0), np.maximum(1 / np.where(room > 0, room, 1), max(min_n, 1)), np.inf)
    fitting = len(n) - np.searchsorted(ordered, partner, side="left")
    fitting -= large & (n >= partner)  # a group is no partner of itself
    needed = 2 / most if most > 0 else np.inf
    return (fitting < len(n) - 1) & ((n < needed) | ~large), int(fitting.sum()) // 2


def _sum_of_inverses(n: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(1 / n + 1 / others)
