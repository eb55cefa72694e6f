"""How often an interval holds the truth, by simulation with a fixed seed."""

from collections.abc import Callable, Iterable

import numpy as np

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.bases import evaluate


def coverage(draw: Callable[[np.random.Generator], Basis], truth: float, times: int, seed: int = 7) -> float:
    """Share of ``times`` bases whose 95 % interval holds ``truth``; draws without a value do not count."""
    rng = np.random.default_rng(seed)
    found = evaluate(list(_defined(draw, rng, times)), 0.025)
    return float(np.mean((found.lower <= truth) & (truth <= found.upper)))


def _defined(draw: Callable[[np.random.Generator], Basis], rng: np.random.Generator, times: int) -> Iterable[Basis]:
    for _ in range(times):
        try:
            yield draw(rng)
        except Unavailable:
            continue
