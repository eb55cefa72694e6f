"""Whether a declared energy of training is possible at all.

Why it matters: model cards state energies without a method. A figure below what the operations need on the fastest
setting of the hardware, or above what the hardware can draw in the time, is wrong whatever its method was.

How it is measured: the declared energy is held against a floor (operations at peak rate and rated power), a ceiling
(all the time at 1.2 times the rated power, 300 W for the rest, PUE 2), the stated emissions on the stated grid, and
the range of every other evidence at the same boundary. The measure is the factor by which it lies outside the worst of
them, 1 where it lies inside all. Verdict: consistent, implausible, or unverifiable where there is no bound. Consistent
does not mean right.

How to reduce the risk: state how an energy was measured, at which boundary, and over what; keep the tracker's file.

Sources: 240 wall-metered runs, none below the floor (Fischer 2025, arXiv 2509.22092); Patterson 2021, arXiv 2104.10350
(published estimates that were wrong by a factor of up to 88).
"""

from __future__ import annotations

import math

from audit.check import check
from audit.energy.claims import Bound, Claim, verdict
from audit.energy.training import TrainingEvidence
from audit.results import Omission, Outcome, Reason, Table
from audit.stats import exact, measured

MEASURES = {
    "declared_energy_miss": {
        "unit": "1",
        "better": "lower",
        "words": "factor by which the declared energy lies outside what is possible",
    },
}
GIVE_BOUND = "give [training] hardware with hours or epochs, region with declared_kgco2e, or a record"


@check(cost="predict")
def declared_energy(training_evidence: TrainingEvidence, level: float) -> Outcome:
    claim, bounds = training_evidence.told.claim, training_evidence.bounds
    name = "declared_energy_miss"
    if claim is None:
        remedy = "give [training] declared_kwh to have a stated figure tested"
        gap = Omission(name=name, reason=Reason.NOT_APPLICABLE, detail="no energy was declared", remedy=remedy)
        return Outcome(omissions=(gap,))
    if not bounds:
        detail = f"{claim.kwh:g} kWh are unverifiable: nothing bounds them"
        gap = Omission(name=name, reason=Reason.MISSING_INPUT, detail=detail, remedy=GIVE_BOUND)
        return Outcome(omissions=(gap,), evidence=(_table(claim, bounds),))
    worst = max(bound.miss(claim.kwh) for bound in bounds)
    found = measured(name=name, basis=exact(worst), level=level, n=len(bounds), unit="1")
    return Outcome(measurements=(found,), evidence=(_table(claim, bounds),))


def _table(claim: Claim, bounds: tuple[Bound, ...]) -> Table:
    return Table(
        name="declared_energy",
        title=f"{claim.kwh:g} kWh declared, {claim.boundary} boundary: {verdict(claim, bounds)}",
        columns=("held against", "lower kWh", "upper kWh", "verdict", "factor outside", "how", "source"),
        rows=tuple(_row(claim, bound) for bound in bounds),
        note="Consistent is not the same as right: the bounds are wide.",
    )


def _row(claim: Claim, bound: Bound) -> tuple[str | float | None, ...]:
    upper = bound.upper if math.isfinite(bound.upper) else None
    return (
        bound.name,
        bound.lower,
        upper,
        verdict(claim, (bound,)),
        bound.miss(claim.kwh),
        bound.words,
        bound.source,
    )
