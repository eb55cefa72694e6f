"""Evidence of trainings for the checks of energy."""

from __future__ import annotations

from typing import Any

import numpy as np

from audit.energy.claims import Claim
from audit.energy.trackers.reading import read_log
from audit.energy.training import Sources, Told, TrainingEvidence, gather
from audit.energy.work import Work
from tests.energy.corpus import DEFECTS, as_csv, honest

A100 = "NVIDIA A100-SXM4-80GB"
WORK = Work(flops=1e18, parameters=25_000_000, batch=256, precision="bf16", assumptions=("validation not counted",))


def told(**changed: Any) -> Told:
    return Told(**({"hardware": A100, "hours": 2.0, "precision": "bf16"} | changed))


def by_work(**changed: Any) -> TrainingEvidence:
    """A network of known work on a known accelerator, nothing recorded."""
    return gather(Sources(told=told(**changed), rows_seen=1e6, count_work=lambda rows: WORK))


def claimed(kwh: float, **changed: Any) -> TrainingEvidence:
    return by_work(claim=Claim(kwh=kwh, boundary="system"), **changed)


def logged(defect: str | None = None, seed: int = 3, **changed: Any) -> TrainingEvidence:
    """A codecarbon file, honest or with one defect."""
    rng = np.random.default_rng(seed)
    row = honest(rng)
    if defect:
        DEFECTS[defect].plant(row, rng)
    return gather(Sources(told=Told(**changed), log=read_log(as_csv(row), "emissions.csv")))
