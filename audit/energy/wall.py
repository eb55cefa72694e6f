"""From the chips of a machine to its wall socket: ``E_wall = s E_chip + P_rest T``.

``P_rest`` is what board, fans, disks and an idle supply draw. It differs from host to host. For a desktop that nobody
has measured its range is fitted to runs with a meter on one; for other machines it is a wide prior. Where it has been
measured once, what is left is the error of the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.energy.estimate import J_PER_KWH, SEED, EnergyEstimate
from audit.energy.ranges import EXACT, LEVEL, Range, Term, combined, total
from audit.errors import DataError

Machine = Literal["desktop", "laptop", "other"]
SLOPE, SLOPE_RANGE = 1.17, Range(lower=1 - 1.645 * 0.06 / 1.17, upper=1 + 1.645 * 0.06 / 1.17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Power beyond the chips in watts, its range, and that of the slope where the first does not hold it already."""

    watts: float
    range: Range
    slope: Range = SLOPE_RANGE


# A desktop: fitted to 112 runs of one with a meter (14 vision networks, CPU and GPU), order statistics at 90 %. Fitted
# to seven of the networks it holds 93 % of the runs of the other seven (mean of 300 splits). It is one desktop.
# Others: s and P_rest over 318 runs of that desktop as the middle, and as the range what other machines have shown: a
# workstation's wall minus its RAPL is 76 to 159 W. No meter stood beside a laptop or a server.
RESTS: Mapping[Machine, Rest] = MappingProxyType(
    {
        "desktop": Rest(watts=50.0, range=Range(lower=23 / 50, upper=83 / 50), slope=EXACT),
        "laptop": Rest(watts=8.0, range=Range(lower=3 / 8, upper=20 / 8)),
        "other": Rest(watts=43.0, range=Range(lower=10 / 43, upper=159 / 43)),
    }
)
DESKTOP_PARTS = ("Intel(R) Core(TM)", "AMD Ryzen ")  # in the name; a Threadripper is a workstation's part
MOBILE_PART = re.compile(r"[0-9](U|Y|P|H|HQ|HK|HS|HX|G[1-7])\b")
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


def machine_of(cpu: str, *, battery: bool = False, sockets: int = 1) -> Machine:
    """What kind of machine a processor of this name stands in; "other" unless it surely is a desktop or a laptop."""
    if battery:
        return "laptop"
    desktop = any(part in cpu for part in DESKTOP_PARTS) and "Threadripper" not in cpu
    return "desktop" if desktop and sockets == 1 and not MOBILE_PART.search(cpu) else "other"


def predicted_j(chip_j: float, seconds: float, rest_w: float) -> float:
    """Joules at the wall of a run."""
    return SLOPE * chip_j + rest_w * seconds


def _middle_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """The two order statistics that hold the next value at 90 % (split conformal)."""
    ordered, skip = np.sort(values), max(0, int((len(values) + 1) * (1 - LEVEL) / 2) - 1)
    return float(ordered[skip]), float(ordered[len(ordered) - 1 - skip])


def fit_rest(chip_j: Sequence[float], wall_j: Sequence[float], seconds: Sequence[float]) -> Rest:
    """The power beyond the chips of machines like those that were metered: its median and its 90 % range.

    Raises DataError for fewer than 20 runs, or where the wall shows less than the chips.
    """
    watts = _rests(chip_j, wall_j, seconds)
    middle, (lower, upper) = float(np.median(watts)), _middle_of(watts)
    if lower <= 0:
        raise DataError(f"the wall shows less than {SLOPE} times the chips: the rest would draw {lower:.1f} W")
    return Rest(watts=middle, range=Range(lower=lower / middle, upper=upper / middle), slope=EXACT)


def _rests(chip_j: Sequence[float], wall_j: Sequence[float], seconds: Sequence[float]) -> NDArray[np.float64]:
    chip, wall, time = (np.asarray(values, dtype=np.float64) for values in (chip_j, wall_j, seconds))
    if len(chip) < 20:
        raise DataError(f"a range at 90 % needs at least 20 runs with a meter, got {len(chip)}")
    return np.asarray((wall - SLOPE * chip) / time)


def fit_wall(chip_j: Sequence[float], wall_j: Sequence[float], seconds: Sequence[float]) -> Wall:
    """``P_rest`` as the median over runs with a meter, and the 90 % range of measured over predicted.

    The range is taken from order statistics that hold the next run at 90 % (split conformal). Raises DataError for
    fewer than 20 runs, or for runs that draw less at the wall than on the chips.
    """
    chip, wall, time = (np.asarray(values, dtype=np.float64) for values in (chip_j, wall_j, seconds))
    rest_w = float(np.median(_rests(chip_j, wall_j, seconds)))
    if rest_w <= 0:
        raise DataError(f"the wall shows less than {SLOPE} times the chips: the rest would draw {rest_w:.1f} W")
    lower, upper = _middle_of(wall / (SLOPE * chip + rest_w * time))
    return Wall(rest_w=rest_w, error=Range(lower=min(lower, 1.0), upper=max(upper, 1.0)))


def at_the_wall(
    chip: EnergyEstimate, wall_s: float, *, rest: Rest = RESTS["other"], rest_w: float | None = None
) -> EnergyEstimate:
    """From chips to the wall of one machine; ``rest_w`` where its power beyond the chips was measured."""
    if rest_w is not None:
        return _of_known_host(chip, wall_s, rest_w)
    terms = (
        Term(value=SLOPE * chip.value_kwh, range=combined([chip.range, rest.slope])),
        Term(value=rest.watts * wall_s / J_PER_KWH, range=rest.range),
    )
    value, lower, upper = total(terms, np.random.default_rng(SEED))
    bounds = f"{rest.watts * rest.range.lower:.0f} to {rest.watts * rest.range.upper:.0f} W"
    return _at_system(chip, (value, lower, upper), f"rest of the machine {rest.watts:g} W ({bounds})")


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
