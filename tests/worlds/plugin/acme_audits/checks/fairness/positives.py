"""How many rows are decided for the positive class.

How to reduce the risk
----------------------
Decide otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.check import check
from audit.inputs.decisions import Decisions
from audit.results import Outcome
from audit.stats import exact, measured

MEASURES = {
    "acme_audits.positives": {
        "unit": "rows", "better": "none", "words": "rows decided for", "params": {"factor": "float"}
    }
}  # fmt: skip


@dataclass(frozen=True)
class Params:
    factor: float = 1.0


@check(cost="predict")
def positives(decisions: Decisions, level: float, params: Params = Params()) -> Outcome:
    count = float(decisions.positive.sum()) * params.factor
    found = measured(name="acme_audits.positives", basis=exact(count), level=level, n=len(decisions.rows), unit="rows")
    return Outcome(measurements=(found,))
