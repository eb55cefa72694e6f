"""Why single rows got the output they got, contribution by contribution.

Why it matters: a person who is refused is owed the reasons (GDPR Articles 13 to 15 and 22; ECOA Regulation B), and a
wrong prediction that is sure of itself shows what the model holds on to.

How it is measured: up to four rows are chosen from all that have a prediction: the surest wrong one, the surest right
one, the closest decision and one more (for a regressor: the largest errors up and down, the highest and the lowest
prediction). Each is explained with more evaluations than the rows of the ranking; the standard error of a contribution
is that of its computation, given the background rows. A row whose contributions miss the output by more than 5 % is
withheld. A contribution is not advice: it does not say what would happen if the value changed.

How to reduce the risk: show the reasons to those who know the cases; treat a reason that nobody can defend as a
defect of the model, not of the explanation; for "what would change it", evaluate the model on the changed row.

Sources: Lundberg & Lee, NeurIPS 2017; Mitchell et al., JMLR 2022 (standard errors by antithetic orders); Sundararajan
et al., ICML 2017; Bilodeau et al., PNAS 2024.
"""

from __future__ import annotations

import numpy as np

from audit.attribution import RED, Explanation
from audit.check import check
from audit.inputs.explanations import Explanations, LocalRow
from audit.results import Contribution, Omission, Outcome, Reason, Waterfall
from audit.stats import exact, measured

MEASURES = {
    "local_completeness_error": {
        "unit": "1",
        "better": "lower",
        "words": "largest relative error of the sum of contributions, over the rows shown one by one",
    },
}

MOST = 15  # contributions that are shown one by one; the rest are added up


@check(cost="gradient")
def local_explanations(explanations: Explanations, level: float) -> Outcome:
    found = explanations.local
    basis = exact(float(found.completeness.max()))
    error = measured(name="local_completeness_error", basis=basis, level=level, n=found.n, unit="1")
    rows = list(enumerate(explanations.chosen))
    return Outcome(
        measurements=(error,),
        omissions=tuple(_withheld(found, i, row) for i, row in rows if not found.trusted[i]),
        evidence=tuple(_waterfall(found, i, row) for i, row in rows if found.trusted[i]),
    )


def _withheld(found: Explanation, i: int, row: LocalRow) -> Omission:
    return Omission(
        name="local_completeness_error",
        reason=Reason.WITHHELD,
        detail=f"{row.why}: its contributions miss the output by {found.completeness[i]:.0%}, more than {RED:.0%}",
        remedy="explain a smoother model, or the same one by Shapley values",
        n=1,
    )


def _waterfall(found: Explanation, i: int, row: LocalRow) -> Waterfall:
    what = f"{found.unit} of {found.targets[i]}" if found.targets[i] else "predicted value"
    errors = " Errors are standard errors given these background rows." if found.standard_errors[i].any() else ""
    return Waterfall(
        name=f"row_{i + 1}",
        title=f"{row.why.capitalize()}: {what}",
        unit=found.unit,
        base=float(found.base[i]),
        output=float(found.output[i]),
        items=_contributions(found, i, row),
        completeness=float(found.residual[i]),
        method=found.method,
        note=f"Explains {found.scalar}; {found.value_function}.{errors} {found.note}".strip(),
    )


def _contributions(found: Explanation, i: int, row: LocalRow) -> tuple[Contribution, ...]:
    """Largest first; what is beyond the fifteenth is one contribution, so that the sum stays whole."""
    values, errors = found.values[i], found.standard_errors[i]
    order = np.argsort(-np.abs(values), kind="stable")
    items = [
        Contribution(label=found.names[j], shown=row.values[j], value=float(values[j]), error=float(errors[j]))
        for j in order[:MOST]
    ]
    rest = order[MOST:]
    if len(rest):
        together = float(np.sqrt((errors[rest] ** 2).sum()))
        label = f"{len(rest)} other columns"
        items.append(Contribution(label=label, shown="", value=float(values[rest].sum()), error=together))
    return tuple(items)
