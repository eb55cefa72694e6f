"""How far the contributions of single rows can be trusted, and whether less so for some groups.

Why it matters: a person of a small group may get reasons that are worse than those of others; and a model can be built
to look harmless to methods that ask about rows that do not exist.

How it is measured: on rows of the sample that the contributions were made for. T1: the relative error of a row's sum.
T4: half of the columns take the values of background rows, sixteen times; the correlation of what the contributions say
was taken away with the fall of the output. Columns of one group in [feature_groups] go together. T9: both by group; a
group of which the sample holds fewer than 30 rows is given rows of its own. T8: the ROC AUC of a classifier that tells
mixed rows, such as Shapley values ask about, from real ones, on rows it was not fitted to; near 1 it is asked about
what it has never seen. Also T8, of the model: a column takes the value of a near neighbour, in the real row and in a
mixed one; how far the columns' shares of the answer's moves differ between the two (total variation distance), large
for a model that hides from such questions. The grade (A, B, C, withheld) follows from the rules in trust@1.toml.
Contributions with strong interactions are less faithful by nature.

How to reduce the risk: give more background rows; for a group with worse reasons, explain its rows with more
evaluations; where mixed rows are easily told, check the most important columns by permuting them in pairs.

Sources: Yeh et al., NeurIPS 2019; Balagopalan et al., FAccT 2022; Dai et al., AIES 2022; Slack et al., AIES 2020.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.attribution.players import Players
from audit.attribution.scalar import explained_scalar
from audit.attribution.tables import explain_table
from audit.attribution.trust_context import PROBED, context_shift
from audit.attribution.trust_rows import hybrid_gap, row_faithfulness
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.attribution._trust import rows_table
from audit.counting import count
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.explanations import Explanations
from audit.inputs.groups import Groups, Slice
from audit.inputs.predictions import Predictions, relevant_class
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
    "trust_context_shift": {
        "unit": "1",
        "better": "lower",
        "words": "T8, share of the columns' influence that changes where rows are mixed",
    },
}
ROWS, GAP_ROWS = 300, 1500
FEWEST = 30  # rows of a group: fewer give no mean that could be compared
SPARE = 5  # for rows on which the output does not move
Places = NDArray[np.intp]


@check(cost="gradient")
def trust_rows(
    explanations: Explanations,
    predictions: Predictions,
    groups: Groups,
    model: Model,
    data: Dataset,
    case: Case,
    seed: int,
    level: float,
) -> Outcome:
    sheet, rng = Sheet(measures=MEASURES, level=level), generator(seed, "trust_rows")
    at = np.sort(rng.permutation(explanations.overall.n)[:ROWS])
    shared, rows = explanations.overall.take(at), explanations.rows[at]
    train = case.datasets.get("train") or data
    owned = _own_rows(groups, predictions, data.n, rows, seed)
    more = np.setdiff1d(np.concatenate([rows[:0], *owned.values()]), rows)
    positive = case.positive or relevant_class(case, data, model)
    parts = [(shared.values, shared.completeness)]
    if len(more):
        extra = explain_table(model, data, rows=more, background=train, positive=positive, seed=seed)
        parts.append((extra.values, extra.completeness))
    values, missed = (np.concatenate(both) for both in zip(*parts, strict=True))
    players, every = Players.in_data(data), np.concatenate([rows, more])
    sides = list(_sides(groups, every, len(rows), owned))
    _by_group(sheet, "trust_row_completeness_error", missed, sides)
    try:
        background = train.take(rng.permutation(train.n)[:100]).features
        faithful = row_faithfulness(model, data.take(every).features, values, background, positive, rng, players)
    except Unavailable as why:
        sheet.omit("trust_row_faithfulness", why, n=0, rows=len(rows))
    else:
        _by_group(sheet, "trust_row_faithfulness", faithful, sides)
    some = data.take(rng.permutation(data.n)[:GAP_ROWS])
    sheet.add("trust_manifold_gap", lambda: hybrid_gap(some.features, rng, players), n=some.n)
    asked = generator(seed, "trust_rows.context")
    sheet.add(
        "trust_context_shift",
        lambda: context_shift(explained_scalar(model, positive), some.features, asked, players),
        n=min(PROBED, some.n),
    )
    return sheet.outcome(rows_table(shared.method, sheet.measurements))


def _own_rows(groups: Groups, predictions: Predictions, n: int, rows: Places, seed: int) -> dict[str, Places]:
    """Of each group of one column that the rows hold too few of and the data enough: rows drawn for it alone."""
    usable = np.ones(n, dtype=bool) if predictions.decided is None else predictions.decided
    owned = {}
    for one in groups.sets:
        for code, slice in enumerate(one.levels if len(one.columns) == 1 else ()):
            members = np.flatnonzero(usable & (one.codes == code))
            has = int((one.codes[rows] == code).sum())
            if has < FEWEST <= len(members):
                # one stream for all, so that the groups' names change no number
                order = generator(seed, "trust_rows.own").permutation(np.setdiff1d(members, rows))
                owned[str(slice)] = order[: FEWEST + SPARE - has]
    return owned


def _sides(groups: Groups, every: Places, shared: int, owned: Mapping[str, Places]) -> Iterator[tuple[Slice, Places]]:
    """All shared rows, then each group's among ``every``, with those that were drawn for it alone."""
    for slice, members in groups.over(every[:shared]):
        own = shared + np.flatnonzero(np.isin(every[shared:], owned.get(str(slice), every[:0])))
        yield slice, np.concatenate([members, own])


def _by_group(sheet: Sheet, name: str, values: NDArray[np.float64], sides: Sequence[tuple[Slice, Places]]) -> None:
    for slice, members in sides:
        known = values[members][~np.isnan(values[members])]
        sheet.add(name, partial(_mean, known, bool(slice)), n=len(known), rows=len(members), slice=slice)


def _mean(values: NDArray[np.float64], of_group: bool) -> Basis:
    if of_group and len(values) < FEWEST:
        remedy = f"give at least {FEWEST} rows of it"
        raise Unavailable("insufficient_data", f"{count(len(values), 'explained row')}, fewer than {FEWEST}", remedy)
    return mean(values)
