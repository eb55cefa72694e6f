"""All comparisons between groups at once, with intervals for show and simultaneous ones for verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Indices, Mask, Vector, normal_quantile
from audit.stats.bases import evaluate, rows
from audit.stats.mover import difference_limits, folded_gap, folded_ratio, ratio_limits
from audit.stats.pairs import complement
from audit.stats.power import POWERED, Spread, allowed_gap, needed_rows
from audit.stats.simultaneous import simultaneous_z, tukey_z

Kind = Literal["difference", "ratio"]
Against = Literal["pairs", "reference", "rest", "overall"]
Column = NDArray[Any]
_LINEAR = ("wilson", "hall_t")  # over all rows: the mean of the groups, weighted with their rows
_CHUNK = 1 << 18  # comparisons at a time: 5,000 groups have 12.5 million pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasts:
    """Comparisons of groups, one entry each. A gap is absolute, a ratio smaller over larger, intervals likewise."""

    first: NDArray[np.int32]  # index of a group
    second: NDArray[np.int32]  # index of the other; -1: the rest of the rows, or all of them
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Every basis that takes part, and who is compared with whom."""

    pool: Sequence[Basis]
    first: Indices
    second: Indices
    share: Vector  # of the second side that the group itself is, where both are compared through the rest of the rows

    def rho(self, part: slice) -> Vector | float:
        """Correlation of the two sides' errors, at most 0, where groups share the places of a list."""
        said = np.array([basis.numbers.get("rho", 0.0) for basis in self.pool])
        return np.minimum(said[self.first[part]], said[self.second[part]]) if said.any() else 0.0


