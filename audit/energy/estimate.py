"""An energy never stands alone: it carries its rung on the ladder of evidence, its boundary and a 90 % range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from audit.energy.evidence import RUNGS, Part, Rung
from audit.energy.intensity import TABLE_RANGE, GridIntensity
from audit.energy.ranges import LEVEL, Range, combined, total
from audit.errors import CheckError, DataError

Boundary = Literal["chip", "system", "facility"]
BOUNDARIES: tuple[Boundary, ...] = ("chip", "system", "facility")  # packages and boards; the wall; with the building
J_PER_KWH = 3.6e6
SEED = 20261122  # the same record gives the same bytes

PUE, PUE_RANGE = 1.54, Range(lower=1.1 / 1.54, upper=1.6 / 1.54)  # Uptime Institute 2025; an unknown cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyEstimate:
    """Kilowatt-hours with the range that holds them at ``level``, and how they are known."""

    value_kwh: float
    lower_kwh: float
    upper_kwh: float
    rung: Rung
    boundary: Boundary
    method: str
    assumptions: tuple[str, ...]
    sources: tuple[str, ...]
    level: float = LEVEL
    observations: int = 1

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.lower_kwh, self.value_kwh, self.upper_kwh))):
            raise CheckError(f"an energy must be finite, got {self.lower_kwh}, {self.value_kwh}, {self.upper_kwh}")
        if not 0 < self.lower_kwh <= self.value_kwh <= self.upper_kwh:
            got = f"{self.lower_kwh}, {self.value_kwh}, {self.upper_kwh}"
            raise CheckError(f"an energy needs 0 < lower <= value <= upper, got {got}")
        if self.rung not in RUNGS or self.boundary not in BOUNDARIES:
            raise CheckError(f"no such rung or boundary: {self.rung}, {self.boundary}; one of {RUNGS}, {BOUNDARIES}")
        if not (self.method and self.sources and 0 < self.level < 1):
            raise CheckError("an energy needs a method, a source and a level between 0 and 1")

    @property
    def range(self) -> Range:
        """The range as factors around the value."""
        return Range(lower=self.lower_kwh / self.value_kwh, upper=self.upper_kwh / self.value_kwh)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonEstimate:
    """Kilograms of CO2-equivalent of an energy on one grid, location based."""

    value_kg: float
    lower_kg: float
    upper_kg: float
    level: float
    energy: EnergyEstimate
    grid: GridIntensity


def metered(
    kwh: float, *, source: str, error: float = 0.03, boundary: Boundary = "system", assumptions: tuple[str, ...] = ()
) -> EnergyEstimate:
    """Read off a wall meter, a BMC or a PDU; ``error`` is the meter's class as a share (0.03 if unknown)."""
    if not (kwh > 0 and 0 < error < 1):
        raise DataError(f"a metered energy needs kwh above 0 and an error between 0 and 1, got {kwh} and {error}")
    return EnergyEstimate(
        value_kwh=kwh,
        lower_kwh=kwh * (1 - error),
        upper_kwh=kwh * (1 + error),
        rung="metered",
        boundary=boundary,
        method=f"meter of class {error:.1%}",
        assumptions=assumptions,
        sources=(source,),
    )


def declared(kwh: float, *, lower_kwh: float, upper_kwh: float, boundary: Boundary, source: str) -> EnergyEstimate:
    """As somebody states it. A statement has no range of its own: whoever takes it over gives one at 90 %."""
    if not 0 < lower_kwh <= kwh <= upper_kwh:
        raise DataError(f"a declared energy needs 0 < lower <= kwh <= upper, got {lower_kwh}, {kwh}, {upper_kwh}")
    return EnergyEstimate(
        value_kwh=kwh,
        lower_kwh=lower_kwh,
        upper_kwh=upper_kwh,
        rung="declared",
        boundary=boundary,
        method="as declared, not measured",
        assumptions=("the declared figure is taken on trust",),
        sources=(source,),
    )


def summed(parts: Sequence[Part], boundary: Boundary, notes: tuple[str, ...]) -> EnergyEstimate:
    """The sum of components. Its rung is that of its weakest part."""
    value, lower, upper = total([part.term for part in parts], np.random.default_rng(SEED))
    weakest = max(parts, key=lambda part: RUNGS.index(part.rung))
    return EnergyEstimate(
        value_kwh=value / J_PER_KWH,
        lower_kwh=lower / J_PER_KWH,
        upper_kwh=upper / J_PER_KWH,
        rung=weakest.rung,
        boundary=boundary,
        method="; ".join(part.method for part in parts),
        assumptions=tuple(words for part in parts for words in part.assumptions) + notes,
        sources=tuple(dict.fromkeys(part.source for part in parts)),
        observations=max(part.observations for part in parts),
    )


def at_the_facility(system: EnergyEstimate, *, pue: float | None = None) -> EnergyEstimate:
    """With cooling and supply of the building: times PUE, 1.54 (1.1 to 1.6) where the building's is not known."""
    if system.boundary != "system":
        raise CheckError(f"PUE applies to an energy at the system boundary, got {system.boundary}")
    if pue is not None and not pue >= 1:
        raise DataError(f"PUE must be 1 or more, got {pue}: it is total over computing energy")
    factor = PUE if pue is None else pue
    around = combined([system.range, PUE_RANGE]) if pue is None else system.range
    value = system.value_kwh * factor
    return replace(
        system,
        value_kwh=value,
        lower_kwh=value * around.lower,
        upper_kwh=value * around.upper,
        boundary="facility",
        assumptions=(*system.assumptions, f"PUE {factor:g}" + (" (1.1 to 1.6)" if pue is None else "")),
        sources=(*system.sources, *(("Uptime Institute 2025, weighted mean PUE",) if pue is None else ())),
    )


def carbon(energy: EnergyEstimate, grid: GridIntensity) -> CarbonEstimate:
    """Energy times yearly grid intensity; the table's own range is combined with that of the energy."""
    value = energy.value_kwh * grid.g_per_kwh / 1000
    around = combined([energy.range, TABLE_RANGE])
    return CarbonEstimate(
        value_kg=value,
        lower_kg=value * around.lower,
        upper_kg=value * around.upper,
        level=energy.level,
        energy=energy,
        grid=grid,
    )


def disagreements(estimates: Sequence[EnergyEstimate]) -> tuple[tuple[EnergyEstimate, EnergyEstimate], ...]:
    """Pairs at one boundary whose ranges do not meet: at least one of them is wrong. Never averaged away."""
    return tuple(
        (one, other)
        for one, other in combinations(estimates, 2)
        if one.boundary == other.boundary and (one.upper_kwh < other.lower_kwh or other.upper_kwh < one.lower_kwh)
    )


def miss_factor(one: EnergyEstimate, other: EnergyEstimate) -> float:
    """The factor by which two ranges miss each other; 1 where they meet."""
    return max(1.0, one.lower_kwh / other.upper_kwh, other.lower_kwh / one.upper_kwh)


def largest_miss(estimates: Sequence[EnergyEstimate]) -> float | None:
    """The largest miss of two estimates at one boundary; None where no two can be compared."""
    misses = [miss_factor(one, other) for one, other in combinations(estimates, 2) if one.boundary == other.boundary]
    return max(misses, default=None)
