"""From the chips of a machine to its wall socket: ``E_wall = s E_chip + P_rest T``.

``P_rest`` is what board, fans, disks and an idle supply draw. It differs from host to host, so the range for a host
that nobody has measured is a wide prior. Where it has been measured once, what is left is the error of the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.energy.estimate import J_PER_KWH, SEED, EnergyEstimate
from audit.energy.ranges import LEVEL, Range, Term, combined, total
from audit.errors import DataError

# s and P_rest over 318 wall-metered runs of one desktop (Fischer 2025). The range of P_rest spans other machines too:
# a workstation's wall minus its RAPL is 76 to 159 W.
SLOPE, SLOPE_RANGE = 1.17, Range(lower=1 - 1.645 * 0.06 / 1.17, upper=1 + 1.645 * 0.06 / 1.17)
REST_W, REST_RANGE = 43.0, Range(lower=10 / 43, upper=110 / 43)
LAPTOP_REST_W, LAPTOP_REST_RANGE = 8.0, Range(lower=3 / 8, upper=20 / 8)
# Where P_rest is known: fitted to 112 of those runs (14 vision networks, CPU and GPU, P_rest 49.7 W). Fitted on seven
# of the networks it holds 93 % of the runs of the other seven (mean of 300 splits; the meter reads in steps of 1 Wh,
# which is half of this range). It is one host: fitted on its GPU runs alone it holds 66 % of its CPU runs.
KNOWN_REST_ERROR = Range(lower=0.908, upper=1.105)
WALL_SOURCE = "Fischer 2025, arXiv 2509.22092: wall-metered runs on one host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Power beyond the chips of one host, fitted to runs with a meter, and the range of what that leaves open."""

    rest_w: float
    error: Range


def predicted_j(chip_j: float, seconds: float, rest_w: float) -> float:
    """Joules at the wall of a run."""
    return SLOPE * chip_j + rest_w * seconds


def fit_wall(chip_j: Sequence[float], wall_j: Sequence[float], seconds: Sequence[float]) -> Wall:
    """``P_rest`` as the median over runs with a meter, and the 90 % range of measured over predicted.

    The range is taken from order statistics that hold the next run at 90 % (split conformal). Raises DataError for
    fewer than 20 runs, or for runs that draw less at the wall than on the chips.
    """
    chip, wall, time = (np.asarray(values, dtype=np.float64) for values in (chip_j, wall_j, seconds))
    if len(chip) < 20:
        raise DataError(f"a range at 90 % needs at least 20 runs with a meter, got {len(chip)}")
    rest_w = float(np.median((wall - SLOPE * chip) / time))
    if rest_w <= 0:
        raise DataError(f"the wall shows less than {SLOPE} times the chips: the rest would draw {rest_w:.1f} W")
    ratios = np.sort(wall / (SLOPE * chip + rest_w * time))
    skip = int((len(ratios) + 1) * (1 - LEVEL) / 2) - 1
    lower, upper = float(ratios[max(0, skip)]), float(ratios[len(ratios) - 1 - max(0, skip)])
    return Wall(rest_w=rest_w, error=Range(lower=min(lower, 1.0), upper=max(upper, 1.0)))


def at_the_wall(
    chip: EnergyEstimate, wall_s: float, *, laptop: bool = False, rest_w: float | None = None
) -> EnergyEstimate:
    """From chips to the wall of one machine; ``rest_w`` where its power beyond the chips was measured."""
    if rest_w is not None:
        return _of_known_host(chip, wall_s, rest_w)
    watts, around = (LAPTOP_REST_W, LAPTOP_REST_RANGE) if laptop else (REST_W, REST_RANGE)
    terms = (
        Term(value=SLOPE * chip.value_kwh, range=combined([chip.range, SLOPE_RANGE])),
        Term(value=watts * wall_s / J_PER_KWH, range=around),
    )
    value, lower, upper = total(terms, np.random.default_rng(SEED))
    words = f"rest of the machine {watts:g} W ({watts * around.lower:.0f} to {watts * around.upper:.0f} W)"
    return _at_system(chip, (value, lower, upper), words)


def _of_known_host(chip: EnergyEstimate, wall_s: float, rest_w: float) -> EnergyEstimate:
    value = predicted_j(chip.value_kwh * J_PER_KWH, wall_s, rest_w) / J_PER_KWH
    chips_share = SLOPE * chip.value_kwh / value
    lower = 1 - chips_share * (1 - chip.range.lower)
    upper = 1 + chips_share * (chip.range.upper - 1)
    around = combined([Range(lower=lower, upper=upper), KNOWN_REST_ERROR])
    words = f"rest of the machine {rest_w:g} W, as measured on it"
    return _at_system(chip, (value, value * around.lower, value * around.upper), words)


def _at_system(chip: EnergyEstimate, figures: tuple[float, float, float], words: str) -> EnergyEstimate:
    return replace(
        chip,
        value_kwh=figures[0],
        lower_kwh=figures[1],
        upper_kwh=figures[2],
        boundary="system",
        method=f"{SLOPE} x ({chip.method}) + rest power x time",
        assumptions=(*chip.assumptions, f"one machine, and nothing else on it; {words}"),
        sources=(*chip.sources, WALL_SOURCE),
    )
