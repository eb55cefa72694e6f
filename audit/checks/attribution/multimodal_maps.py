"""What each pixel, word and column gave, where a model reads several kinds of input at once.

Why it matters: a map of the picture alone hides that the note beside it decided, and a list of the columns alone hides
which part of the picture spoke against them; only contributions on one scale can be compared.

How it is measured: up to eight rows, wrong ones first. Integrated gradients along the straight path of all inputs
together, from the mean of the background rows and from zero, for the logit of the predicted class (log-odds with two
classes), with nodes doubled until a row adds up over all inputs; and the fall of the output when a patch, a token, a
window or a column is replaced by its mean. The share of a kind of input is its part of the absolute sums of all kinds.
The overlap says how far these shares are those of exact Shapley values of whole inputs against 20 background rows (of
the probability where there are several classes; 1: the same, 0: nothing in common). Every map carries the grade of its
trust checks (see trust_maps); a withheld one is not drawn. A network that multiplies its inputs divides what they make
together along the path, which is one fair way of several.

How to reduce the risk: where the kind of input that should decide gives little, train with the other left out at
random, or look for what the other gives away.

Sources: Sundararajan et al., ICML 2017; Parcalabescu & Frank, ACL 2023 (MM-SHAP).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.attribution.multimodal import modality_values
from audit.attribution.several import SeveralExplanation
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.attribution._several import pictures
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.explained_maps import ExplainedMaps
from audit.models import Model
from audit.results import Outcome
from audit.stats import generator, mean

MEASURES: Mapping[str, Mapping[str, object]] = {
    "multimodal_gradient_share": {
        "unit": "1",
        "better": "none",
        "words": "share of the output that a kind of input makes, by gradients of all inputs together",
        "params": {"modality": "str"},
    },
    "multimodal_share_overlap": {
        "unit": "1",
        "better": "higher",
        "words": "how far gradients and exact Shapley values give each kind of input the same share",
    },
}
BACKGROUND_ROWS = 20
SHARE, OVERLAP = MEASURES

Floats = NDArray[np.float64]


@check(cost="gradient")
def multimodal_maps(
    several_explanations: ExplainedMaps[SeveralExplanation],
    model: Model,
    data: Dataset,
    case: Case,
    seed: int,
    level: float,
) -> Outcome:
    given, found = several_explanations, several_explanations.explanation
    rows = data.take(list(given.rows))
    sheet = Sheet(measures=MEASURES, level=level)
    kept = [i for i in range(rows.n) if (grade := found.grade(0, i)) is None or grade.shown]
    shares = _shares(found.totals())[kept]
    for j, name in enumerate(found.members):
        known = shares[:, j][~np.isnan(shares[:, j])]
        sheet.add(SHARE, partial(mean, known), n=len(known), rows=rows.n, params={"modality": name})
    try:
        overlap = _overlap(shares, model, rows.take(kept), case.datasets.get("train") or data, seed)
    except Unavailable as why:
        sheet.omit(OVERLAP, why, n=0, rows=rows.n)
    else:
        sheet.add(OVERLAP, partial(mean, overlap), n=len(overlap), rows=rows.n)
    return sheet.outcome(*(item for i in kept for item in pictures(given, rows, i)))


def _shares(
    totals: Floats,
) -> Floats:
    size = np.abs(totals).sum(axis=1, keepdims=True)
    return np.asarray(np.divide(np.abs(totals), size, out=np.full(totals.shape, np.nan), where=size > 0))


def _overlap(shares: Floats, model: Model, rows: Dataset, train: Dataset, seed: int) -> Floats:
    """One minus half the absolute differences of both methods' shares, (rows,)."""
    if not rows.n:
        raise Unavailable("withheld", "no row has maps that can be trusted", "see trust_maps")
    order = generator(seed, "multimodal_maps").permutation(train.n)[:BACKGROUND_ROWS]
    exact = modality_values(model, rows, train.take(order).features, None).shares
    overlap = 1 - np.abs(shares - exact).sum(axis=1) / 2
    return np.asarray(overlap[~np.isnan(overlap)])
