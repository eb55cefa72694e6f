"""False alarms and power of the two tests of reasons by group, on one known mechanism.

Five columns, two of which interact; the group is 40 % of the rows. "Null": both groups have the same inputs. "Shift":
two means move by 0.7 standard deviations and a spread grows, and the mechanism stays the same: then the raw test should
find something and the test of the mechanism should not. "Switch s": the first column counts 1 + s times as much in the
group. Shares of simulations with p <= 0.05; the standard error of a share of 5 % is 0.7 points.
"""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from benchmarks._figures import Result, result
from tests.attribution.test_disparity import rejected

TIMES, POWER_TIMES = 1000, 300
SIZES = (200, 1000)
SHIFT = 0.7
SWITCHES = ((200, 0.6, ">= 0.85"), (1000, 0.3, ">= 0.5"))
HIGHEST = "<= 0.06"


def main() -> Result:
    figures: dict[str, float] = {}
    targets: dict[str, str] = {}
    with threadpool_limits(1):
        for n in SIZES:
            raw, same = rejected(n, TIMES)
            seen, shifted = rejected(n, TIMES, shift=SHIFT)
            alarms = {
                f"n = {n}, null: false alarms of the raw test": raw,
                f"n = {n}, null: false alarms of the mechanism test": same,
                f"n = {n}, shift: false alarms of the mechanism test": shifted,
            }
            figures |= {name: float(share) for name, share in alarms.items()}
            targets |= dict.fromkeys(alarms, HIGHEST)
            figures[f"n = {n}, shift: found by the raw test, as it should"] = float(seen)
        for n, switch, least in SWITCHES:
            name = f"n = {n}, switch {switch}: power of the mechanism test"
            figures[name], targets[name] = float(rejected(n, POWER_TIMES, switch=switch)[1]), least
    return result("attribution_disparity", figures, targets)
