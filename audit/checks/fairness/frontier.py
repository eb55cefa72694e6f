"""What accuracy these scores would allow if groups were to differ less: what would help, and what it would cost.

Why it matters: a gap is often defended with accuracy. The scores themselves say how much accuracy a smaller gap would
cost, and whether the model is beaten by its own scores under other thresholds.

How it is measured: for each sensitive column and three rates (selected, true positive, false positive), the best
accuracy that thresholds of each group's own can reach, randomised between two where that helps, while no two groups
differ by more than a tolerance: exact, from histograms of the scores in 256 bins. The model's own point stands beside
the curve. The thresholds are chosen on the rows that they are judged on, so the curve is a little too good; groups
under 30 rows and rows of unknown group take no part. **Thresholds that depend on the group can be unlawful** (disparate
treatment), in lending and employment above all: the curve shows what is possible, not what is allowed.

How to reduce the risk: Where the model lies well below the curve at its own gap, review its threshold first. Where the
curve is flat, a smaller gap costs little: retrain with a constraint (audit run --cost retrain) or mend the features.

Sources: Hardt, Price & Srebro, NeurIPS 2016; Menon & Williamson, FAccT 2018 (the cost of fairness).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.check import check
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.score_cells import ScoreCells
from audit.results import Curve, Omission, Outcome, Reason, Series
from audit.stats import frontier as best_accuracy
from audit.stats.frontier import Constraint

MEASURES: dict[str, dict[str, object]] = {}

TOLERANCES = tuple(np.round(np.linspace(0.0, 0.5, 26), 2).tolist())
CONSTRAINTS: dict[Constraint, str] = {
    "selection_rate": "share selected",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
}
FEWEST = 30

Counts = NDArray[np.int64]


@check(cost="predict")
def frontier(score_cells: ScoreCells, groups: Groups) -> Outcome:
    if not groups.sets:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    curves, omissions = [], []
    for group_set in groups.sets:
        if len(group_set.columns) > 1:
            continue
        at = [
            i for i, s in enumerate(score_cells.slices) if set(s) == set(group_set.columns) and None not in s.values()
        ]
        at = [i for i in at if score_cells.cells.counts[i].sum() >= FEWEST]
        try:
            curves.append(_curve(group_set.columns[0], score_cells, at))
        except Unavailable as why:
            detail = f"{wording.label(group_set.columns[0])}: {why.detail}"
            omissions.append(Omission(name="", reason=Reason(why.reason), detail=detail, remedy=why.remedy))
    return Outcome(evidence=tuple(curves), omissions=tuple(omissions))


def _curve(column: str, found: ScoreCells, at: list[int]) -> Curve:
    if found.cells.histogram is None or len(at) < 2:
        detail = f"{wording.count(len(at), 'group')} of {FEWEST} rows or more, fewer than 2"
        raise Unavailable("insufficient_data", detail, "give more rows of each group")
    histogram, counts = found.cells.histogram[at], found.cells.counts[at]
    lines = []
    for constraint, words in CONSTRAINTS.items():
        best = best_accuracy(histogram, constraint, TOLERANCES)
        lines.append(Series(label=f"best by {words}", x=TOLERANCES, y=tuple(best.accuracy.tolist())))
        gap, accuracy = _own(counts, constraint)
        lines.append(Series(label=f"this model, {words}", x=(gap,), y=(accuracy,)))
    return Curve(
        name=f"frontier by {column}",
        title=wording.text(f"Best accuracy for a gap between groups, by {column}"),
        x_label="largest gap between two groups",
        y_label="accuracy",
        series=tuple(lines),
        note="Reached by thresholds that depend on the group, which can be unlawful; chosen and judged on one set.",
    )


def _own(counts: Counts, constraint: Constraint) -> tuple[float, float]:
    """The model's own largest gap and its accuracy over these groups; counts are (groups, label, decision)."""
    over = {
        "selection_rate": counts.sum(axis=1),
        "true_positive_rate": counts[:, 1],
        "false_positive_rate": counts[:, 0],
    }
    table = over[constraint]
    rates = table[:, 1] / table.sum(axis=1)
    return float(np.ptp(rates)), float((counts[:, 0, 0] + counts[:, 1, 1]).sum() / counts.sum())
