"""What the test data could show, before anything is predicted: the rows behind each comparison of groups.

A comparison is powered when its interval could lie inside the limit if there were no gap: 3.29 standard errors within
the tolerance. The rate is not known yet, so the overall base rate stands in for it; the normal approximation is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.case import Question
from audit.data import Dataset
from audit.inputs.groups import GroupSet, Slice, crossed
from audit.policy.limits import Limit
from audit.results import MeasureNote

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
    of: str = ""  # of a named comparison of several rates, the one that this is about

    def words(self, group: GroupPower) -> str:
        listed = "it will be listed with too few rows to tell"
        end = "this limit cannot pass" if self.blocks or not self.powered else listed
        below = f" below about {self.needed:,}" if self.needed is not None else " at any number: the tolerance is 0"
        return f"{wording.slice_words(group.group)} has {self._rows(group.n)}; {end}{below}"

    def _rows(self, n: int) -> str:
        return wording.count(n, self.denominator.removesuffix("s"), self.denominator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denominators:
    """Who counts in which denominator, (n,) each, and the share of positives among the labelled rows."""

    masks: Mapping[str, NDArray[np.bool_]]
    base_rate: float


def plan_power(
    limits: Sequence[Limit],
    data: Dataset,
    question: Question,
    *,
    min_n: int,
    underpowered: str,
    notes: Mapping[str, MeasureNote] = MappingProxyType({}),
    bounds: bool = False,
) -> list[LimitPower]:
    """For every limit that compares groups by a rate, or by several under one name, which ``notes`` explain.

    ``data`` needs the target and the groups' columns only. With ``bounds`` rows of unknown group are no group. Of a
    named comparison each rate is planned that has rows of its own; of the mean of several, their harmonic mean.
    """
    counted = denominators(data, question)
    if not 0 < counted.base_rate < 1 or question.positive is None:  # no rate to stand in
        return []
    planned = []
    for limit in limits:
        asked = _asked(limit, notes)
        if limit.compare == "each" or limit.on != "test" or not asked or not set(asked) <= counted.masks.keys():
            continue
        groups = crossed(limit.by, {column: data.codes(column) for column in limit.by})
        kept = [i for i, level in enumerate(groups.levels) if not (bounds and None in level.values())]
        sizes = {name: _sizes(groups, counted.masks[name])[kept] for name in asked}
        if limit.measure in notes and notes[limit.measure].combine == "mean" and len(sizes) > 1:
            sizes = {wording.listed(sizes): _harmonic(list(sizes.values()))}
        held = [groups.levels[i] for i in kept]
        blocks = (limit.underpowered or underpowered) == "block"
        planned += [
            _limit(limit, held, name, n, counted.base_rate, min_n, blocks=blocks, of=name if len(sizes) > 1 else "")
            for name, n in sizes.items()
        ]
    return planned


def _asked(limit: Limit, notes: Mapping[str, MeasureNote]) -> tuple[str, ...]:
    """The denominators of the rates that the limit compares, each once; "" for one that is not known beforehand."""
    note = notes.get(limit.measure)
    rates = note.of if note is not None and note.of else (limit.measure,)
    return tuple(dict.fromkeys(RATES.get(name, "") for name in rates))


def _sizes(groups: GroupSet, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.bincount(groups.codes[mask], minlength=len(groups.levels))


def _harmonic(sizes: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The mean of independent rates varies as one rate of the harmonic mean of their rows does, over their number.

    That number is left out, so that a plan is on the safe side where the rates go together.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(len(sizes) / np.sum([1 / n for n in sizes], axis=0)).astype(np.int64)


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


def _limit(
    limit: Limit,
    levels: Sequence[Slice],
    denominator: str,
    n: NDArray[np.int64],
    rate: float,
    min_n: int,
    *,
    blocks: bool,
    of: str,
) -> LimitPower:
    gap = _allowed(limit)
    variance = rate * (1 - rate) if limit.compare == "difference" else (1 - rate) / rate
    most = (gap / POWERED) ** 2 / variance  # of 1/n of one group plus 1/n of the other
    short, powered = _compared(n, limit.contrast, most, min_n)
    total = len(n) * (len(n) - 1) // 2 if limit.contrast == "pairs" else len(n) - (limit.contrast == "reference")
    order = np.argsort(n, kind="stable")
    return LimitPower(
        limit=limit,
        denominator=denominator,
        groups=tuple(GroupPower(group=levels[i], n=int(n[i]), short=bool(short[i])) for i in order),
        powered=powered,
        comparisons=total,
        needed=max(min_n, math.ceil(2 / most)) if most > 0 else None,
        assumed_rate=rate,
        can_pass=bool(powered == total if blocks else powered),
        blocks=blocks,
        of=of,
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
