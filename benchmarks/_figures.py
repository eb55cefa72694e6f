"""What benchmarks share: figures against targets, CPU seconds, peak memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import TypedDict


class Result(TypedDict):
    """``targets`` says per figure what it must be, such as "<= 0.1" or ">= 0.94"."""

    name: str
    figures: dict[str, float]
    targets: dict[str, str]
    met: bool


def result(name: str, figures: Mapping[str, float], targets: Mapping[str, str]) -> Result:
    """Hold the figures against their targets and print both."""
    print(f"\n{name}")
    met = True
    for key, figure in figures.items():
        target = targets.get(key, "")
        fine = not target or holds(figure, target)
        met &= fine
        print(f"  {key:<52} {figure:>14.6g}  {target:<10} {'' if fine else 'MISSED'}".rstrip())
    rounded = {key: float(f"{figure:.6g}") for key, figure in figures.items()}
    return Result(name=name, figures=rounded, targets=dict(targets), met=met)


def holds(figure: float, target: str) -> bool:
    """Whether a figure meets a target of the form "<= number" or ">= number"."""
    sign, bound = target.split()
    return figure <= float(bound) if sign == "<=" else figure >= float(bound)


def cpu_seconds(work: Callable[[], object], times: int = 3) -> float:
    """The least CPU time of several runs, all threads together."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def peak_mb(work: Callable[[], object]) -> float:
    """Peak memory that the work allocates beyond what was there, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
