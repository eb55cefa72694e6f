"""Intervals of values over several labels cover, though the labels of a row go together."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audit.checks.performance.averages import macro
from audit.checks.performance.label_sets import cells
from audit.inputs.each_class import EachClass, OneClass
from audit.inputs.multilabel import Multilabel
from audit.inputs.sampling import Sampling
from audit.stats import clustered_rate, f1_from_jaccard, interval

LABELS = ("a", "b", "c", "d", "e")
PLAIN = Sampling(weight=None, cluster=None)
MANY = 400_000


def drawn(rng: np.random.Generator, n: int, together: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Truth and decision of five labels, which share a part of what makes them hold and of what makes them wrong."""
    shared, wrong = rng.normal(size=(n, 1)), rng.normal(size=(n, 1))
    latent = together * shared + (1 - together**2) ** 0.5 * rng.normal(size=(n, 5))
    error = together * wrong + (1 - together**2) ** 0.5 * rng.normal(size=(n, 5))
    cut = np.array([-0.2, 0.1, 0.4, 0.7, 1.0])
    return latent > cut, latent + 0.7 * error > cut


def values(truth: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> dict[str, Any]:
    """What the checks form, as bases."""
    n = len(truth)
    found = Multilabel(rows=np.arange(n), labels=LABELS, truth=truth, chosen=chosen, known=np.ones_like(truth), n=n)
    made = {}
    for name, (success, among, _) in cells(found, np.arange(n)).items():
        basis = clustered_rate(success[among], np.nonzero(among)[0])
        made[name] = f1_from_jaccard(basis) if name == "micro_f1" else basis
    every = tuple(
        OneClass(
            name=name, label=truth[:, k].astype(np.int32), decision=chosen[:, k].astype(np.int32), code=1, score=None
        )
        for k, name in enumerate(LABELS)
    )
    each = EachClass(task="multilabel", every=every, rows=np.arange(n))
    return made | {name: macro(name, each, np.arange(n), PLAIN) for name in ("macro_f1", "macro_recall")}


@cache
def true_values(together: float) -> dict[str, float]:
    found = values(*drawn(np.random.default_rng(0), MANY, together))
    return {
        name: (bounds.lower + bounds.upper) / 2 for name, basis in found.items() for bounds in [interval(basis, 0.1)]
    }


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 200])
@pytest.mark.parametrize("together", [0.0, 0.8])
def test_intervals_over_labels_cover_the_truth(n: int, together: float) -> None:
    rng, runs = np.random.default_rng(n), 1000
    covered = dict.fromkeys(true_values(together), 0)
    for _ in range(runs):
        for name, basis in values(*drawn(rng, n, together)).items():
            bounds = interval(basis, 0.95)
            covered[name] += bounds.lower <= true_values(together)[name] <= bounds.upper
    assert {name: k / runs for name, k in covered.items() if not 0.92 <= k / runs <= 0.98} == {}


def test_taking_the_labels_of_a_row_as_independent_would_not_cover() -> None:
    """Why each row is a cluster: where rows are wrong as a whole, five labels tell no more than one."""
    rng, runs, alone, clustered = np.random.default_rng(1), 300, 0, 0
    for _ in range(runs):
        wrong = np.repeat(rng.random(100) < 0.3, 5)
        for one, unit in (("alone", np.arange(500)), ("clustered", np.arange(500) // 5)):
            bounds = interval(clustered_rate(wrong, unit), 0.95)
            hit = bounds.lower <= 0.3 <= bounds.upper
            alone, clustered = alone + (hit and one == "alone"), clustered + (hit and one == "clustered")
    assert alone / runs < 0.75
    assert 0.92 <= clustered / runs <= 0.98
