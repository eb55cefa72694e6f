"""All comparisons between groups at once, with intervals for show and simultaneous ones for verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Indices, Mask, Vector, normal_quantile
from audit.stats.bases import evaluate, rows
from audit.stats.kinds import Counts, Kinds
from audit.stats.mover import difference_limits, folded_gap, folded_ratio, ratio_limits
from audit.stats.pairs import complement
from audit.stats.power import POWERED, Spread, allowed_gap, needed_rows
from audit.stats.simultaneous import simultaneous_z, tukey_z

Kind = Literal["difference", "ratio"]
Against = Literal["pairs", "reference", "rest", "overall"]
Column = NDArray[Any]
_Places = tuple[Indices, Indices, Counts]
_LINEAR = ("wilson", "hall_t")  # over all rows: the mean of the groups, weighted with their rows
_CHUNK = 1 << 16  # comparisons at a time: the working arrays of a block stay in the processor's cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasts:
    """Comparisons of groups, one entry each. A gap is absolute, a ratio smaller over larger, intervals likewise."""

    first: NDArray[np.int32]  # index of a group, or of a kind of groups
    second: NDArray[np.int32]  # index of the other; -1: the rest of the rows, or all of them
    count: NDArray[np.int64]  # pairs of groups that are compared alike; 1 where indices are those of groups
    value: Vector
    lower: Vector  # at the level asked for, of this comparison alone
    upper: Vector
    family_lower: Vector  # of all comparisons of the call together
    family_upper: Vector
    se0: Vector  # standard error if there were no gap; of the logarithm for a ratio
    powered: Mask  # an interval around no gap would fit into the tolerance
    needed_n: NDArray[np.int64]  # rows a group, of equal size, so that it would; -1 where no number would do
    defined: Mask  # False for the ratio 0/0: shown as 1 with everything possible
    family_z: float  # normal quantile of the simultaneous intervals

    def __len__(self) -> int:
        return int(self.value.size)

    def at(self, places: Indices) -> Contrasts:
        """Some of the comparisons."""
        some: dict[str, Any] = {name: getattr(self, name)[places] for name in COLUMNS}
        return replace(self, **some)

    @staticmethod
    def of(blocks: Sequence[Contrasts]) -> Contrasts:
        """The comparisons of several blocks in one."""
        joined: dict[str, Any] = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in COLUMNS}
        return replace(blocks[0], **joined)


COLUMNS = (
    "first", "second", "count", "value", "lower", "upper", "family_lower", "family_upper", "se0", "powered",
    "needed_n", "defined",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Every basis that takes part, and who is compared with whom."""

    pool: Sequence[Basis]
    kinds: Kinds | None  # whose pairs are meant, where not ...
    first: Indices  # ... each of these
    second: Indices  # with each of those
    shift: int = 0  # places in the pool between a second side and the group that it belongs to
    share: Vector  # of the second side that the group itself is, where both are compared through the rest of the rows

    def places(self) -> Iterator[_Places]:
        """Both sides of every comparison, and how many it stands for, some at a time."""
        if self.kinds is not None:
            yield from self.kinds.pairs(_CHUNK)
            return
        for start in range(0, self.first.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            first, second = self.first[part], self.second[part]
            yield first, second, np.ones(first.size, dtype=np.int64)

    def rho(self, first: Indices, second: Indices) -> Vector | float:
        """Correlation of the two sides' errors, at most 0, where groups share the places of a list."""
        said = np.array([basis.numbers.get("rho", 0.0) for basis in self.pool])
        return np.minimum(said[first], said[second]) if said.any() else 0.0


@dataclass(frozen=True, slots=True)
class _Sides:
    """A plan with the estimates of its pool: at the level that is shown, and at that of the family."""

    plan: _Plan
    alone: Estimates
    joint: Estimates

    @staticmethod
    def of(plan: _Plan, z: float, family_z: float) -> _Sides:
        return _Sides(plan, *(evaluate(plan.pool, float(ndtr(-quantile))) for quantile in (z, family_z)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """Every comparison that was asked for, made when it is looked at: 10,000 groups have 50 million pairs."""

    sides: Sequence[_Sides]
    compare: Kind
    groups: int  # of the pool, the first ones
    spread: Spread
    tolerance: float | None
    family_z: float

    def blocks(self) -> Iterator[Contrasts]:
        """The comparisons in the order of their groups, some at a time."""
        for first, second, count in self.sides[0].plan.places():
            yield Contrasts(
                first=first.astype(np.int32),
                second=np.where(second < self.groups, second, -1).astype(np.int32),
                count=count,
                family_z=self.family_z,
                **_compared(self.sides, first, second, self.compare),
                **_power(self.sides[0].plan, first, second, self.compare, self.spread, self.tolerance),
            )


def compare_groups(
    bases: Sequence[Basis],
    *,
    compare: Kind,
    contrast: Against,
    reference: int | None,
    overall: Basis | None,
    tolerance: float | None,
    level: float,
    alpha: float,
    ends: Sequence[tuple[Basis, Basis]] = (),
) -> Contrasts:
    """Every comparison that ``contrast`` asks for at once, each group for itself. As ``comparing``."""
    found = comparing(
        bases,
        compare=compare,
        contrast=contrast,
        reference=reference,
        overall=overall,
        tolerance=tolerance,
        level=level,
        alpha=alpha,
        ends=ends,
    )
    return Contrasts.of(list(found.blocks()))


def comparing(
    bases: Sequence[Basis],
    *,
    compare: Kind,
    contrast: Against,
    reference: int | None,
    overall: Basis | None,
    tolerance: float | None,
    level: float,
    alpha: float,
    ends: Sequence[tuple[Basis, Basis]] = (),
    kinds: Kinds | None = None,
) -> Comparing:
    """Every comparison that ``contrast`` asks for, among groups that share no row.

    ``lower``/``upper`` are MOVER intervals (Newcombe's for rates) at ``level``; the family's hold together with
    probability 1 - alpha: Tukey-Kramer for pairs, Šidák otherwise. Against all rows, a group is compared with the rest
    and the result scaled, since all rows hold the group itself. ``tolerance`` is the limit that power is asked for.
    ``ends`` holds the lowest and the highest that each basis could be if rows of unknown group belonged to it or not:
    the bounds are then those of the worst assignment. With ``kinds``, which is for pairs, the comparisons are those of
    kinds of groups, whose bases (and ends) are the same.

    Raises Unavailable: fewer than two groups, a ratio of negative values, a rest that cannot be had.
    """
    groups = len(bases)
    if groups < 2:
        raise Unavailable("not_applicable", f"{groups} group has nothing to be compared with", "give a second group")
    if contrast == "pairs":
        kinds = kinds or Kinds.apart(groups)
        bases, ends = [bases[i] for i in kinds.first], [ends[i] for i in kinds.first] if ends else ()
    plan = _plan(bases, contrast, reference, overall, kinds)
    z = normal_quantile((1 - level) / 2)
    family_z = tukey_z(groups, alpha) if contrast == "pairs" else simultaneous_z(groups, alpha)
    family_z = max(family_z, z)
    sides = [_Sides.of(plan, z, family_z)]
    sides += [_Sides.of(other, z, family_z) for other in _assigned(plan, contrast, overall, ends)]
    alone = sides[0].alone
    if compare == "ratio" and alone.value.min() < 0:
        lowest = f"a ratio needs values of at least 0, got {alone.value.min():g}"
        raise Unavailable("not_applicable", lowest, 'use compare = "difference"')
    return Comparing(
        sides=sides,
        compare=compare,
        groups=len(bases),
        spread=Spread.of(plan.pool),
        tolerance=tolerance,
        family_z=family_z,
    )


def _plan(
    bases: Sequence[Basis], contrast: Against, reference: int | None, overall: Basis | None, kinds: Kinds | None = None
) -> _Plan:
    groups = len(bases)
    everyone, none = np.arange(groups), np.zeros(groups)
    if contrast == "pairs":
        return _Plan(pool=bases, kinds=kinds, first=everyone, second=everyone, share=none)
    if contrast == "reference":
        if reference is None or not 0 <= reference < groups:
            raise CheckError(f"reference must be the index of one of {groups} groups, got {reference}")
        others = np.delete(everyone, reference)
        return _Plan(pool=bases, kinds=None, first=others, second=np.full(groups - 1, reference), share=none)
    if overall is None:
        raise CheckError(f'contrast = "{contrast}" needs the basis over all rows, got overall = None')
    if contrast == "overall" and overall.method not in _LINEAR:
        # a group and all rows go up and down together: to take them as independent only widens the interval
        return _Plan(pool=[*bases, overall], kinds=None, first=everyone, second=np.full(groups, groups), share=none)
    pool = [*bases, *(complement(overall, basis) for basis in bases)]
    share = np.array([rows(basis) for basis in bases]) / rows(overall) if contrast == "overall" else none
    return _Plan(pool=pool, kinds=None, first=everyone, second=everyone + groups, share=share)


def _assigned(
    plan: _Plan, contrast: Against, overall: Basis | None, ends: Sequence[tuple[Basis, Basis]]
) -> Iterator[_Plan]:
    """The same comparisons where the first side is as low, and the second as high, as they could be; and turned."""
    if not ends:
        return
    lowest, highest = [low for low, _ in ends], [high for _, high in ends]
    for firsts, seconds in ((lowest, highest), (highest, lowest)):
        if contrast in ("pairs", "reference"):
            yield replace(plan, pool=[*firsts, *seconds], shift=len(firsts))
        else:
            yield _plan(firsts, contrast, None, overall)


def _compared(sides: Sequence[_Sides], first: Indices, second: Indices, kind: Kind) -> dict[str, Column]:
    shown = _widest([_gap(side.plan, first, second, kind, side.alone) for side in sides], kind)
    family = _widest([_gap(side.plan, first, second, kind, side.joint) for side in sides], kind)
    defined = ~np.isnan(shown.value)
    return {
        "value": np.where(defined, shown.value, 1.0),
        "defined": defined,
        "lower": shown.lower,
        "upper": shown.upper,
        "family_lower": np.minimum(family.lower, shown.lower),
        "family_upper": np.maximum(family.upper, shown.upper),
    }


def _widest(signed: Sequence[Estimates], kind: Kind) -> Estimates:
    """The first value with bounds that hold all of them; a gap absolute, a ratio smaller over larger."""
    lower = np.minimum.reduce([one.lower for one in signed])
    upper = np.maximum.reduce([one.upper for one in signed])
    return (folded_gap if kind == "difference" else folded_ratio)(Estimates(signed[0].value, lower, upper))


def _gap(plan: _Plan, first: Indices, second: Indices, kind: Kind, estimates: Estimates) -> Estimates:
    """First minus second, or second over first."""
    second = second + plan.shift
    a, b = (Estimates(*(numbers[side] for numbers in estimates)) for side in (first, second))
    share, rho = plan.share[first], plan.rho(first, second)
    if kind == "difference":
        # group - all = (1 - share) (group - rest)
        return Estimates(*((1 - share) * bound for bound in difference_limits(a, b, rho=rho)))
    # all / group = share + (1 - share) rest / group
    return Estimates(*(share + (1 - share) * bound for bound in ratio_limits(b, a, rho=rho)))


def _power(
    plan: _Plan, first: Indices, second: Indices, kind: Kind, spread: Spread, tolerance: float | None
) -> dict[str, Column]:
    variance, sizes = spread.pooled(first, second, kind)
    se0 = np.sqrt(variance * sizes) * (1 - plan.share[first])
    if tolerance is None:
        nothing = np.zeros(se0.size, dtype=np.int64)
        return {"se0": se0, "powered": np.full(se0.size, True), "needed_n": nothing}
    gap = allowed_gap(kind, tolerance)
    return {"se0": se0, "powered": POWERED * se0 <= gap, "needed_n": needed_rows(variance, gap)}
