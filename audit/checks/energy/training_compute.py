"""Floating-point operations of the training, forward and backward.

Why it matters: the EU AI Act asks for the compute of training (Annex XI, section 1, point 2(d)), and takes 10^25
operations as a sign of systemic risk. Operations also bound the energy from below when nothing was measured.

How it is measured: the network is copied without its numbers, run once in training mode, and every matrix product,
convolution and attention is counted, forward and backward; times the rows seen over all epochs and trials. A
multiply-add is two operations; work proportional to the elements counts as 0. Operations without a formula are named,
and then the count understates. Validation passes and recomputation are not in it.

How to reduce the risk: fewer trials, earlier stopping, a smaller or pre-trained network, lower precision.

Sources: Regulation (EU) 2024/1689, Annex XI and Article 51(2); Kaplan 2020, arXiv 2001.08361 (6 N D as a cross-check).
"""

from __future__ import annotations

from audit.check import check
from audit.energy.training import TrainingEvidence
from audit.energy.work import Work
from audit.results import Omission, Outcome, Reason, Table
from audit.stats import exact, measured

MEASURES = {
    "training_flops": {"unit": "FLOP", "better": "lower", "words": "floating-point operations of the training"},
}


@check(cost="predict")
def training_compute(training_evidence: TrainingEvidence, level: float) -> Outcome:
    work = training_evidence.work
    if work is None:
        gap = next(gap for gap in training_evidence.gaps if gap.rung == "flops")
        reason = Reason.NOT_APPLICABLE if training_evidence.kind == "sklearn" else Reason.MISSING_INPUT
        omission = Omission(name="training_flops", reason=reason, detail=gap.why, remedy=gap.remedy)
        return Outcome(omissions=(omission,))
    found = measured(name="training_flops", basis=exact(work.flops), level=level, n=1, unit="FLOP")
    return Outcome(measurements=(found,), evidence=(_table(work, training_evidence.rows_seen or 0.0),))


def _table(work: Work, rows: float) -> Table:
    return Table(
        name="training_compute",
        title="The operations of the training",
        columns=("operations", "rows seen", "operations a row", "parameters", "6 x parameters"),
        rows=((work.flops, rows, work.flops / rows, work.parameters, 6 * work.parameters),),
        note="Dense networks come near 6 operations a parameter and row; convolutions lie above, look-ups below. "
        + "; ".join(work.assumptions)
        + ".",
    )
