"""How often a predicted quantity is close enough, overall and for every group.

Why it matters: people who act on a prediction can live with some error and not with more. The share of rows within what
they can live with says more to them than any mean, and a few huge errors do not move it.

How it is measured: the share of rows whose prediction is within ``tolerance`` of the observed value, in the target's
own unit, with Wilson's interval, for all rows and every group. The tolerance has no default that would suit every
target, so it is given by a limit: params = { tolerance = 5.0 }.

How to reduce the risk: Read the rows beyond the tolerance in the group with the lowest share, the largest error first.

Sources: Wilson 1927, JASA 22.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.regression import Regression
from audit.inputs.sampling import Sampling
from audit.results import Outcome

MEASURES = {
    "within_tolerance": {
        "unit": "1",
        "better": "higher",
        "words": "share of rows predicted within the tolerance",
        "params": {"tolerance": "float"},
    },
}


@dataclass(frozen=True, slots=True)
class Params:
    tolerance: float = 0.0  # 0: not asked for


@check(cost="predict")
def within_tolerance(
    regression: Regression, groups: Groups, sampling: Sampling, level: float, params: Params
) -> Outcome:
    if not params.tolerance > 0:
        remedy = "add a limit on within_tolerance with params = { tolerance = ... }, above 0, in the target's unit"
        raise Unavailable("not_applicable", f"a tolerance of {params.tolerance:g} asks for nothing", remedy)
    sheet = Sheet(measures=MEASURES, level=level)
    close = np.abs(regression.label - regression.prediction) <= params.tolerance
    for group, at in groups.over(regression.rows):
        share = partial(sampling.rate, close[at], regression.rows[at], "predicted")
        sheet.add("within_tolerance", share, n=len(at), slice=group)
    return sheet.outcome()
