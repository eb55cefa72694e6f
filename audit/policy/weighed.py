"""All comparisons of a limit, weighed block by block: 10,000 groups have 50 million pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audit.policy.limits import MOST_LISTED, Limit
from audit.policy.options import Case, excesses
from audit.stats import Contrasts, Kinds, simultaneous_z, tukey_z

LOOK_ERROR = 0.10  # chance that comparisons without power are not set aside although no group differs
REST = -1  # second side of a comparison with the rest of the rows, or with all of them
Mask = NDArray[np.bool_]
Blocks = Callable[[], Iterator[Contrasts]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the verdict rests on, of all comparisons."""

    defined: int  # 0: every ratio is 0/0
    failed: int
    powered: int  # and defined
    groups: NDArray[np.intp]  # that take part in a powered comparison
    unseen: bool  # no comparison could have shown anything, or a group has no value
    aside: int  # those without power that may be set aside


@dataclass(frozen=True, slots=True)
class Judged:
    """A block of comparisons, and what is true of each."""

    contrasts: Contrasts
    powered: Mask
    within: Mask
    failed: Mask
    aside: Mask

    @staticmethod
    def of(case: Case, contrasts: Contrasts, sizes: NDArray[np.int64]) -> Judged:
        least, limit = case.rules.min_n, case.limit
        powered = contrasts.powered & (sizes[contrasts.first] >= least) & (sizes[contrasts.second] >= least)
        lowest, highest = (-np.inf if limit.min is None else limit.min), (np.inf if limit.max is None else limit.max)
        within = (contrasts.lower >= lowest) & (contrasts.upper <= highest) & contrasts.defined
        failed = ((contrasts.family_upper < lowest) | (contrasts.family_lower > highest)) & contrasts.defined
        return Judged(contrasts, powered, within, failed, ~within & ~powered & contrasts.defined)


def judged(case: Case, blocks: Blocks, kinds: Kinds) -> Iterator[Judged]:
    """Every block with its answers."""
    most = np.iinfo(np.int64).max  # of a census nothing is left to chance, and -1 is the rest of the rows
    of_groups = np.array([m.n if m.interval.kind == "sample" else most for m in case.found])
    sizes = np.append(of_groups[kinds.first], most)
    for contrasts in blocks():
        yield Judged.of(case, contrasts, sizes)


def weigh(case: Case, blocks: Blocks, kinds: Kinds) -> Weighed:
    """One pass over all comparisons."""
    defined = failed = powered = aside = outside = 0
    power = False
    seen = np.zeros(len(kinds.first) + 1, dtype=bool)  # the last one is the rest of the rows
    for block in judged(case, blocks, kinds):
        contrasts, count = block.contrasts, block.contrasts.count
        defined += int(count[contrasts.defined].sum())
        failed += int(count[block.failed].sum())
        powered += int(count[block.powered & contrasts.defined].sum())
        aside += int(count[block.aside].sum())
        outside += int(count[contrasts.defined & ~block.within].sum())
        power |= bool(block.powered.any())
        seen[contrasts.first[block.powered]] = seen[contrasts.second[block.powered]] = True
    return Weighed(
        defined=defined,
        failed=failed,
        powered=powered,
        groups=kinds.members(np.flatnonzero(seen[:-1])),
        unseen=not (power or outside == 0) or (case.blocks and bool(case.omitted)),
        aside=aside,
    )


def least_seen(case: Case, aside: int) -> float:
    """Standard errors from zero, without a gap, that one audit in ten has among all comparisons without power.

    They could not have been shown to lie inside, but they are not silent: to set one aside that differs by more would
    be a pass by too few rows. The look is at all of them together: of models without a gap nine in ten keep their pass.
    """
    alone = simultaneous_z(aside, LOOK_ERROR)
    return min(alone, tukey_z(len(case.found), LOOK_ERROR)) if case.limit.contrast == "pairs" else alone


def still_open(case: Case, block: Judged, least: float) -> Mask:
    """What keeps the limit open: with power and not inside, or without and yet unlike groups without a gap."""
    value, se0 = block.contrasts.value, block.contrasts.se0
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = -np.log(value) if case.limit.compare == "ratio" else value
        away = np.where(se0 > 0, distance / se0, 0.0)
    return np.asarray(~block.within & (block.powered | case.blocks) | block.aside & (away > least))


class _Pair(NamedTuple):
    """Two groups, in order of how far they lie inside the limit, then of the groups."""

    inside: float
    first: int
    second: int
    at: int
    block: Judged


class Worst:
    """The most extreme of the comparisons that were added, at most 20, worst first."""

    def __init__(self, limit: Limit, kinds: Kinds) -> None:
        self._limit, self._kinds = limit, kinds
        self._kept: list[_Pair] = []

    def add(self, block: Judged, mask: Mask) -> None:
        places = np.flatnonzero(mask)
        over = excesses(self._limit, block.contrasts.value[places])
        if places.size > MOST_LISTED:
            far = over >= np.partition(over, -MOST_LISTED)[-MOST_LISTED]
            places, over = places[far], over[far]
        for i in np.argsort(-over, kind="stable").tolist():
            if not self._add(block, int(places[i]), -float(over[i])):
                return

    def _add(self, block: Judged, at: int, inside: float) -> bool:
        """False where neither this one nor a later one of the block belongs to the worst."""
        first, second = int(block.contrasts.first[at]), int(block.contrasts.second[at])
        nearest = int(self._kinds.first[first])
        if len(self._kept) == MOST_LISTED and (inside, nearest) > self._kept[-1][:2]:
            return False
        alike = self._limit.contrast == "pairs"
        pairs = islice(self._kinds.groups(first, second), MOST_LISTED) if alike else [(nearest, second)]
        new = [_Pair(inside, a, b, at, block) for a, b in pairs]
        self._kept = sorted([*self._kept, *new], key=lambda pair: pair[:3])[:MOST_LISTED]
        return True

    def found(self) -> tuple[Contrasts, Mask] | None:
        """The comparisons, of groups; and which of them had power. None where there is none."""
        kept = self._kept
        if not kept:
            return None
        found = Contrasts.of([pair.block.contrasts.at(np.array([pair.at])) for pair in kept])
        first, second = np.array([pair[1:3] for pair in kept], dtype=np.int32).T
        powered = np.array([bool(pair.block.powered[pair.at]) for pair in kept])
        return replace(found, first=first, second=second, count=np.ones(len(kept), dtype=np.int64)), powered
