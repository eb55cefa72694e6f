"""How far the contributions of single rows can be trusted, and whether less so for some groups.

Why it matters: a person of a small group may get reasons that are worse than those of others; and a model can be built
to look harmless to methods that ask about rows that do not exist.

How it is measured: on rows of the sample that the contributions were made for. T1: the relative error of a row's sum.
T4: half of the columns take the values of background rows, sixteen times; the correlation between what the
contributions say was taken away and the fall of the output. T9: both by group. T8: the ROC AUC of a classifier that
tells mixed rows, such as Shapley values ask about, from real ones, on rows it was not fitted to; near 1 the model is
asked where it has seen nothing. Contributions with strong interactions are less faithful by nature, not by error.

How to reduce the risk: give more background rows; for a group with worse reasons, explain its rows with more
evaluations; where mixed rows are easily told, check the most important columns by permuting them in pairs.

Sources: Yeh et al., NeurIPS 2019; Balagopalan et al., FAccT 2022; Dai et al., AIES 2022; Slack et al., AIES 2020.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.attribution.trust_rows import hybrid_gap, row_faithfulness
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.explanations import Explanations
from audit.inputs.groups import Groups
from audit.models import Model
from audit.results import Basis, Outcome
from audit.stats import generator, mean

MEASURES = {
    "trust_row_completeness_error": {"unit": "1", "better": "lower", "words": "T1, relative error of a row's sum"},
    "trust_row_faithfulness": {
        "unit": "1",
        "better": "higher",
        "words": "T4, correlation of contributions taken away with the fall of the output",
    },
    "trust_manifold_gap": {
        "unit": "1",
        "better": "lower",
        "words": "T8, how easily mixed rows are told from real ones",
    },
}
ROWS, GAP_ROWS = 300, 1500
FEWEST = 30  # rows of a group: fewer give no mean that could be compared


@check(cost="gradient")
def trust_rows(
    explanations: Explanations, groups: Groups, model: Model, data: Dataset, case: Case, seed: int, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    rng = generator(seed, "trust_rows")
    found = explanations.overall.take(np.arange(explanations.overall.n)[:ROWS])
    rows = explanations.rows[:ROWS]
    train = case.datasets.get("train") or data
    _by_group(sheet, "trust_row_completeness_error", found.completeness, groups, rows)
    try:
        background = train.take(rng.permutation(train.n)[:100]).features
        faithful = row_faithfulness(model, data.take(rows).features, found.values, background, case.positive, rng)
    except Unavailable as why:
        sheet.omit("trust_row_faithfulness", why, n=0, rows=len(rows))
    else:
        _by_group(sheet, "trust_row_faithfulness", faithful, groups, rows)
    some = data.take(rng.permutation(data.n)[:GAP_ROWS])
    sheet.add("trust_manifold_gap", lambda: hybrid_gap(some.features, rng), n=some.n)
    return sheet.outcome()


def _by_group(
    sheet: Sheet,
    name: str,
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    groups: Groups,
    rows: np.ndarray[tuple[int], np.dtype[np.intp]],
) -> None:
    for slice, members in groups.over(rows):
        known = values[members][~np.isnan(values[members])]
        sheet.add(name, partial(_mean, known, bool(slice)), n=len(known), rows=len(members), slice=slice)


def _mean(values: np.ndarray[tuple[int], np.dtype[np.float64]], of_group: bool) -> Basis:
    if of_group and len(values) < FEWEST:
        remedy = f"give at least {FEWEST} rows of it"
        raise Unavailable("insufficient_data", f"{len(values)} explained rows are fewer than {FEWEST}", remedy)
    return mean(values)
