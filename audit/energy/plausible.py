"""What no honest record can hold: negative amounts, totals that fall, a clock that jumps."""

from __future__ import annotations

from itertools import pairwise

from audit.energy.record import Reading, TrainingRecord
from audit.errors import DataError

CLOCK_STEP_S = 2.0  # a step of the clock that cannot be explained by the two reads
CLOCK_SLEW = 1e-3  # twice the 500 ppm by which a time service may slew a clock
CPU_ROUNDING_S = 0.1  # clock ticks of the kernel
SHORTEST_S, LONGEST_S = 1e-6, 3.2e9
MOST = 1e18  # of any amount: more joules than a year of a large power station
TOTALS = ("wall_s", "suspended_s", "cpu_s", "rapl_j", "gpu_j")


def _refuse(name: str, what: str) -> DataError:
    return DataError(f"{name}: {what}; the record cannot be evidence: record the training again")


def _amounts(record: TrainingRecord) -> dict[str, float]:
    amounts = {
        "suspended_s": record.suspended_s,
        "cpu_s": record.cpu_s,
        "machine_busy_s": record.machine_busy_s,
        "steal_s": record.steal_s,
        "samples": record.samples or 0,
        "steps": record.steps or 0,
        "meter_kwh": record.meter_kwh or 0.0,
        "meter_error": record.meter_error,
    }
    amounts |= {f"joules of {counter.name}": counter.joules for counter in record.counters}
    for gpu in record.gpus:
        amounts |= {f"{gpu.name}.{key}": getattr(gpu, key) or 0.0 for key in ("covered_s", "counter_j", "polled_j")}
    return amounts


def _refuse_falling(name: str, earlier: Reading, later: Reading) -> None:
    for total in TOTALS:
        before, after = getattr(earlier, total), getattr(later, total)
        if after < before:
            raise _refuse(name, f"{total} falls from {before:.3f} to {after:.3f}, a total cannot")


def _refuse_jump(name: str, earlier: Reading, later: Reading) -> None:
    elapsed = later.wall_s - earlier.wall_s + later.suspended_s - earlier.suspended_s
    by_clock = later.clock_s - earlier.clock_s
    if abs(by_clock - elapsed) > CLOCK_STEP_S + CLOCK_SLEW * elapsed:
        raise _refuse(name, f"the clock jumped: {by_clock:.1f} s by the clock, {elapsed:.1f} s elapsed")


def refuse_implausible(record: TrainingRecord, name: str) -> None:
    """Raise DataError for a record that no run can have produced."""
    if not SHORTEST_S <= record.wall_s <= LONGEST_S:
        raise _refuse(name, f"wall_s must be above 0 and below a century, got {record.wall_s}")
    for key, amount in _amounts(record).items():
        if amount < 0:
            raise _refuse(name, f"{key} must be 0 or more, got {amount}")
        if amount > MOST:
            raise _refuse(name, f"{key} must be at most {MOST:g}, got {amount}")
    if min(record.host.vcpus, record.host.sockets) < 1:
        raise _refuse(name, f"it names {record.host.vcpus} processors in {record.host.sockets} sockets")
    shares = [gpu.utilisation for gpu in record.gpus if gpu.utilisation is not None]
    if any(not 0 <= share <= 1 for share in shares):
        raise _refuse(name, f"GPU utilisation must lie in 0..1, got {shares}")
    if any(not 0 < gpu.share <= 1 for gpu in record.gpus):
        raise _refuse(name, f"the share of a GPU must lie in 0..1, got {[gpu.share for gpu in record.gpus]}")
    if not record.readings:
        raise _refuse(name, "it holds no reading")
    for earlier, later in pairwise(record.readings):
        _refuse_falling(name, earlier, later)
        _refuse_jump(name, earlier, later)
    most = record.host.vcpus * (record.wall_s + CPU_ROUNDING_S) + CPU_ROUNDING_S
    if record.cpu_s > most:
        raise _refuse(name, f"{record.cpu_s:.1f} CPU-seconds do not fit {record.host.vcpus} processors and this time")
