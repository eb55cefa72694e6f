"""The most that a machine can have drawn: a measured figure beyond it is a fault of the record and no evidence.

A counter or a meter read in the wrong unit, or wrapped, is off by a factor of a thousand and more. The bounds are
generous, so that no honest figure meets them: of a known part a multiple of its rating, of another one more than any
part on the market draws.
"""

from __future__ import annotations

from dataclasses import replace

from audit.energy.claims import REST_CEILING_W
from audit.energy.estimate import J_PER_KWH
from audit.energy.evidence import LEAST_J
from audit.energy.hardware import accelerator, cpu
from audit.energy.host import Host
from audit.energy.record import Gpu, TrainingRecord
from audit.energy.trackers.log import Flag

CPU_CEILING = 6.0  # over the TDP: small mobile parts may hold four times theirs, a guest's counter more
SOCKET_CEILING_W = 1500.0  # of any socket; the largest part of the table is rated at a third of it
HIDDEN_SOCKETS = 8  # of the host behind a guest, whose counters it may be shown
MEMORY_W_PER_GB, LEAST_MEMORY_GB = 1.0, 64.0
RATING_CEILING = 1.5  # over the power of a known board: boards that are run above it, and sensors that are not exact
BOARD_CEILING_W = 3000.0  # of any accelerator
SUPPLY_CEILING = 1.25  # losses of power supplies and fans at the wall
GRACE_S = 1.0  # counters move in steps, and are read before and after the run
TESTS = 4  # meter, counters of the CPU, counters of the GPUs, sampled power of the GPUs
REMEDY = "read the counter or the meter again, in joules and kWh, and record the training again"


def cpu_ceiling_w(host: Host) -> float:
    """Watts that processors and memory cannot exceed; behind a guest of unknown size, those of a large host."""
    known = cpu(host.cpu)
    socket_w = min(SOCKET_CEILING_W, CPU_CEILING * known.tdp_w) if known else SOCKET_CEILING_W
    if host.virtualised is False:
        return host.sockets * socket_w + MEMORY_W_PER_GB * max(host.memory_gb, LEAST_MEMORY_GB)
    sockets = max(host.sockets, HIDDEN_SOCKETS)
    return sockets * (SOCKET_CEILING_W + MEMORY_W_PER_GB * max(host.memory_gb, 1024.0))


def _board_ceiling_w(name: str, limit_w: float = 0.0) -> float:
    known = accelerator(name)
    rated = max(known.board_w, limit_w) if known else limit_w
    return min(BOARD_CEILING_W, RATING_CEILING * rated) if rated else BOARD_CEILING_W


def machine_ceiling_w(record: TrainingRecord) -> float:
    """Watts at the wall that the whole machine cannot exceed."""
    boards = sum(_board_ceiling_w(gpu.name, gpu.limit_w) for gpu in record.gpus)
    boards += sum(_board_ceiling_w(name) for name in record.host.unmeasured_gpus)
    return SUPPLY_CEILING * (cpu_ceiling_w(record.host) + boards) + REST_CEILING_W


def _beyond(name: str, joules: float, seconds: float, most_w: float) -> Flag | None:
    """The fault of a figure above its ceiling. Joules below the counters' unit are none."""
    if joules < LEAST_J or joules <= most_w * (seconds + GRACE_S):
        return None
    words = (
        f"{name}: {joules:.4g} J in {seconds:.4g} s are {joules / seconds:.4g} W, and this machine cannot draw more "
        f"than {most_w:.4g} W there: the figure is not used"
    )
    return Flag(name="beyond_the_machine", severity="grade", words=words, remedy=REMEDY)


def _boards_beyond(record: TrainingRecord, kind: str) -> Flag | None:
    """The first board whose ``counter_j`` or ``polled_j`` no such board can have drawn.

    Sampled power is held as it is used, stretched over the whole run; a counter, which moves in steps, as it was read.
    """
    sampled = kind == "polled_j"
    for gpu in record.gpus:
        joules, seconds = getattr(gpu, kind) or 0.0, gpu.covered_s or record.wall_s
        if sampled and seconds < record.wall_s:
            joules, seconds = joules * record.wall_s / seconds, record.wall_s
        name = f"{'sampled power' if sampled else 'energy counter'} of the GPU {gpu.name}"
        if (fault := _beyond(name, joules, seconds, _board_ceiling_w(gpu.name, gpu.limit_w))) is not None:
            return fault
    return None


def _without(gpus: tuple[Gpu, ...], kind: str) -> tuple[Gpu, ...]:
    return tuple(replace(gpu, counter_j=None) if kind == "counter_j" else replace(gpu, polled_j=None) for gpu in gpus)


def held(record: TrainingRecord) -> tuple[TrainingRecord, tuple[Flag, ...]]:
    """The record without the figures that its machine cannot have drawn, and one fault for each kind of them.

    What is left gives lower rungs of evidence. Held again, such a record is unchanged and has no fault.
    """
    faults, seconds = list[Flag](), record.wall_s + record.suspended_s
    meter = _beyond("meter_kwh", (record.meter_kwh or 0.0) * J_PER_KWH, seconds, machine_ceiling_w(record))
    if meter is not None:
        faults, record = [meter], replace(record, meter_kwh=None)
    joules = sum(counter.joules for counter in record.counters)
    if (fault := _beyond("energy counters of the CPU", joules, seconds, cpu_ceiling_w(record.host))) is not None:
        faults.append(fault)
        record = replace(record, counters=(), counters_status="beyond what the machine can draw")
    for kind in ("counter_j", "polled_j"):
        if (fault := _boards_beyond(record, kind)) is not None:
            faults.append(fault)
            record = replace(record, gpus=_without(record.gpus, kind))
    return replace(record, notes=(*record.notes, *(fault.words for fault in faults))), tuple(faults)
