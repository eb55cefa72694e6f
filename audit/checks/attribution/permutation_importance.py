"""How much worse the model gets when it cannot see a column.

Why it matters: contributions say what the model used; this says what it was good for. A column with large contributions
and no loss is used without need; a column that all the loss hangs on is a single point of failure, or a leak.

How it is measured: in a seeded sample of labelled rows the values of one column are shuffled among the rows, several
times, and each row's loss (log loss of the true class; squared error for a quantity) is compared with its own loss
before: the importance is the mean of these paired differences, with Hall's interval over the rows. Columns that carry
the same information hide each other: each looks unimportant while the other is there; name them in [feature_groups],
and they are shuffled together.

How to reduce the risk: ask where the most important column comes from and whether it is known when the model decides;
retrain without columns that do no good.

Sources: Breiman, Machine Learning 45, 2001; Fisher, Rudin & Dominici, JMLR 20, 2019; Hooker et al., Statistics and
Computing 31, 2021 (its limits with dependent columns).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from audit.attribution.permutation import loss_increase, losses
from audit.attribution.players import Players, unknown
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, need_labels
from audit.models import Model
from audit.results import Outcome, RankedItem, Ranking
from audit.stats import generator, mean

REQUIRES = {"tasks": ("binary", "multiclass", "regression", "ranking")}

MEASURES = {
    "permutation_importance": {
        "unit": "loss",
        "better": "none",
        "words": "increase of the loss when a column is shuffled",
        "params": {"feature": "str"},
    },
}

NAME = "permutation_importance"
ROWS, EVALUATIONS, REPEATS = 1000, 100_000, 5
MOST = 100  # columns, those with the largest increase


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    feature: str = ""  # "": every column


@check(cost="gradient")
def permutation_importance(
    model: Model, data: Dataset, predictions: Predictions, seed: int, level: float, params: Params = Params()
) -> Outcome:
    if predictions.task == "ranking":
        found = "a score that only sorts has no loss, row by row"
        raise Unavailable("not_applicable", found, "read what the score rests on: mean_absolute_attribution")
    sheet = Sheet(measures=MEASURES, level=level)
    label = need_labels(predictions)
    players = Players.in_data(data)
    names = [name for name in players.names if params.feature in {"", name}]
    if not names:
        raise Unavailable("not_applicable", *unknown(params.feature, players.names, players.groups))
    draw = generator(seed, NAME)
    known = np.flatnonzero(np.isfinite(label) if label.dtype.kind == "f" else label >= 0)
    rows = np.sort(draw.permutation(known)[: min(ROWS, max(30, EVALUATIONS // (REPEATS * len(names))))])
    if len(rows) < 2:
        raise Unavailable("insufficient_data", "fewer than two rows have a label", "give labelled rows")
    columns, truth = data.take(rows).features, label[rows]
    before = losses(model, columns, truth)
    increase = {
        name: loss_increase(model, columns, truth, players.members(name), before, draw, REPEATS) for name in names
    }
    kept = sorted(names, key=lambda name: -increase[name].mean())[:MOST]
    for name in kept:
        own = players.members(name)
        sheet.add(NAME, partial(mean, increase[name]), n=len(rows), params={"feature": name}, columns=own)
    return sheet.outcome(*((_ranking(sheet, len(rows)),) if sheet.measurements else ()))


def _ranking(sheet: Sheet, n: int) -> Ranking:
    return Ranking(
        name=NAME,
        title="Which columns the model is better with",
        unit="loss",
        level=sheet.level,
        method=sheet.measurements[0].method,
        n=n,
        items=tuple(
            RankedItem(label=str(m.params["feature"]), value=m.value, lower=m.interval.lower, upper=m.interval.upper)
            for m in sheet.measurements
        ),
        note=f"Mean increase of each row's own loss over {REPEATS} shuffles of the column; one interval a column.",
        quantity="mean increase",
    )
