"""What does not hold in another tracker's file. Each test is one function: a flag, or None.

The tests come from the trackers' own defaults and known faults: a default country without a network, memory billed by
guess, a rating in the place of a counter, a counter read twice or wrapped around, units a thousand apart.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from audit.energy.hardware import Cpu, accelerator, cpu
from audit.energy.intensity import intensity
from audit.energy.trackers.log import Flag, TrackerLog
from audit.errors import SpecError

RAM_SHARE = 0.4
POWER_MISMATCH = 30.0  # a run that ends idle differs less; a unit differs a thousand times
SERVER_EXCESS, DESKTOP_EXCESS = 1.3, 2.8  # of the rating: server parts hold it, a desktop part turbos to 2.5 times
THREAD_W, LEAST_RUN_W, GPU_W, LEAST_GPU_W = 30.0, 0.05, 1500.0, 5.0
WRAPPED_SHARE, LONG_RUN_S = 0.2, 600.0
# The largest of five tools' figures for one country is up to 2.05 times the smallest, in 95 % of countries.
TABLES_DIFFER = 2.1
LEAST_GRAMS, MOST_GRAMS = 3.0, 1500.0
UNITS = (1e-6, 1e-3, 1 / 3600, 3600.0, 1e3, 1e6, 3.6e6, 1 / 3.6e6)
QUEBEC = (46.8, -71.2)  # where codecarbon believes to be when no network answers
WORLD_GRAMS = (294.21, 445.0, 475.0)  # where carbontracker believes to be
PARTS_TOLERANCE, READING_TOLERANCE = 0.01, 0.003
NO_REMEDY = "record the training with audit.track, or declare its energy with declared_kwh"
GIVE_REGION = "give [training] region: carbon is then taken from this audit's own table"


def near(value: float, wanted: float, tolerance: float) -> bool:
    return abs(value / wanted - 1) <= tolerance


def _is_unit(ratio: float) -> bool:
    return any(near(ratio, unit, 0.02) for unit in UNITS)


def total_is_the_sum(log: TrackerLog) -> Flag | None:
    parts = sum(part or 0.0 for part in (log.cpu_kwh, log.gpu_kwh, log.ram_kwh))
    if log.kwh <= 0 or parts <= 0:
        return Flag(name="no_energy", severity="withhold", words="the file holds no energy at all", remedy=NO_REMEDY)
    ratio = log.kwh / parts
    if near(ratio, 1.0, PARTS_TOLERANCE):
        return None
    words = f"the total, {log.kwh:.4g} kWh, is {ratio:.4g} times the sum of its parts, {parts:.4g} kWh"
    return Flag(name="unit" if _is_unit(ratio) else "sum", severity="withhold", words=words, remedy=NO_REMEDY)


def unit_of_energy(log: TrackerLog) -> Flag | None:
    """Energy over time against the power that the file states beside it."""
    stated = sum(part or 0.0 for part in (log.cpu_w, log.gpu_w, log.ram_w))
    if log.mean_w < LEAST_RUN_W:
        words = f"a mean power of {log.mean_w:.2g} W is less than any computer draws"
    elif stated and not 1 / POWER_MISMATCH < log.mean_w / stated < POWER_MISMATCH:
        words = f"energy over time is {log.mean_w:.3g} W, the power beside it {stated:.3g} W"
    else:
        return None
    return Flag(name="unit", severity="withhold", words=f"{words}: the units differ", remedy=NO_REMEDY)


def _sockets(log: TrackerLog, part: Cpu) -> int:
    return max(1, ceil((log.threads or part.threads) / part.threads))


def power_of_cpu(log: TrackerLog) -> Flag | None:
    """Counters read twice (mirrored dies, package and platform) or in the wrong unit show more than the part draws."""
    mean, part = log.cpu_mean_w, cpu(log.cpu)
    if not mean:
        return None
    if part is None:
        most = THREAD_W * log.threads if log.threads else 0.0
        if not most or mean <= most:
            return None
        words = f"the CPU draws {mean:.3g} W, {mean / (log.threads or 1):.3g} W a thread"
        return Flag(name="unit", severity="withhold", words=words, remedy=NO_REMEDY)
    rated = part.tdp_w * _sockets(log, part)
    allowed = SERVER_EXCESS if ("EPYC" in part.name or "Xeon" in part.name) else DESKTOP_EXCESS
    if mean <= allowed * rated:
        return None
    words = f"the CPU draws {mean:.4g} W, {mean / rated:.3g} times its rating of {rated:g} W"
    if mean > 20 * rated:
        return Flag(name="unit", severity="withhold", words=words, remedy=NO_REMEDY)
    words += ": its counters were read more than once (mirrored dies, or package and platform)"
    return Flag(name="double_counting", severity="grade", words=words, remedy=NO_REMEDY)


def power_of_gpu(log: TrackerLog) -> Flag | None:
    if not log.gpus or log.gpu_kwh is None:
        return None
    each = (log.gpu_mean_w or 0.0) / log.gpus
    if each < LEAST_GPU_W:
        words = f"{log.gpus} GPU listed ({log.gpu or 'not named'}), and they draw {each:.3g} W each"
        return Flag(name="gpu_idle", severity="withhold", words=f"{words}: their energy is missing", remedy=NO_REMEDY)
    board = accelerator(log.gpu.partition(" x ")[2] or log.gpu)
    most = 1.3 * board.board_w if board else GPU_W
    if each <= most:
        return None
    words = f"the GPUs draw {each:.4g} W each, more than {most:.4g} W"
    name = "double_counting" if each < 3 * most else "unit"
    return Flag(name=name, severity="withhold", words=words, remedy=NO_REMEDY)


def memory_by_guess(log: TrackerLog) -> Flag | None:
    if log.tool != "codecarbon" or not log.ram_kwh or log.ram_kwh <= RAM_SHARE * log.kwh:
        return None
    words = f"memory is {log.ram_kwh / log.kwh:.0%} of the energy, and codecarbon bills it by its size, unmeasured"
    return Flag(name="ram_dominated", severity="grade", words=words, remedy=NO_REMEDY)


def short_run(log: TrackerLog) -> Flag | None:
    if log.interval_s is None or log.seconds >= 2 * log.interval_s:
        return None
    words = f"{log.seconds:.3g} s is less than two intervals of {log.interval_s:.3g} s between readings"
    return Flag(
        name="short_run", severity="grade", words=words, remedy="record a longer run, or audit.track's counters"
    )


def _ratings(log: TrackerLog) -> list[float]:
    """Ratings that a tracker may have fallen back to: the part's own, its default, four watts a thread."""
    part = cpu(log.cpu)
    own = [part.tdp_w, part.tdp_w * _sockets(log, part)] if part else []
    return [*own, 85.0, *([4.0 * log.threads] if log.threads else [])]


