"""What those who were refused would have to change, and whether it costs some groups more.

Why it matters: a decision that nobody can change by their own doing is a verdict, and one that is dearer to change for
one group is a burden of its own, even where the rates are equal.

How it is measured: for a seeded sample of rows with the unfavourable decision, the cheapest allowed change that turns
it is searched by asking the model (greedy over at most four columns; numbers within the observed 5 to 95 %, categories
that were seen). Columns under ``immutable`` and the sensitive ones never change. Those that [feature_groups] names
together change each on their own, unless they are one-hot in all rows (never two of them 1): these change as one
category, and none of them where one may not. The cost is in standard deviations, 1 for another category; it is an upper
bound, since the search is greedy. The share of rows with such a change is given for every group, and the mean cost
among those who have one. A few rows are shown with the nearest rows that the model decided favourably and rightly.

How to reduce the risk: name columns that people cannot change under immutable; ask whether the changes shown would be
real improvements or gaming; where a group pays more, look at the columns that it would have to change.

Sources: Wachter, Mittelstadt & Russell, Harvard JLT 31, 2018; Ustun, Spangher & Liu, FAT* 2019; Gupta et al.,
arXiv 1909.03166 (equalising recourse); Bilodeau et al., PNAS 2024.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.attribution.counterfactuals import Counterfactual, counterfactuals, nearest_rows, options
from audit.attribution.group_inputs import as_numbers
from audit.attribution.indicators import one_hot_levels
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet, share
from audit.data import Columns, Dataset
from audit.data.dataset import shown
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.models import Model, ProbabilisticClassifier
from audit.results import Outcome, Table
from audit.stats import generator, mean

REQUIRES = {"tasks": ("binary",)}

MEASURES = {
    "recourse_share": {
        "unit": "1",
        "better": "higher",
        "words": "share of refused rows that a small change would turn",
    },
    "recourse_cost": {"unit": "standard deviations", "better": "lower", "words": "mean cost of the change that turns"},
}
ROWS, SHOWN, NEAREST = 200, 5, 3


@check(cost="gradient")
def recourse(
    case: Case, model: Model, data: Dataset, predictions: Predictions, groups: Groups, seed: int, level: float
) -> Outcome:
    if predictions.task != "binary" or predictions.decision is None or not isinstance(model, ProbabilisticClassifier):
        raise Unavailable("not_applicable", "recourse is about two outcomes and a score", "nothing to do")
    refused = np.flatnonzero((predictions.decision >= 0) & (predictions.decision != predictions.favourable))
    if not len(refused):
        raise Unavailable("undefined", "no row has the unfavourable decision", "nothing to do")
    rows = np.sort(generator(seed, "recourse.rows").permutation(refused)[:ROWS])
    train = case.datasets.get("train", data)
    one_hot = one_hot_levels((data, train))
    allowed = options(train, (*data.roles.immutable, *data.roles.groups), one_hot)
    if not allowed:
        remedy = "name fewer columns under immutable, or give [data.train] rows in which the others differ"
        raise Unavailable("not_applicable", "no column may change", remedy)
    index, goal = predictions.favourable, _goal(case, predictions)

    def score(columns: Columns) -> NDArray[np.float64]:
        return np.asarray(model.predict_proba(columns)[:, index])

    found = counterfactuals(score, data.take(rows).features, allowed, goal, one_hot)
    sheet = Sheet(measures=MEASURES, level=level)
    _measure(sheet, found, groups, rows)
    return sheet.outcome(_changed(found), *_shown(case, found, rows, data, predictions))


def _goal(case: Case, predictions: Predictions) -> float:
    """The probability of the favourable class from which the decision turns."""
    threshold = case.threshold
    if threshold is None:
        return 0.5
    return threshold if predictions.favourable == predictions.positive else float(np.nextafter(1 - threshold, 1.0))


def _measure(sheet: Sheet, found: list[Counterfactual], groups: Groups, rows: NDArray[np.intp]) -> None:
    has = np.array([one.found for one in found])
    cost = np.array([one.cost for one in found])
    for slice, places in groups.over(rows):
        k, n = int(has[places].sum()), len(places)
        if not n:
            continue
        sheet.add("recourse_share", partial(share, k, n, "refused"), n=n, slice=slice)
        sheet.add("recourse_cost", partial(mean, cost[places][has[places]]), n=k, rows=n, slice=slice)


def _changed(found: list[Counterfactual]) -> Table:
    names = [change.column for one in found for change in one.changes]
    counts = sorted({name: names.count(name) for name in names}.items(), key=lambda pair: (-pair[1], pair[0]))
    whole = sum(one.found for one in found)
    rows = tuple((name, count, count / whole) for name, count in counts)  # none where whole is 0
    return Table(
        name="changed_columns",
        title="Which columns would have to change",
        columns=("column", "rows", "share of rows with a change"),
        rows=rows,
        note=f"{whole} of {len(found)} refused rows have a change of at most four columns that turns the decision.",
    )


def _shown(
    case: Case, found: list[Counterfactual], rows: NDArray[np.intp], data: Dataset, predictions: Predictions
) -> tuple[Table, ...]:
    """A few rows, only where single rows may be shown, with the nearest rows that were decided well."""
    if case.spec.evidence.rows == "none":
        return ()
    numbers = as_numbers(data)
    right = True if predictions.label is None else predictions.label == predictions.decision
    well = np.asarray((predictions.decision == predictions.favourable) & right)
    cheapest = sorted((one for one in found if one.found), key=lambda one: one.cost)[:SHOWN]
    lines = tuple(
        (
            int(rows[one.row]),
            "; ".join(f"{c.column}: {_told(c.before)} to {_told(c.after)}" for c in one.changes),
            one.cost,
            ", ".join(map(str, nearest_rows(numbers, int(rows[one.row]), well, NEAREST).tolist())),
        )
        for one in cheapest
    )
    if not lines:
        return ()
    columns = ("row", "what would turn it", "cost", "nearest rows decided favourably and rightly")
    return (Table(name="recourse_rows", title="What would turn the decision", columns=columns, rows=lines),)


def _told(value: object) -> str:
    """A number in six digits: more of them say nothing to a reader."""
    return shown(float(f"{value:.6g}")) if isinstance(value, float) else shown(value)
