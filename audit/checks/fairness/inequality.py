"""How unequally the benefit of decisions is spread over people.

Why it matters: two models of the same accuracy can spread their errors evenly or heap them on a few. An index of
inequality, as economics has them for incomes, says which, and can be held against a limit or the model before.

How it is measured: each row's benefit is decision - label + 1: 0 for a miss, 1 for a right decision, 2 for a positive
decision that the label does not bear out. Over all rows and for every group and crossing, the generalised entropy index
(alpha 2, half the squared coefficient of variation) and Theil's index (alpha 1); both are 0 where everybody has the
same benefit. Standard errors by the delta method, on the log scale. Rows that are weighted or come in clusters have
neither.

How to reduce the risk: Compare the indices of the groups. Where one group's is larger, its members bear more of the
errors among themselves: read the group's error rates.

Sources: Speicher et al., KDD 2018; Cowell & Kuga, Journal of Economic Theory 1981 (the family of indices).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.check import check
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.classified import Classified
from audit.inputs.groups import Groups
from audit.inputs.sampling import Sampling
from audit.results import Basis, Outcome
from audit.stats import generalised_entropy

MEASURES: dict[str, dict[str, object]] = {
    "generalised_entropy": {"unit": "1", "better": "lower", "words": "generalised entropy of benefits (alpha 2)"},
    "theil_index": {"unit": "1", "better": "lower", "words": "Theil index of benefits"},
}


@check(cost="predict")
def inequality(classified: Classified, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    if classified.positive < 0:
        raise Unavailable("not_applicable", "a benefit is for decisions between two classes", "nothing to do")
    sheet = Sheet(measures=MEASURES, level=level)
    positive = classified.positive
    benefit = (classified.decision == positive) - 1.0 * (classified.label == positive) + 1.0
    for group, at in groups.over(classified.rows):
        for name, alpha in (("generalised_entropy", 2.0), ("theil_index", 1.0)):
            sheet.add(name, partial(_entropy, benefit[at], alpha, sampling), n=len(at), slice=group)
    return sheet.outcome()


def _entropy(benefit: NDArray[np.float64], alpha: float, sampling: Sampling) -> Basis:
    if not sampling.plain:
        return sampling.refuse("an inequality index")
    if not benefit.size:
        raise Unavailable("undefined", "no row is labelled and decided", "give such rows of this group")
    return generalised_entropy(np.sort(benefit), alpha)
