"""Is a declared energy possible? It is held against what physics, hardware and other evidence allow.

Floor: the operations at the highest rate that the hardware has, at its rated power. On 240 wall-metered runs the least
energy was 1.86 times this floor. Ceiling: all the time at 1.2 times the rated power and 300 W for the rest, in a
building of PUE 2. A figure outside is implausible; inside it is consistent, which is not the same as right; without
a bound it is unverifiable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from audit.energy.devices import Device
from audit.energy.estimate import J_PER_KWH, Boundary, EnergyEstimate, declared
from audit.energy.intensity import TABLE_RANGE, GridIntensity
from audit.energy.work import Work, rated_power_w

UNSURE_FLOOR = 0.3  # of the rated power: a device that is capped or that computes at a rate not told
REST_CEILING_W, RATING_CEILING, PUE_CEILING = 300.0, 1.2, 2.0
LEAST_MEAN_POWER = 0.05  # of the rating: below it the devices were not in use
STRETCH = 2.0  # normal quantiles of 99.95 % over 95 %: a log-normal range at 90 % becomes one at 99.9 %
# Three trackers differed 7.9 times on one run: a figure whose method is not told is known to this factor.
UNKNOWN_METHOD = 8.0

Verdict = Literal["consistent", "implausible", "unverifiable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An energy as somebody stated it, with the emissions stated beside it."""

    kwh: float
    boundary: Boundary
    kgco2e: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One test: the claim must lie between ``lower`` and ``upper``, both in kWh at the claim's boundary."""

    name: str
    lower: float  # 0: no floor
    upper: float  # inf: no ceiling
    words: str
    source: str

    def miss(self, kwh: float) -> float:
        """Factor by which the claim lies outside; 1 inside."""
        return max(1.0, self.lower / kwh, kwh / self.upper)


def floor(work: Work, device: Device) -> Bound:
    """The energy below which no device of this kind does this work."""
    sure = work.precision is not None
    peak = device.most(work.precision)
    share = 1.0 if sure else UNSURE_FLOOR
    kwh = work.flops / peak * device.least_w * share / J_PER_KWH
    rate = f"at {work.precision}" if sure else "at its fastest precision, none was stated"
    words = f"{work.flops:.3g} operations at {peak / 1e12:.4g} TFLOP/s ({rate}) and {share:g} of {device.least_w:.4g} W"
    return Bound(name="floor of the work", lower=kwh, upper=float("inf"), words=words, source=device.source)


def power_bounds(hours: float, name: str, devices: int, boundary: Boundary) -> Bound | None:
    """What the hardware can have drawn in this time; None where it is unknown."""
    rated = rated_power_w(name, devices)
    if rated is None:
        return None
    most_w = rated[0] * RATING_CEILING + (0.0 if boundary == "chip" else REST_CEILING_W)
    pue = PUE_CEILING if boundary == "facility" else 1.0
    words = f"{hours:g} h of {rated[1]}: {LEAST_MEAN_POWER:g} of the rating to {RATING_CEILING:g} of it"
    rest = "" if boundary == "chip" else f" and {REST_CEILING_W:g} W for the rest"
    building = f", times PUE {pue:g}" if pue > 1 else ""
    return Bound(
        name="power of the hardware",
        lower=hours * rated[0] * LEAST_MEAN_POWER / 1000,
        upper=hours * most_w * pue / 1000,
        words=words + rest + building,
        source=rated[2],
    )


def emissions_bound(claim: Claim, grid: GridIntensity) -> Bound | None:
    """The energy that the stated emissions stand for on this grid; None where none were stated."""
    if claim.kgco2e is None:
        return None
    kwh = claim.kgco2e * 1000 / grid.g_per_kwh
    words = f"{claim.kgco2e:g} kgCO2e at {grid.lower_g_per_kwh:.0f} to {grid.upper_g_per_kwh:.0f} g/kWh ({grid.name})"
    return Bound(
        name="stated emissions",
        lower=kwh * TABLE_RANGE.lower,
        upper=kwh * TABLE_RANGE.upper,
        words=words,
        source=grid.attribution,
    )


def evidence_bound(estimate: EnergyEstimate) -> Bound:
    """The range of other evidence, stretched to 99.9 %: one claim in ten lies outside a range at 90 %."""
    around = estimate.range
    return Bound(
        name=f"{estimate.rung} evidence",
        lower=estimate.value_kwh * around.lower**STRETCH,
        upper=estimate.value_kwh * around.upper**STRETCH,
        words=f"99.9 % range of: {estimate.method}",
        source="; ".join(estimate.sources),
    )


def evidence_bounds(claim: Claim, estimates: Sequence[EnergyEstimate]) -> tuple[Bound, ...]:
    """One bound for each other estimate at the claim's boundary."""
    comparable = [item for item in estimates if item.boundary == claim.boundary and item.rung != "declared"]
    return tuple(evidence_bound(item) for item in comparable)


def verdict(claim: Claim, bounds: Sequence[Bound]) -> Verdict:
    if not bounds:
        return "unverifiable"
    return "implausible" if any(bound.miss(claim.kwh) > 1 for bound in bounds) else "consistent"


def as_estimate(claim: Claim) -> EnergyEstimate:
    """The claim as the lowest rung of the ladder."""
    return declared(
        claim.kwh,
        lower_kwh=claim.kwh / UNKNOWN_METHOD,
        upper_kwh=claim.kwh * UNKNOWN_METHOD,
        boundary=claim.boundary,
        source="[training] declared_kwh; trackers of the field differ by this factor on one run",
    )
