"""How much of the output each kind of input makes: pictures, text, sound, and the columns of the table.

Why it matters: a model that was built to read the scan and decides by the ward in the table is a table model with a
picture beside it; nobody sees that from its accuracy.

How it is measured: exact Shapley values over the modalities of up to 100 rows (each picture, text, series or sound
column is one, numbers and categories together are one): a modality that is left out comes from 20 background rows,
whole. The share is a modality's part of the absolute values of all of them, row by row, with Hall's interval of the
mean over the rows, overall and by group. Shares of modalities that say the same are shared between them.

How to reduce the risk: train with a modality left out at random, compare with a model of the table alone, and ask
those who know the cases which modality should decide.

Sources: Shapley 1953; Lundberg & Lee, NeurIPS 2017; Parcalabescu & Frank, ACL 2023 (MM-SHAP).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.attribution.multimodal import ModalityValues, modality_values
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.models import Model
from audit.results import Outcome, RankedItem, Ranking
from audit.stats import generator, mean

REQUIRES = {"tasks": ("binary", "multiclass", "regression", "ranking")}

MEASURES = {
    "modality_share": {
        "unit": "1",
        "better": "none",
        "words": "share of the output that a kind of input makes",
        "params": {"modality": "str"},
    },
}
ROWS, BACKGROUND_ROWS = 100, 20


@check(cost="gradient")
def modality_share(
    model: Model, data: Dataset, predictions: Predictions, groups: Groups, case: Case, seed: int, level: float
) -> Outcome:
    rng = generator(seed, "modality_share")
    decided = predictions.decided
    usable = np.arange(data.n) if decided is None else np.flatnonzero(decided)
    rows = np.sort(rng.permutation(usable)[:ROWS])
    train = case.datasets.get("train") or data
    background = train.take(rng.permutation(train.n)[:BACKGROUND_ROWS]).features
    found = modality_values(model, data.take(rows), background, case.positive)
    sheet = Sheet(measures=MEASURES, level=level)
    for j, name in enumerate(found.names):
        for slice, members in groups.over(rows):
            shares = found.shares[members, j]
            known = shares[~np.isnan(shares)]
            params = {"modality": name}
            sheet.add(
                "modality_share", partial(mean, known), n=len(known), rows=len(members), slice=slice, params=params
            )
    return sheet.outcome(*_ranking(sheet, found, level))


def _ranking(sheet: Sheet, found: ModalityValues, level: float) -> list[Ranking]:
    overall = sorted((m for m in sheet.measurements if not m.slice), key=lambda m: -m.value)
    items = [
        RankedItem(label=str(m.params["modality"]), value=m.value, lower=m.interval.lower, upper=m.interval.upper)
        for m in overall
    ]
    if not items:
        return []
    return [
        Ranking(
            name="modality_shares",
            title="Which kind of input makes the output?",
            unit="1",
            level=level,
            method="exact Shapley values over the modalities",
            n=overall[0].n,
            items=tuple(items),
            note=f"Explains {found.scalar}; a modality that is left out comes from {found.background} background rows.",
            what="modality",
            quantity="mean share of the contributions",
        )
    ]
