"""Do the 90 % ranges at the wall hold what a meter shows, for networks that they were not fitted to?

    python -m benchmarks energy_ranges

Runs with a wall meter beside a tracker's joules (Fischer 2025, "Ground-Truthing AI Energy Consumption", arXiv
2509.22092) lie beside the repository, in ../shared/data/wall-meter-runs.csv, and are no part of it. The rest power and
its range are fitted to half of the networks and held against the other half, over many seeded splits. It is one host:
the range for a host that nobody has measured is a prior, far wider, and is shown beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.energy.estimate import J_PER_KWH, EnergyEstimate
from audit.energy.wall import KNOWN_REST_ERROR, Wall, at_the_wall, fit_wall, predicted_j
from benchmarks._figures import Result, result

TABLE = Path(__file__).parents[2] / "shared" / "data" / "wall-meter-runs.csv"
SPLITS, SEED = 300, 20261122
TARGETS = {
    "table_found": ">= 1",
    "coverage_held_out": ">= 0.87",
    "over_coverage_held_out": "<= 0.95",
    "coverage_of_the_shipped_range": ">= 0.87",
    "over_coverage_of_the_shipped_range": "<= 0.95",
    "width_held_out": "<= 1.6",
    "error_held_out": "<= 0.06",
}


@dataclass(frozen=True, slots=True)
class Run:
    device: str
    model: str
    seconds: float
    chip_j: float
    wall_j: float


def runs() -> list[Run]:
    with TABLE.open(encoding="utf-8") as file:
        return [
            Run(
                row["device"],
                row["model"],
                float(row["seconds"]),
                float(row["codecarbon_joules"]),
                float(row["wall_joules"]),
            )
            for row in csv.DictReader(file)
        ]


def fitted(some: Sequence[Run]) -> Wall:
    return fit_wall([r.chip_j for r in some], [r.wall_j for r in some], [r.seconds for r in some])


def ratios(some: Sequence[Run], rest_w: float) -> np.ndarray:
    """Measured over predicted joules."""
    return np.array([run.wall_j / predicted_j(run.chip_j, run.seconds, rest_w) for run in some])


def share_within(values: np.ndarray, lower: float, upper: float) -> float:
    return float(np.mean((values >= lower) & (values <= upper)))


def held_out(all_runs: Sequence[Run]) -> dict[str, float]:
    """Means over splits by network: coverage of the fitted and of the shipped range, width and error."""
    rng, names = np.random.default_rng(SEED), sorted({run.model for run in all_runs})
    rows = []
    for _ in range(SPLITS):
        fit_on = set(rng.permutation(names)[: len(names) // 2])
        wall = fitted([run for run in all_runs if run.model in fit_on])
        values = ratios([run for run in all_runs if run.model not in fit_on], wall.rest_w)
        rows.append(
            (
                share_within(values, wall.error.lower, wall.error.upper),
                share_within(values, KNOWN_REST_ERROR.lower, KNOWN_REST_ERROR.upper),
                wall.error.upper / wall.error.lower,
                float(np.mean(np.abs(1 / values - 1))),
            )
        )
    fit, shipped, width, error = np.mean(rows, axis=0).tolist()
    return {
        "coverage_held_out": fit,
        "over_coverage_held_out": fit,
        "coverage_of_the_shipped_range": shipped,
        "over_coverage_of_the_shipped_range": shipped,
        "width_held_out": width,
        "error_held_out": error,
    }


def across_devices(all_runs: Sequence[Run]) -> dict[str, float]:
    """Fitted on the runs of one device, held against those of the other: what one host cannot teach."""
    found = {}
    for device in ("cpu", "gpu"):
        wall = fitted([run for run in all_runs if run.device != device])
        values = ratios([run for run in all_runs if run.device == device], wall.rest_w)
        found[f"coverage_{device}_from_the_other"] = share_within(values, wall.error.lower, wall.error.upper)
    return found


def _of_unknown_host(run: Run) -> bool:
    kwh = run.chip_j / J_PER_KWH
    chip = EnergyEstimate(
        value_kwh=kwh,
        lower_kwh=kwh,
        upper_kwh=kwh,
        rung="counter",
        boundary="chip",
        method="as the tracker reads",
        assumptions=(),
        sources=("arXiv 2509.22092",),
    )
    wall = at_the_wall(chip, run.seconds)
    return wall.lower_kwh <= run.wall_j / J_PER_KWH <= wall.upper_kwh


def main() -> Result:
    if not TABLE.exists():
        print(f"{TABLE.name} is not beside the repository (../shared/data): nothing to hold the ranges against")
        return result("energy_ranges", {"table_found": 0.0}, TARGETS)
    all_runs = runs()
    whole = fitted(all_runs)
    figures = {"table_found": 1.0, "runs": float(len(all_runs)), **held_out(all_runs), **across_devices(all_runs)}
    figures["prior_coverage_of_this_host"] = float(np.mean([_of_unknown_host(run) for run in all_runs]))
    figures |= {"rest_w": whole.rest_w, "range_lower": whole.error.lower, "range_upper": whole.error.upper}
    return result("energy_ranges", figures, TARGETS)
