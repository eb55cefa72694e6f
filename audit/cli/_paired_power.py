"""What the test data could show of a change against a baseline or a variant, before anything is predicted.

Only rows that both models decide differently tell of a change, and how many those are is not known before the run. But
Tango's interval (1998) has a width even where none differs, so that below z^2 (1 - L) / L rows no pair of models keeps
within a loss of L; and with n rows it does while the share that is decided otherwise, as many for the better as for the
worse, is at most t = A (A + 2 L) / (A + L (1 - L)), where A = n L^2 / z^2 - L (1 - L).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from audit import wording
from audit.case import Question
from audit.cli._power import Denominators, denominators
from audit.data import Dataset
from audit.inputs.groups import GroupSet, crossed
from audit.policy.limits import Limit

DENOMINATORS: Mapping[str, str] = {
    "accuracy": "labelled rows",
    "selection_rate": "rows",
    "true_positive_rate": "positives",
    "false_positive_rate": "negatives",
}
PLANNED: Mapping[str, str] = {
    name: of for rate, of in DENOMINATORS.items() for name in (f"{rate}_change_from_baseline", f"variant_{rate}_change")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRoom:
    """One group: its denominator, and the share of changed decisions up to which it can pass (None: it cannot)."""

    group: Mapping[str, str | None]
    n: int
    churn: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedPower:
    """What a limit on a change allows; ``needed`` is a denominator below which no two models pass."""

    limit: Limit
    denominator: str
    allowed: float  # the smaller of what may be lost and what may be gained
    needed: int | None  # None: the limit asks for a change, which no number of rows gives
    groups: tuple[GroupRoom, ...]  # smallest first

    @property
    def can_pass(self) -> bool:
        return all(group.churn is not None for group in self.groups)

    @property
    def words(self) -> str:
        bounds = wording.limit_words("1", lowest=self.limit.min, highest=self.limit.max)
        if self.needed is None:
            return f"? {self.limit.id} {bounds}: asks for a change, so the rows that it takes depend on its size"
        short = [group for group in self.groups if group.churn is None]
        if short:
            first = f"{wording.slice_words(short[0].group)} has {short[0].n:,}"
            return f"✗ {self.limit.id} {bounds}: takes {self.needed:,} {self.denominator} at least; {first}" + (
                f", and {wording.count(len(short) - 1, 'more group')} too few" if len(short) > 1 else ""
            )
        least = min(self.groups, key=lambda group: group.churn or 0.0)
        of = (
            f"the {self.denominator} of {wording.slice_words(least.group)}"
            if least.group
            else f"all {self.denominator}"
        )
        return (
            f"✓ {self.limit.id} {bounds}: can pass while at most {(least.churn or 0.0) * 100:.2g}\u00a0% of {of} are "
            "decided otherwise, half of them for the worse"
        )


def is_change(limit: Limit) -> bool:
    """Whether a limit is about the difference of two models on the same rows."""
    name = limit.measure
    return name.endswith("_change_from_baseline") or (name.startswith("variant_") and name.endswith("_change"))


def plan_paired(
    limits: Sequence[Limit], data: Dataset, question: Question, *, min_n: int, confidence: float
) -> list[PairedPower]:
    """For every limit on a change of a rate whose denominator the data tell. ``data`` needs target and groups."""
    asked = [x for x in limits if x.compare == "each" and x.on == "test" and x.measure in PLANNED]
    counted = _denominators(data, question) if asked else None
    return [
        _planned(limit, data, counted, min_n, confidence)
        for limit in asked
        if counted and PLANNED[limit.measure] in counted.masks and (limit.min is not None or limit.max is not None)
    ]


def _denominators(data: Dataset, question: Question) -> Denominators:
    """As of a binary task; of several classes the labelled rows are known as well."""
    counted = denominators(data, question)
    if question.task != "multiclass" or not data.roles.target:
        return counted
    codes = data.codes(data.roles.target)
    missing = len(codes.levels) - 1 if None in codes.levels else -1
    return Denominators(masks={**counted.masks, "labelled rows": codes.codes != missing}, base_rate=counted.base_rate)


def _planned(limit: Limit, data: Dataset, counted: Denominators, min_n: int, confidence: float) -> PairedPower:
    denominator = PLANNED[limit.measure]
    within = counted.masks[denominator]
    groups = crossed(limit.by, {column: data.codes(column) for column in limit.by}) if limit.by else _all(data.n)
    n = np.bincount(groups.codes[within], minlength=len(groups.levels))
    sides = [*([] if limit.min is None else [-limit.min]), *([] if limit.max is None else [limit.max])]
    allowed = min(1.0, *sides, 1.0)
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    needed = max(min_n if limit.by else 1, math.ceil(z2 * (1 - allowed) / allowed)) if allowed > 0 else None
    order = np.argsort(n, kind="stable")
    rooms = tuple(
        GroupRoom(group=groups.levels[i], n=int(n[i]), churn=most_churn(int(n[i]), allowed, z2, needed)) for i in order
    )
    return PairedPower(limit=limit, denominator=denominator, allowed=allowed, needed=needed, groups=rooms)


def _all(n: int) -> GroupSet:
    return GroupSet(columns=(), codes=np.zeros(n, dtype=np.int32), levels=({},))


def most_churn(n: int, allowed: float, z2: float, needed: int | None) -> float | None:
    """The share of rows that may be decided otherwise, half of them for the worse, for the interval to stay inside."""
    if needed is None or n < needed:
        return None
    room = max(n * allowed**2 / z2 - allowed * (1 - allowed), 0.0)
    spread = room + allowed * (1 - allowed)
    return min(1.0, room * (room + 2 * allowed) / spread) if spread > 0 else 1.0
