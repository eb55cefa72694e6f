"""From another tracker's file to estimates: components with the range that their evidence has been found to have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from audit.energy.estimate import J_PER_KWH, EnergyEstimate, summed
from audit.energy.evidence import (
    COUNTER,
    FEW_SAMPLES,
    LOAD_SOURCE,
    RATING,
    RUNGS,
    UTILISATION_UNKNOWN,
    Part,
    Rung,
)
from audit.energy.hardware import cpu
from audit.energy.ranges import Range, Term, combined
from audit.energy.trackers.log import Flag, TrackerLog
from audit.energy.wall import RESTS, at_the_wall, machine_of

# RAPL over codecarbon's fallbacks, 96 operating points of five CPU sets: 0.68 to 5.0 (cubic), 0.54 to 2.75 (linear)
CURVE = Range(lower=0.54, upper=5.0)
# A CPU without its own figure adds up to half as much again to the GPUs of a training.
GPU_ALONE = Range(lower=0.9, upper=1.5)
SMALL_SHARE = 0.1  # a component below it does not set the rung of the sum
DOUBTFUL = 8.0  # trackers of the field differ 7.9 times on one run


def _cpu_part(log: TrackerLog, flags: Collection[str]) -> Part | None:
    if not log.cpu_kwh:
        return None
    around, rung, method = _cpu_grade(log, flags)
    return Part(
        term=Term(value=log.cpu_kwh * J_PER_KWH, range=around),
        rung=rung,
        method=f"CPU by {log.tool}: {method}",
        assumptions=(f'CPU "{log.cpu or "without a name"}"',),
        source=f"{log.tool} {log.version}".strip() + f"; {LOAD_SOURCE}",
    )


def _cpu_grade(log: TrackerLog, flags: Collection[str]) -> tuple[Range, Rung, str]:
    if log.tool == "zeus":
        return COUNTER, "counter", "RAPL"
    if "constant_tdp" in flags:
        return RATING, "duration_x_rating", "rated power times time, by its trace"
    if "fallback_curve" in flags:
        return CURVE, "utilisation", "load times rating, by its trace"
    if cpu(log.cpu) is None:
        return UTILISATION_UNKNOWN, "utilisation", "the method is not in the file and the part is unknown"
    return FEW_SAMPLES, "sampled", "the method is not in the file; no trace of a rating or a load curve"


def _gpu_part(log: TrackerLog) -> Part | None:
    if not log.gpu_kwh:
        return None
    return Part(
        term=Term(value=log.gpu_kwh * J_PER_KWH, range=COUNTER),
        rung="counter" if log.tool == "zeus" else "sampled",
        method=f"GPUs by {log.tool}",
        assumptions=(f"{log.gpus} GPU, {log.gpu or 'not named'}",),
        source=f"{log.tool} {log.version}".strip() + ", from the driver's readings",
    )


def _ram_part(log: TrackerLog) -> Part | None:
    if not log.ram_kwh:
        return None
    measured = log.tool == "zeus"
    return Part(
        term=Term(value=log.ram_kwh * J_PER_KWH, range=COUNTER if measured else UTILISATION_UNKNOWN),
        rung="counter" if measured else "utilisation",
        method="memory by RAPL" if measured else "memory by its size",
        assumptions=() if measured else ("codecarbon guesses the power of memory from its size",),
        source=f"{log.tool} {log.version}".strip(),
    )


def _rung(parts: Sequence[Part]) -> Rung:
    """The weakest of the components that matter."""
    whole = sum(part.term.value for part in parts)
    heavy = [part for part in parts if part.term.value >= SMALL_SHARE * whole]
    return max((part.rung for part in heavy), key=RUNGS.index)


def _widened(estimate: EnergyEstimate, ranges: Sequence[Range]) -> EnergyEstimate:
    around = combined([estimate.range, *ranges])
    value = estimate.value_kwh
    return replace(estimate, lower_kwh=value * around.lower, upper_kwh=value * around.upper)


def _doubted(estimate: EnergyEstimate, words: str) -> EnergyEstimate:
    """Evidence that holds a fault counts as a declaration."""
    value = estimate.value_kwh
    return replace(
        estimate,
        rung="declared",
        lower_kwh=min(estimate.lower_kwh, value / DOUBTFUL),
        upper_kwh=max(estimate.upper_kwh, value * DOUBTFUL),
        assumptions=(f"graded down: {words}", *estimate.assumptions),
    )


def from_log(log: TrackerLog, flags: Sequence[Flag], *, rest_w: float | None = None) -> tuple[EnergyEstimate, ...]:
    """The run at the chips and, on a machine of its own, at the wall; empty where a flag withholds the energy."""
    if any(flag.severity == "withhold" for flag in flags):
        return ()
    names = {flag.name for flag in flags}
    parts = [part for part in (_cpu_part(log, names), _gpu_part(log), _ram_part(log)) if part is not None]
    trust = f"{log.tool} does not name the model's file: that the record is about this model is taken on trust"
    chip = replace(summed(parts, "chip", (trust, *log.notes)), rung=_rung(parts))
    ranges = [FEW_SAMPLES] if "short_run" in names else []
    ranges += [GPU_ALONE] if "cpu_missing" in names else []
    chip = _widened(chip, ranges) if ranges else chip
    doubts = [flag.words for flag in flags if flag.name == "double_counting"]
    estimates = [chip]
    if not (log.cloud or log.process_only):
        estimates.append(at_the_wall(chip, log.seconds, rest=RESTS[machine_of(log.cpu)], rest_w=rest_w))
    return tuple(_doubted(item, "; ".join(doubts)) if doubts else item for item in estimates)
