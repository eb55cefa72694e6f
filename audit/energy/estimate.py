"""An energy never stands alone: it carries its rung on the ladder of evidence, its boundary and a 90 % range."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from audit.energy import evidence
from audit.energy.evidence import RUNGS, Part, Rung
from audit.energy.intensity import TABLE_RANGE, GridIntensity
from audit.energy.ranges import LEVEL, Range, Term, combined, total
from audit.energy.record import TrainingRecord
from audit.errors import CheckError, DataError

Boundary = Literal["chip", "system", "facility"]
BOUNDARIES: tuple[Boundary, ...] = ("chip", "system", "facility")  # packages and boards; the wall; with the building
J_PER_KWH = 3.6e6
SEED = 20261122  # the same record gives the same bytes

# E_wall = s E_chip + P_rest T over 318 wall-metered runs; P_rest: board, fans, disks, losses of an idle supply
SLOPE, SLOPE_RANGE = 1.17, Range(lower=1 - 1.645 * 0.06 / 1.17, upper=1 + 1.645 * 0.06 / 1.17)
REST_W, REST_RANGE = 43.0, Range(lower=10 / 43, upper=110 / 43)
LAPTOP_REST_W, LAPTOP_REST_RANGE = 8.0, Range(lower=3 / 8, upper=20 / 8)
PUE, PUE_RANGE = 1.54, Range(lower=1.1 / 1.54, upper=1.6 / 1.54)  # Uptime Institute 2025; an unknown cloud
WALL_SOURCE = "Fischer 2025, arXiv 2509.22092: 318 wall-metered runs on one host"


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


def _estimate(parts: Sequence[Part], boundary: Boundary, notes: tuple[str, ...]) -> EnergyEstimate:
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


def at_the_wall(chip: EnergyEstimate, wall_s: float, *, laptop: bool = False) -> EnergyEstimate:
    """From chips to the wall of one machine: ``1.17 E + P_rest T``, ranges of both simulated."""
    rest_w, rest_range = (LAPTOP_REST_W, LAPTOP_REST_RANGE) if laptop else (REST_W, REST_RANGE)
    terms = (
        Term(value=SLOPE * chip.value_kwh, range=combined([chip.range, SLOPE_RANGE])),
        Term(value=rest_w * wall_s / J_PER_KWH, range=rest_range),
    )
    value, lower, upper = total(terms, np.random.default_rng(SEED))
    words = f"rest of the machine {rest_w:g} W ({rest_w * rest_range.lower:.0f} to {rest_w * rest_range.upper:.0f} W)"
    return replace(
        chip,
        value_kwh=value,
        lower_kwh=lower,
        upper_kwh=upper,
        boundary="system",
        method=f"{SLOPE} x ({chip.method}) + rest power x time",
        assumptions=(*chip.assumptions, f"one machine, and nothing else on it; {words}"),
        sources=(*chip.sources, WALL_SOURCE),
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


def _notes(record: TrainingRecord) -> tuple[str, ...]:
    """What the reader must know of the record, whatever the rung."""
    notes = [] if record.finished else [f"the run did not finish ({record.status}): energy up to the last reading"]
    capacity = record.host.vcpus * record.wall_s
    if record.steal_s > 0.01 * capacity:
        notes.append(f"{record.steal_s / capacity:.0%} of the processors' time went to neighbours on the same host")
    if record.model_match == "unknown":
        notes.append("the record does not name the model's file: that it is about this model is taken on trust")
    return (*notes, *record.notes)


Evidence = Callable[[TrainingRecord], Part | None]
LADDER: tuple[tuple[tuple[Evidence, ...], tuple[Evidence, ...], Boundary], ...] = (
    (
        (evidence.cpu_counter, evidence.cpu_utilisation),
        (evidence.gpu_counter, evidence.gpu_sampled, evidence.gpu_utilisation),
        "chip",
    ),
    ((evidence.cpu_counter, evidence.cpu_utilisation), (evidence.gpu_sampled,), "chip"),
    ((evidence.cpu_utilisation,), (evidence.gpu_utilisation,), "chip"),
    ((evidence.cpu_rating,), (evidence.gpu_rating,), "system"),
)
"""Ways to add up a run: evidence for the CPU and for the GPUs, the best first, and the boundary of the sum."""


def _first(ways: Sequence[Evidence], record: TrainingRecord) -> Part | None:
    return next((part for way in ways if (part := way(record)) is not None), None)


def _summed(cpu: Sequence[Evidence], gpu: Sequence[Evidence], record: TrainingRecord) -> list[Part] | None:
    """A part for the CPU and one for the GPUs, or None where a component that was there cannot be told."""
    listed = bool(record.host.unmeasured_gpus)
    if listed and evidence.gpu_rating not in gpu:
        return None
    parts = [_first(cpu, record), *([_first(gpu, record)] if record.gpus or listed else [])]
    known = [part for part in parts if part is not None]
    return known if len(known) == len(parts) else None


def from_record(record: TrainingRecord) -> tuple[EnergyEstimate, ...]:
    """Every rung that the record supports, best first; empty where a GPU was there and nothing tells its energy.

    A record of another model is graded down to "declared": that it is about this model is only said.
    """
    notes, estimates = _notes(record), list[EnergyEstimate]()
    if record.meter_kwh:
        estimates.append(
            metered(record.meter_kwh, source="meter read by the user", error=record.meter_error, assumptions=notes)
        )
    for cpu, gpu, boundary in LADDER:
        parts = _summed(cpu, gpu, record)
        if parts is None:
            continue
        estimates.append(_estimate(parts, boundary, notes))
        if boundary == "chip" and record.host.virtualised is False:
            estimates.append(at_the_wall(estimates[-1], record.wall_s, laptop=record.host.battery))
    best: dict[tuple[Rung, Boundary], EnergyEstimate] = {}
    for estimate in estimates:
        best.setdefault((estimate.rung, estimate.boundary), estimate)
    ordered = sorted(best.values(), key=lambda item: (RUNGS.index(item.rung), BOUNDARIES.index(item.boundary)))
    return tuple(_graded(estimate, record) for estimate in ordered)


def _graded(estimate: EnergyEstimate, record: TrainingRecord) -> EnergyEstimate:
    if record.model_match != "other":
        return estimate
    words = f"the record is of another model (its file's hash differs); it was {estimate.rung} evidence for that one"
    return replace(estimate, rung="declared", assumptions=(words, *estimate.assumptions))


def disagreements(estimates: Sequence[EnergyEstimate]) -> tuple[tuple[EnergyEstimate, EnergyEstimate], ...]:
    """Pairs at one boundary whose ranges do not meet: at least one of them is wrong. Never averaged away."""
    return tuple(
        (one, other)
        for one, other in combinations(estimates, 2)
        if one.boundary == other.boundary and (one.upper_kwh < other.lower_kwh or other.upper_kwh < one.lower_kwh)
    )