def rating_as_reading(log: TrackerLog) -> Flag | None:
    """A power that never moves and is a round number is a rating, whatever the file calls it."""
    readings = log.cpu_w_each or ((log.cpu_w,) if log.cpu_w and log.cpu_mean_w else ())
    if not readings or not all(readings):
        return None
    last = readings[-1]
    steady = all(near(each, last, 1e-6) for each in readings[:-1])
    if log.cpu_mean_w is not None and not near(log.cpu_mean_w, last, 0.02):
        return None
    if not steady or abs(2 * last - round(2 * last)) > 1e-6:
        return None
    words = f"the CPU draws {last:g} W, unchanged and round: a rating, not a reading"
    return Flag(name="constant_tdp", severity="grade", words=words, remedy=NO_REMEDY)


def load_as_reading(log: TrackerLog) -> Flag | None:
    """The power is the rating on a curve of the load: cubic or linear, codecarbon's fallbacks."""
    power, load = log.cpu_w, log.cpu_load
    if not power or not load:
        return None
    for rating in _ratings(log):
        for curve, share in (("cubic", 0.1 + 0.9 * load**3), ("linear", load)):
            if near(power, rating * share, READING_TOLERANCE):
                words = f"the CPU's {power:.4g} W are {rating:g} W on a {curve} curve of the load {load:.0%}"
                return Flag(name="fallback_curve", severity="grade", words=f"{words}: no counter", remedy=NO_REMEDY)
    return None


