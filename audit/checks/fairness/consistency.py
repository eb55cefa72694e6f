"""Whether rows that are alike are decided alike.

Why it matters: group rates can agree while two people who differ in nothing that counts are treated differently. That
is what the person concerned will ask about.

How it is measured: one less the mean distance between a row's decision and the mean decision of its nearest rows, by
Euclidean distance over the numeric features, each divided by its spread (parameter neighbours, 5 by default; at most
5,000 rows, drawn with the seed). Features that are no numbers take no part, nor do rows with a missing number. The
interval takes into account that a row stands in the neighbourhood of others. What is near depends on which features are
given: consistency with respect to the wrong ones proves nothing.

How to reduce the risk: Read pairs of near rows that are decided unlike, and ask whether what separates them should.

Sources: Zemel et al., ICML 2013; Dwork et al., ITCS 2012 (like cases alike).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from audit.check import check
from audit.checks._support import Sheet
from audit.counting import count
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.decisions import Decisions
from audit.results import Basis, Outcome
from audit.stats import consistency as consistency_of

MEASURES: dict[str, dict[str, object]] = {
    "consistency": {
        "unit": "1",
        "better": "higher",
        "words": "agreement of a row's decision with those of its nearest rows",
        "params": {"neighbours": "int"},
    },
}
MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Params:
    neighbours: int = 5


@check(cost="predict")
def consistency(decisions: Decisions, data: Dataset, seed: int, level: float, params: Params) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    design, rows = _design(data, decisions.rows)
    if len(rows) > MOST_ROWS:
        drawn = np.sort(np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False))
        design, rows = design[drawn], rows[drawn]
    selected = np.zeros(data.n)
    selected[decisions.rows] = decisions.positive
    build = partial(_consistency, design, selected[rows], params.neighbours)
    sheet.add("consistency", build, n=len(rows))
    return sheet.outcome()


def _design(data: Dataset, rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Standardised numeric features of the rows that have all of them, and those rows."""
    numeric = [name for name in data.roles.features if data.columns[name].kind == "number"]
    if not numeric:
        raise Unavailable("not_applicable", "no feature is a number, so no row is near another", "nothing to do")
    table = np.column_stack([data.numbers(name) for name in numeric])[rows]
    whole = np.isfinite(table).all(axis=1)
    spread = table[whole].std(axis=0) if whole.any() else np.ones(len(numeric))
    return table[whole] / np.where(spread > 0, spread, 1.0), rows[whole]


def _consistency(design: NDArray[np.float64], decision: NDArray[np.float64], neighbours: int) -> Basis:
    if not 0 < neighbours < len(design):
        found = f"{count(neighbours, 'neighbour')} a row cannot be found among {count(len(design), 'row')}"
        raise Unavailable("insufficient_data", found, "give more rows, or fewer neighbours, at least 1")
    near = NearestNeighbors(n_neighbors=neighbours + 1).fit(design).kneighbors(return_distance=False)
    # among equal rows the search may name another one first, so the row itself is taken out by its place
    others = np.stack([line[line != i][:neighbours] for i, line in enumerate(near)])
    return consistency_of(decision, others)