@dataclass(frozen=True, slots=True)
class _Sides:
    """A plan with the estimates of its pool: at the level that is shown, and at that of the family."""

    plan: _Plan
    alone: Estimates
    joint: Estimates

    @staticmethod
    def of(plan: _Plan, z: float, family_z: float) -> _Sides:
        return _Sides(plan, *(evaluate(plan.pool, float(ndtr(-quantile))) for quantile in (z, family_z)))


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
    """Every comparison that ``contrast`` asks for, among groups that share no row.

    ``lower``/``upper`` are MOVER intervals (Newcombe's for rates) at ``level``; the family's hold together with
    probability 1 - alpha: Tukey-Kramer for pairs, Šidák otherwise. Against all rows, a group is compared with the rest
    and the result scaled, since all rows hold the group itself. ``tolerance`` is the limit that power is asked for.
    ``ends`` holds the lowest and the highest that each basis could be if rows of unknown group belonged to it or not:
    the bounds are then those of the worst assignment.

    Raises Unavailable: fewer than two groups, a ratio of negative values, a rest that cannot be had.
    """
    plan = _plan(bases, contrast, reference, overall)
    z = normal_quantile((1 - level) / 2)
    family_z = tukey_z(len(bases), alpha) if contrast == "pairs" else simultaneous_z(len(bases), alpha)
    family_z = max(family_z, z)
    sides = [_Sides.of(plan, z, family_z)]
    sides += [_Sides.of(other, z, family_z) for other in _assigned(plan, contrast, overall, ends)]
    alone = sides[0].alone
    if compare == "ratio" and alone.value.min() < 0:
        lowest = f"a ratio needs values of at least 0, got {alone.value.min():g}"
        raise Unavailable("not_applicable", lowest, 'use compare = "difference"')
    spread = Spread.of(plan.pool)
    columns: dict[str, Column] = {name: np.empty(plan.first.size, dtype) for name, dtype in _COLUMNS.items()}
    for start in range(0, plan.first.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        for name, numbers in (_compared(sides, part, compare) | _power(plan, part, compare, spread, tolerance)).items():
            columns[name][part] = numbers
    second = np.where(plan.second < len(bases), plan.second, -1).astype(np.int32)
    return Contrasts(first=plan.first.astype(np.int32), second=second, family_z=family_z, **columns)


_COLUMNS: Mapping[str, type] = MappingProxyType(
    dict.fromkeys(("value", "lower", "upper", "family_lower", "family_upper", "se0"), float)
    | {"powered": bool, "needed_n": np.int64, "defined": bool}
)


def _plan(bases: Sequence[Basis], contrast: Against, reference: int | None, overall: Basis | None) -> _Plan:
    groups = len(bases)
    everyone, none = np.arange(groups), np.zeros(groups)
    if groups < 2:
        raise Unavailable("not_applicable", f"{groups} group has nothing to be compared with", "give a second group")
    if contrast == "pairs":
        first, second = np.triu_indices(groups, 1)
        return _Plan(pool=bases, first=first, second=second, share=none)
    if contrast == "reference":
        if reference is None or not 0 <= reference < groups:
            raise CheckError(f"reference must be the index of one of {groups} groups, got {reference}")
        others = np.delete(everyone, reference)
        return _Plan(pool=bases, first=others, second=np.full(groups - 1, reference), share=none)
    if overall is None:
        raise CheckError(f'contrast = "{contrast}" needs the basis over all rows, got overall = None')
    if contrast == "overall" and overall.method not in _LINEAR:
        # a group and all rows go up and down together: to take them as independent only widens the interval
        return _Plan(pool=[*bases, overall], first=everyone, second=np.full(groups, groups), share=none)
    pool = [*bases, *(complement(overall, basis) for basis in bases)]
    share = np.array([rows(basis) for basis in bases]) / rows(overall) if contrast == "overall" else none
    return _Plan(pool=pool, first=everyone, second=everyone + groups, share=share)


def _assigned(
    plan: _Plan, contrast: Against, overall: Basis | None, ends: Sequence[tuple[Basis, Basis]]
) -> Iterator[_Plan]:
    """The same comparisons where the first side is as low, and the second as high, as they could be; and turned."""
    if not ends:
        return
    lowest, highest = [low for low, _ in ends], [high for _, high in ends]
    for firsts, seconds in ((lowest, highest), (highest, lowest)):
        if contrast in ("pairs", "reference"):
            yield replace(plan, pool=[*firsts, *seconds], second=len(firsts) + plan.second)
        else:
            yield _plan(firsts, contrast, None, overall)


def _compared(sides: Sequence[_Sides], part: slice, kind: Kind) -> dict[str, Column]:
    shown = _widest([_gap(side.plan, part, kind, side.alone) for side in sides], kind)
    family = _widest([_gap(side.plan, part, kind, side.joint) for side in sides], kind)
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


def _gap(plan: _Plan, part: slice, kind: Kind, estimates: Estimates) -> Estimates:
    """First minus second, or second over first."""
    a, b = (Estimates(*(numbers[side[part]] for numbers in estimates)) for side in (plan.first, plan.second))
    share, rho = plan.share[plan.first[part]], plan.rho(part)
    if kind == "difference":
        # group - all = (1 - share) (group - rest)
        return Estimates(*((1 - share) * bound for bound in difference_limits(a, b, rho=rho)))
    # all / group = share + (1 - share) rest / group
    return Estimates(*(share + (1 - share) * bound for bound in ratio_limits(b, a, rho=rho)))


def _power(plan: _Plan, part: slice, kind: Kind, spread: Spread, tolerance: float | None) -> dict[str, Column]:
    variance, sizes = spread.pooled(plan.first[part], plan.second[part], kind)
    se0 = np.sqrt(variance * sizes) * (1 - plan.share[plan.first[part]])
    if tolerance is None:
        return {"se0": se0, "powered": np.full(se0.size, True), "needed_n": np.zeros(se0.size)}
    gap = allowed_gap(kind, tolerance)
    return {"se0": se0, "powered": POWERED * se0 <= gap, "needed_n": needed_rows(variance, gap)}
