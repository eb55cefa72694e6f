"""Timing on a busy machine: how often one program is called slower than itself, and how often 8 % more work is seen.

Twice as many processes as processors compute for nothing meanwhile, and are ended afterwards. Both callers are timed in
turns, as a variant is beside its model, and compared by ``relative_cpu_time``: an alarm is an interval (95 %) wholly
above 1.02, which is how a limit of ``max = 1.02`` would fail. Beside it stands what a stopwatch shows: the mean of the
same calls by the clock, one caller after the other, with an alarm above 1.02.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from audit.compute.latency import held_to, median_of, timed
from audit.stats import interval
from benchmarks._figures import Result, result

MOST, SECONDS, BOUND = 40, 0.1, 1.02
MOST_S = 20.0  # of each kind of comparison: the load makes all of it several times slower
STEPS, MORE = 50, 54  # 8 % more products of matrices
TARGETS = {
    "share of A/A comparisons with an alarm": "<= 0.05",
    "share of 8 % slow-downs found": ">= 0.95",
}
Call = Callable[[], object]


def main() -> Result:
    with busy():
        time.sleep(1.0)
        load = os.getloadavg()[0]
        same, slower = (compared(steps) for steps in (STEPS, MORE))
        watched = [stopwatch(work(STEPS), work(STEPS)) for _ in range(MOST)]
    figures = {
        "share of A/A comparisons with an alarm": float(np.mean([lower > BOUND for lower, _ in same])),
        "share of 8 % slow-downs found": float(np.mean([lower > BOUND for lower, _ in slower])),
        "comparisons of each kind, fewest": float(min(len(same), len(slower))),
        "median width of an interval": float(np.median([upper - lower for lower, upper in same])),
        "share of A/A alarms of a stopwatch": float(np.mean([found > BOUND for found in watched])),
        "processes that wanted a processor before": load,
    }
    return result("efficiency_latency", figures, TARGETS)


@contextmanager
def busy() -> Iterator[None]:
    """Other work for every processor, twice."""
    idle = [sys.executable, "-c", "while True: sum(range(10000))"]
    others = [subprocess.Popen(idle) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def compared(steps: int) -> list[tuple[float, float]]:
    """As many comparisons as the time allows."""
    end, found = time.monotonic() + MOST_S, list[tuple[float, float]]()
    while len(found) < MOST and time.monotonic() < end:
        found.append(ratio(work(steps), work(STEPS)))
    return found


def work(steps: int) -> Call:
    """Some products of small matrices; each caller has its own."""
    matrix = np.random.default_rng(0).normal(size=(48, 48)) / 7

    def call() -> object:
        made = matrix
        for _ in range(steps):
            made = matrix @ made
        return made

    return call


def ratio(one: Call, other: Call) -> tuple[float, float]:
    """Bounds of the ratio of processor times, block by block."""
    mine, theirs = timed([one, other], SECONDS)
    found = interval(median_of(mine.quantile(0.5, cpu=True) / theirs.quantile(0.5, cpu=True)), 0.95)
    return found.lower, found.upper


def stopwatch(one: Call, other: Call) -> float:
    """Mean seconds by the clock of one caller, then of the other."""
    with held_to(1):
        taken = []
        for call in (one, other):
            begun, calls = time.perf_counter(), 0
            while time.perf_counter() - begun < SECONDS / 2:
                call()
                calls += 1
            taken.append((time.perf_counter() - begun) / calls)
    return taken[0] / taken[1]
