"""What a record says about the energy of one component, with the range that such evidence has been found to have.

The ranges (90 %) rest on published comparisons: 318 runs with a wall meter (Fischer 2025, arXiv 2509.22092), 96
operating points of five CPU sets with RAPL (codecarbon's own profiling), the duty cycle of NVIDIA power sensors
(Yang 2024, arXiv 2312.02741) and sampling at 1 Hz (arXiv 2206.10377). Few machines carry them, so they are wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from audit.energy.hardware import accelerator, cpu, unknown_vcpu
from audit.energy.ranges import EXACT, Range, Term, combined
from audit.energy.record import Gpu, TrainingRecord

Rung = Literal["metered", "counter", "sampled", "utilisation", "duration_x_rating", "replayed", "flops", "declared"]
RUNGS: tuple[Rung, ...] = (
    "metered",
    "counter",
    "sampled",
    "utilisation",
    "duration_x_rating",
    "replayed",
    "flops",
    "declared",
)

COUNTER = Range(lower=0.9, upper=1.1)
FEW_SAMPLES = Range(lower=0.7, upper=1.5)  # fewer than 60 samples or 30 seconds
SPARSE_SENSOR = Range(lower=0.75, upper=1.35)  # A100, H100: the sensor looks at a quarter of the time
UTILISATION = Range(lower=0.5, upper=2.0)
UTILISATION_UNKNOWN = Range(lower=0.3, upper=3.5)
RATING = Range(lower=0.5, upper=3.0)
LEAST_J = 1e-6  # the unit of the counters: one that shows less has not moved
LEAST_COVERED = 0.5  # of the run: a counter moves in steps of 100 ms, and a short look at it would be stretched
IDLE_SHARE = 0.1  # of the rating; affine in the load, which fitted RAPL best among the forms in use
GPU_RATING_SHARE = 0.65  # of board power in training; CPUs: 1.0

RAPL_SOURCE = "RAPL counters of the CPU, package and memory"
NVML_SOURCE = "NVML, the driver's own readings"
GPU_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "nvml": NVML_SOURCE,
        "amdgpu": "amdgpu, the kernel driver's sensor (hwmon): power of the GPU's socket, not of regulators and fans",
        "i915": "i915, the kernel driver's energy counter (hwmon)",
        "xe": "xe, the kernel driver's energy counter (hwmon)",
    }
)
PARTITION_LOWER = 0.3  # of its slices' share of the board: a partition that waits while its neighbours work
RATING_SOURCE = "wall meter against rating: Fischer 2025, arXiv 2509.22092"
LOAD_SOURCE = "RAPL against load, 96 operating points published by codecarbon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Joules of one component, the evidence for it, and what is assumed."""

    term: Term  # joules
    rung: Rung
    method: str
    assumptions: tuple[str, ...]
    source: str
    observations: int = 1


def cpu_counter(record: TrainingRecord) -> Part | None:
    joules = sum(counter.joules for counter in record.counters)
    if record.counters_status != "read" or joules < LEAST_J:  # a guest may show counters that never move
        return None
    busy = min(1.0, record.cpu_s / record.machine_busy_s) if record.machine_busy_s else 0.0
    return Part(
        term=Term(value=joules, range=COUNTER),
        rung="counter",
        method="difference of the CPU's energy counters",
        assumptions=(f"the counters hold the whole machine; this program took {busy:.0%} of its busy CPU time",),
        source=RAPL_SOURCE,
    )


def _cpu_rating_w(record: TrainingRecord) -> tuple[float, str, str] | None:
    """Watts of the rating that this machine stands for, how it was found, and its source; None if unknown."""
    host, part = record.host, cpu(record.host.cpu)
    if part is None:
        return None
    if host.virtualised is False:
        words = f"{host.sockets} x {part.name}, {part.tdp_w:g} W each"
        return host.sockets * part.tdp_w, words, part.source
    words = f"{host.vcpus} of {part.threads} threads of {part.name}, {part.tdp_w:g} W"
    return part.tdp_w * host.vcpus / part.threads, words, part.source


def cpu_utilisation(record: TrainingRecord) -> Part:
    """Affine in the load: of the rating where the part is known, of a typical server's vCPU where it is not."""
    host, wall_s = record.host, record.wall_s
    load = min(1.0, record.cpu_s / (host.vcpus * wall_s))
    rating = _cpu_rating_w(record)
    if rating is None:
        typical = unknown_vcpu()
        idle_w, busy_w, source = host.vcpus * typical.idle_w, host.vcpus * typical.busy_w, typical.source
        words = f'CPU "{host.cpu or "without a name"}" is not in the table: {host.vcpus} vCPUs of a typical server'
    else:
        idle_w, busy_w, source = IDLE_SHARE * rating[0], rating[0], f"{rating[2]}; {LOAD_SOURCE}"
        words = rating[1]
    return Part(
        term=Term(
            value=wall_s * (idle_w + load * (busy_w - idle_w)),
            range=UTILISATION_UNKNOWN if rating is None else UTILISATION,
        ),
        rung="utilisation",
        method="CPU seconds of the process tree times a power that is affine in the load",
        assumptions=(words, f"load {load:.0%}; {idle_w:.2g} W idle, {busy_w:.2g} W busy"),
        source=source,
    )


def cpu_rating(record: TrainingRecord) -> Part | None:
    rating = _cpu_rating_w(record)
    if rating is None:
        return None
    return Part(
        term=Term(value=record.wall_s * rating[0], range=RATING),
        rung="duration_x_rating",
        method="duration times rated power",
        assumptions=(rating[1],),
        source=f"{rating[2]}; {RATING_SOURCE}",
    )


