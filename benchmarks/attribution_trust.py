"""Planted bad maps that are withheld, good maps that are withheld by mistake, and what the tests cost.

Six ways to plant: random, edges of the picture, shuffled, sign-flipped, of another class, of another network; each on
sets of eight pictures of digits, for two baselines of integrated gradients and for occlusion. The sums (T1) are not
looked at, so that what is found is found by the other tests.
"""

from __future__ import annotations

import numpy as np
import torch

from audit.attribution.maps import Maps
from audit.attribution.subject import Subject
from audit.attribution.trust import assess
from audit.attribution.trust_grades import Trust, read_rules
from benchmarks._figures import Result, cpu_seconds, result
from tests.attribution.maps_worlds import Make, as_method, good_methods, planted, subject

SETS, ROWS = 12, 8


def main() -> Result:
    torch.set_num_threads(1)
    bad: list[bool] = []
    good: list[bool] = []
    for k in range(SETS):
        about = subject(slice(ROWS * k, ROWS * k + ROWS))
        for make in good_methods(about).values():
            good += [not grade.shown for grade in graded(about, make).maps]
            bad += [not grade.shown for wrong in planted(make).values() for grade in graded(about, wrong).maps]
    about = subject(slice(0, ROWS))
    method = good_methods(about)["gradients from black"]
    one = cpu_seconds(lambda: method(about))
    figures = {
        "planted maps": len(bad),
        "share of planted maps that are withheld": float(np.mean(bad)),
        "good maps": len(good),
        "share of good maps that are withheld": float(np.mean(good)),
        "T3 to T7 over one quick map of a tiny network, CPU s": cpu_seconds(lambda: graded(about, method)) / one,
    }
    targets = {"share of planted maps that are withheld": ">= 1", "share of good maps that are withheld": "<= 0.05"}
    return result("attribution_trust", figures, targets)


def graded(about: Subject, make: Make) -> Trust:
    maps = Maps(method="m", short="m", family="f", values=np.asarray(make(about), dtype=np.float32), signed=True)
    (trust,) = assess(about, [as_method(make)], [maps], read_rules(), seed=0)
    return trust