def counter_wrapped(log: TrackerLog) -> Flag | None:
    if log.tool == "zeus" and log.cpu_kwh is None:
        words = "the file holds GPUs alone: the energy of the CPU is not in it"
        return Flag(name="cpu_missing", severity="grade", words=words, remedy="record the CPU too, with audit.track")
    if not log.cpu_kwh:
        words = "no energy of the CPU, although a program ran"
        return Flag(name="cpu_missing", severity="grade", words=words, remedy=NO_REMEDY)
    if not log.cpu_w or log.seconds < LONG_RUN_S or (log.cpu_mean_w or 0.0) >= WRAPPED_SHARE * log.cpu_w:
        return None
    words = f"the CPU's energy stands for {log.cpu_mean_w:.3g} W, its power is {log.cpu_w:.3g} W: a counter wrapped"
    return Flag(name="counter_wrap", severity="withhold", words=words, remedy=NO_REMEDY)


def counted_twice(log: TrackerLog) -> Flag | None:
    if not log.overlapping:
        return None
    words = "windows overlap in time, so that their sum counts energy twice"
    return Flag(
        name="double_counting", severity="withhold", words=words, remedy="give one window of the whole training"
    )


def default_country(log: TrackerLog) -> Flag | None:
    at_quebec = (log.latitude, log.longitude) == QUEBEC
    unplaced = log.latitude is None and log.region.casefold() == "quebec"
    if log.tool == "codecarbon" and (at_quebec or unplaced):
        words = "the place is codecarbon's default, Quebec, which it takes when no network answers"
        return Flag(name="default_country", severity="note", words=words, remedy=GIVE_REGION)
    grams = _grams(log)
    if log.tool == "carbontracker" and grams and any(near(grams, world, 1e-4) for world in WORLD_GRAMS):
        words = f"{grams:g} g/kWh is carbontracker's default, not that of a place"
        return Flag(name="default_country", severity="note", words=words, remedy=GIVE_REGION)
    return None


def _grams(log: TrackerLog) -> float | None:
    return log.kgco2e * 1000 / log.kwh if log.kgco2e and log.kwh > 0 else None


def emissions_of_energy(log: TrackerLog) -> Flag | None:
    """Emissions over energy against the table, with room for what tables differ by."""
    grams = _grams(log)
    if grams is None:
        return None
    words = f"emissions over energy are {grams:.4g} g/kWh"
    if not log.country or log.country == "None":
        return Flag(name="no_country", severity="note", words=f"{words}, of no country", remedy=GIVE_REGION)
    if LEAST_GRAMS <= grams <= MOST_GRAMS:
        expected = _table_grams(log)
        if expected is None or 1 / TABLES_DIFFER <= grams / expected <= TABLES_DIFFER:
            return None
        words += f"; {log.country} has {expected:g} g/kWh"
    return Flag(name="emissions_mismatch", severity="note", words=words, remedy=GIVE_REGION)


def _table_grams(log: TrackerLog) -> float | None:
    """None for a region within a country, which may be far from the country's mean, and for an unknown name."""
    if log.region:
        return None
    try:
        return intensity(log.country).g_per_kwh
    except SpecError:
        return None


TESTS: tuple[Callable[[TrackerLog], Flag | None], ...] = (
    total_is_the_sum,
    unit_of_energy,
    power_of_cpu,
    power_of_gpu,
    memory_by_guess,
    short_run,
    rating_as_reading,
    load_as_reading,
    counter_wrapped,
    counted_twice,
    default_country,
    emissions_of_energy,
)


def examine(log: TrackerLog) -> tuple[Flag, ...]:
    """Every flag of a file, in the order of the tests."""
    return tuple(flag for test in TESTS if (flag := test(log)) is not None)
