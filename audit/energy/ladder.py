"""From a record of the training to estimates: every rung of the ladder that it supports, best first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from audit.energy import evidence
from audit.energy.ceiling import held
from audit.energy.claims import UNKNOWN_METHOD
from audit.energy.estimate import BOUNDARIES, Boundary, EnergyEstimate, metered, summed
from audit.energy.evidence import RUNGS, Part, Rung
from audit.energy.record import TrainingRecord
from audit.energy.wall import RESTS, at_the_wall, machine_of


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


def from_record(record: TrainingRecord, *, rest_w: float | None = None) -> tuple[EnergyEstimate, ...]:
    """Every rung that the record supports, best first; empty where a GPU was there and nothing tells its energy.

    ``rest_w`` is the power of the machine beyond its chips, where it was measured. A record of another model is
    graded down to "declared": that it is about this model is only said. A figure that the machine cannot have drawn is
    not used: see :func:`audit.energy.ceiling.held`.
    """
    record, _ = held(record)
    notes, estimates = _notes(record), list[EnergyEstimate]()
    if record.meter_kwh:
        estimates.append(
            metered(record.meter_kwh, source="meter read by the user", error=record.meter_error, assumptions=notes)
        )
    for cpu, gpu, boundary in LADDER:
        parts = _summed(cpu, gpu, record)
        if parts is None:
            continue
        estimates.append(summed(parts, boundary, notes))
        if boundary == "chip" and record.host.virtualised is False:
            rest = RESTS[machine_of(record.host.cpu, battery=record.host.battery, sockets=record.host.sockets)]
            estimates.append(at_the_wall(estimates[-1], record.wall_s, rest=rest, rest_w=rest_w))
    best: dict[tuple[Rung, Boundary], EnergyEstimate] = {}
    for estimate in estimates:
        best.setdefault((estimate.rung, estimate.boundary), estimate)
    ordered = sorted(best.values(), key=lambda item: (RUNGS.index(item.rung), BOUNDARIES.index(item.boundary)))
    return tuple(_graded(estimate, record) for estimate in ordered)


def _graded(estimate: EnergyEstimate, record: TrainingRecord) -> EnergyEstimate:
    """A record of another model counts as a declaration about this one, with the range of a declaration."""
    if record.model_match != "other":
        return estimate
    words = f"the record is of another model (its file's hash differs); it was {estimate.rung} evidence for that one"
    return replace(
        estimate,
        rung="declared",
        lower_kwh=min(estimate.lower_kwh, estimate.value_kwh / UNKNOWN_METHOD),
        upper_kwh=max(estimate.upper_kwh, estimate.value_kwh * UNKNOWN_METHOD),
        method=f"recorded of another model: {estimate.method}",
        assumptions=(words, *estimate.assumptions),
    )
