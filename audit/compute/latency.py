"""How long one call takes, on a machine that does other things as well.

Calls are timed in blocks and each quantile is taken within a block; the figure is the median over the blocks, which a
burst of other work in a few of them does not move. Beside the clock on the wall runs that of the calling thread's
processor time. Several callers are timed in turns (A B A B), so that what slows the machine slows them alike, and are
compared block by block. The garbage collector is off meanwhile, and libraries are held to one thread or to as many as
are asked for.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import assumption_range, interval, normal, value
from audit.stats.arrays import normal_quantile

BLOCKS = 20
FEWEST_BLOCKS = 15
CALLS = 200  # a block at least, where the budget allows
WARM_S = 0.2
STEADY = 0.05  # coefficient of variation of the last calls of a warm-up
FEWEST_P99, AGREE = 10_000, 0.25  # calls in all, and how far the blocks' 99th percentiles may lie apart
CONTENDED = 1.3  # wall time over processor time
STOLEN = 0.01
MOST_OVER = 4.0  # times the budget that a slow model may take

Call = Callable[[], object]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of every call, shape (blocks, calls): by the clock, and of the thread's processor time."""

    wall: Floats
    cpu: Floats

    @property
    def calls(self) -> int:
        return int(self.wall.size)

    def quantile(self, share: float, *, cpu: bool = False) -> Floats:
        """That quantile of each block, shape (blocks,)."""
        return np.asarray(np.quantile(self.cpu if cpu else self.wall, share, axis=1))

    def settles_p99(self) -> bool:
        """Whether there are enough calls, and most blocks agree, so that a 99th percentile means something."""
        tails = self.quantile(0.99)
        apart = np.quantile(tails, 0.75) / np.quantile(tails, 0.25) - 1
        return self.calls >= FEWEST_P99 and len(tails) >= BLOCKS and bool(apart <= AGREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What else the machine did meanwhile."""

    wall_over_cpu: float  # of the calls; 1 on a machine that does nothing else
    stolen: float  # share of the machine's time that went to other guests of the same host
    load_average: float  # per processor, when the timing began

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the machine was contended; empty where it was quiet."""
        found = [
            (self.wall_over_cpu > CONTENDED, f"calls waited: {self.wall_over_cpu:.2f} s by the clock a CPU second"),
            (self.stolen > STOLEN, f"{self.stolen:.1%} of the time was stolen by other guests"),
            (self.load_average > 1, f"{self.load_average:.1f} processes wanted each processor before it began"),
        ]
        return tuple(words for is_so, words in found if is_so)


def timed(calls: Sequence[Call], seconds: float, *, threads: int = 1) -> tuple[Times, ...]:
    """The times of each of ``calls``, in turns, within about ``seconds`` in all, and never fewer than 15 blocks.

    Blocks have as many calls for every caller as its own speed allows in the same time. Unavailable where one call
    takes so long that 15 of them go far beyond the budget.
    """
    with held_to(threads), quiet():
        pace = [_warmed(call, min(WARM_S, seconds / (4 * len(calls)))) for call in calls]
        each = seconds / (BLOCKS * len(calls))
        sizes = [max(1, min(CALLS * 10, ceil(each / max(one, 1e-9)))) for one in pace]
        turn_s = sum(one * size for one, size in zip(pace, sizes, strict=True))
        blocks = max(FEWEST_BLOCKS, min(BLOCKS, int(seconds / max(turn_s, 1e-9))))
        if blocks * turn_s > MOST_OVER * seconds:
            raise Unavailable(
                "insufficient_data",
                f"{FEWEST_BLOCKS} blocks of calls that take {max(pace):.2g} s do not fit into {seconds:g} s",
                f"give [compute] seconds = {ceil(blocks * turn_s)}",
            )
        taken: list[list[tuple[Floats, Floats]]] = [[] for _ in calls]
        for turn in range(blocks):
            order = range(len(calls)) if turn % 2 == 0 else reversed(range(len(calls)))
            for i in order:  # A B, B A: neither always comes after the other
                taken[i].append(_block(calls[i], sizes[i]))
    return tuple(
        Times(wall=np.array([wall for wall, _ in each]), cpu=np.array([cpu for _, cpu in each])) for each in taken
    )


def _warmed(call: Call, seconds: float) -> float:
    """Seconds of one call, after the calls have become steady or the time is up."""
    end, recent = time.perf_counter() + seconds, list[float]()
    while time.perf_counter() < end or len(recent) < 3:
        begun = time.perf_counter()
        call()
        recent = [*recent[-19:], time.perf_counter() - begun]
        if len(recent) == 20 and np.std(recent) < STEADY * np.mean(recent):
            break
    return float(np.median(recent))


def _block(call: Call, size: int) -> tuple[Floats, Floats]:
    wall, cpu = np.empty(size), np.empty(size)
    for i in range(size):
        before, spent = time.perf_counter(), time.thread_time()
        call()
        cpu[i], wall[i] = time.thread_time() - spent, time.perf_counter() - before
    return wall, cpu


def usable_threads() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def held_to(threads: int) -> Iterator[None]:
    """Libraries compute on so many threads, and are put back afterwards. One is what a small device has."""
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(threads)
    try:
        with threadpool_limits(limits=threads):
            yield
    finally:
        if torch:
            torch.set_num_threads(before)


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage is collected meanwhile."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def load_average() -> float:
    """Processes that want each processor, over the last minute; 0 where the system does not say."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0


def median_of(blocks: Floats) -> Basis:
    """The median of positive figures of blocks, its interval from their order statistics.

    McKean & Schrader 1984 (Communications in Statistics B 13): the standard error is the width of the distribution-free
    interval of the median, over 2 z. Raises Unavailable for fewer than 6 blocks or a figure that is not above 0.
    """
    k = len(blocks)
    if k < 6 or float(blocks.min()) <= 0:
        raise Unavailable("insufficient_data", f"{k} blocks are too few, or the clock too coarse", "time it for longer")
    ordered, z = np.sort(blocks), normal_quantile(0.025)
    out = max(0, int((k + 1) / 2 - z * np.sqrt(k) / 2 + 0.5) - 1)
    se = float(ordered[k - 1 - out] - ordered[out]) / (2 * z)
    return normal(float(np.median(ordered)), se, k - 1, scale="log", n=k)


def energy_ratio(one: Times, other: Times, level: float = 0.9) -> Basis:
    """Energy of one call over that of another on one machine, without knowing what the machine draws.

    With energy ``idle x wall + busy x cpu`` the ratio of two energies is a weighted mean of ``wall / wall`` and
    ``cpu / cpu``, so it lies between them for any two powers. The range holds the intervals of both at ``level``; the
    value is the ratio of processor times. Raises Unavailable as :func:`median_of`.
    """
    bases = []
    for cpu in (True, False):
        theirs = other.quantile(0.5, cpu=cpu)
        bases.append(median_of(one.quantile(0.5, cpu=cpu) / np.where(theirs > 0, theirs, np.inf)))
    ends = [interval(basis, level) for basis in bases]
    lower, upper = min(end.lower for end in ends), max(end.upper for end in ends)
    return assumption_range(value(bases[0]), lower, upper, level)