def _stretched(joules: float, gpu: Gpu, record: TrainingRecord) -> float:
    """NVML starts a moment after the run: the same mean power is taken for that moment."""
    return joules * record.wall_s / gpu.covered_s if gpu.covered_s > 0 else joules


def _names(gpus: tuple[Gpu, ...]) -> str:
    return ", ".join(sorted({gpu.name for gpu in gpus}))


def _source(gpus: tuple[Gpu, ...]) -> str:
    return "; ".join(dict.fromkeys(GPU_SOURCES.get(gpu.source, gpu.source) for gpu in gpus))


def _partition(gpus: tuple[Gpu, ...]) -> Range:
    """A board's sensor holds all of its partitions: one of them drew up to the whole of it, and at least a part."""
    parts = [gpu.share for gpu in gpus if gpu.share < 1]
    return Range(lower=PARTITION_LOWER, upper=1 / min(parts)) if parts else EXACT


def _whose(gpus: tuple[Gpu, ...]) -> str:
    """Whose energy the sensors hold, in words."""
    parts = ", ".join(sorted({f"{gpu.share:.0%} of {gpu.name}" for gpu in gpus if gpu.share < 1}))
    if parts:
        return f"the sensor is of the whole board, and the program had a partition (MIG): {parts}"
    return f"the sensors hold whole devices, whoever used them: {_names(gpus)}"


def _measured(part: Part, gpus: tuple[Gpu, ...]) -> Part:
    """As it was measured, or graded down to an estimate where the program had only a partition of a board."""
    around = _partition(gpus)
    if around is EXACT:
        return part
    method = f"share of the slices of: {part.method}"
    return replace(part, term=replace(part.term, range=combined([part.term.range, around])), rung="utilisation",
                   method=method)  # fmt: skip


def gpu_counter(record: TrainingRecord) -> Part | None:
    joules = [gpu.share * _stretched(gpu.counter_j, gpu, record) for gpu in record.gpus if gpu.counter_j is not None]
    unseen = any(gpu.covered_s < LEAST_COVERED * record.wall_s for gpu in record.gpus)
    if len(joules) < len(record.gpus) or sum(joules) < LEAST_J or unseen:
        return None
    part = Part(
        term=Term(value=sum(joules), range=COUNTER),
        rung="counter",
        method="difference of the GPUs' energy counters",
        assumptions=(_whose(record.gpus),),
        source=_source(record.gpus),
    )
    return _measured(part, record.gpus)


def gpu_sampled(record: TrainingRecord) -> Part | None:
    joules = [gpu.share * _stretched(gpu.polled_j, gpu, record) for gpu in record.gpus if gpu.polled_j is not None]
    if len(joules) < len(record.gpus) or sum(joules) < LEAST_J:
        return None
    few = min(gpu.samples for gpu in record.gpus) < 60 or record.wall_s < 30
    sparse = any("A100" in gpu.name or "H100" in gpu.name for gpu in record.gpus)
    ranges = [COUNTER, *([FEW_SAMPLES] if few else []), *([SPARSE_SENSOR] if sparse else [])]
    part = Part(
        term=Term(value=sum(joules), range=combined(ranges)),
        rung="sampled",
        method="sampled power of the GPUs, trapezoid rule",
        assumptions=(_whose(record.gpus),),
        source=f"{_source(record.gpus)}; arXiv 2312.02741, arXiv 2206.10377",
        observations=sum(gpu.samples for gpu in record.gpus),
    )
    return _measured(part, record.gpus)


def _board_w(name: str, limit_w: float = 0.0) -> float:
    """Board power of the table, else the driver's own limit, else 0: unknown."""
    known = accelerator(name)
    return known.board_w if known else limit_w


def gpu_utilisation(record: TrainingRecord) -> Part | None:
    joules = 0.0
    for gpu in record.gpus:
        board_w = _board_w(gpu.name, gpu.limit_w)
        if gpu.utilisation is None or not board_w:
            return None
        joules += gpu.share * record.wall_s * board_w * (IDLE_SHARE + (1 - IDLE_SHARE) * gpu.utilisation)
    return Part(
        term=Term(value=joules, range=combined([UTILISATION, _partition(record.gpus)])),
        rung="utilisation",
        method="board power of the GPUs times an affine function of their utilisation",
        assumptions=(f"board power of {_names(record.gpus)}",),
        source="data sheets of the boards, or the driver's power limit",
        observations=sum(gpu.samples for gpu in record.gpus),
    )


def gpu_rating(record: TrainingRecord) -> Part | None:
    """Measured and merely listed devices alike; None where the rating of one is unknown."""
    boards = [gpu.share * _board_w(gpu.name, gpu.limit_w) for gpu in record.gpus]
    boards += [_board_w(name) for name in record.host.unmeasured_gpus]
    if not all(boards):
        return None
    names = ", ".join(sorted({gpu.name for gpu in record.gpus} | set(record.host.unmeasured_gpus)))
    return Part(
        term=Term(
            value=record.wall_s * sum(boards) * GPU_RATING_SHARE, range=combined([RATING, _partition(record.gpus)])
        ),
        rung="duration_x_rating",
        method=f"duration times {GPU_RATING_SHARE:g} of the board power",
        assumptions=(f"the GPUs were in use all the time: {names}",),
        source=RATING_SOURCE,
    )
