"""Which units of a hidden layer the output of a network leans on.

Why it matters: a network that decides by one unit of its encoder has learnt a switch, and switches are where shortcuts
live; the units that carry the decision are where to look for a concept, to prune or to probe.

How it is measured: on up to 100 rows, for the logit of the predicted class (log-odds with two classes). Integrated
gradients along the activations of the layer, from those at the mean of the background rows, with nodes doubled until a
row adds up; beside it layer conductance and gradient times activation, by Captum. A unit is a neuron, a channel of a
convolution or a number of an embedding; its values are added up over its places. `params = { layer = "encoder.2" }` of
a limit names the layer, as the module does; without it, it is the module in the middle of the forward pass. The share
is the part of a row's absolute attribution that its strongest unit holds; the agreement is Spearman's rank correlation
of integrated gradients and conductance over the units, row by row. What by-passes the layer is no part of it.

How to reduce the risk: look at the rows that move the strongest units most, compare their errors by group, and train
with dropout on the layer where single units decide.

Sources: Sundararajan et al., ICML 2017; Dhamdhere, Sundararajan & Yan, ICLR 2019 (conductance); Captum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.attribution.agreement import rank_correlation
from audit.attribution.explanation import RED
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.predictions import Predictions
from audit.models import Differentiable, Model
from audit.results import Outcome, RankedItem, Ranking
from audit.stats import exact, generator, interval, mean

if TYPE_CHECKING:
    from audit.attribution.layers import LayerExplanation

REQUIRES = {"tasks": ("binary", "multiclass", "regression", "ranking")}

MEASURES: Mapping[str, Mapping[str, object]] = {
    "layer_strongest_unit_share": {
        "unit": "1",
        "better": "none",
        "words": "share of a row's attribution that the strongest unit of a layer holds",
        "params": {"layer": "str"},
    },
    "layer_method_agreement": {
        "unit": "1",
        "better": "higher",
        "words": "rank correlation of integrated gradients and conductance over a layer's units",
        "params": {"layer": "str"},
    },
    "layer_completeness_error": {
        "unit": "1",
        "better": "lower",
        "words": "median relative error of the sums over a layer",
        "params": {"layer": "str"},
    },
}
STRONGEST, AGREEMENT, ERROR = MEASURES
ROWS, MOST = 100, 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    layer: str = ""  # "": the one in the middle


@check(cost="gradient")
def layer_attributions(
    model: Model,
    data: Dataset,
    predictions: Predictions,
    case: Case,
    seed: int,
    level: float,
    params: Params = Params(),
) -> Outcome:
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no layers", "nothing to do")
    from audit.attribution.layers import explain_layer  # Captum, which no table of a forest should wait for

    decided = predictions.decided
    usable = np.arange(data.n) if decided is None else np.flatnonzero(decided)
    if not len(usable):
        raise Unavailable("undefined", "no row has a usable prediction", "find out why the model returns NaN")
    rows = np.sort(generator(seed, "layer_attributions").permutation(usable)[:ROWS])
    train = case.datasets.get("train") or data
    found = explain_layer(model, data.take(rows), layer=params.layer, background=train, seed=seed)
    trusted = found.completeness <= RED
    units, other = (np.abs(found.by_unit(k))[trusted] for k in (0, 1))
    sheet = Sheet(measures=MEASURES, level=level)
    sheet.add(ERROR, lambda: exact(float(np.median(found.completeness))), n=len(rows))
    moved = units[units.any(axis=1)]
    sheet.add(STRONGEST, lambda: mean(moved.max(axis=1) / moved.sum(axis=1)), n=len(moved), rows=len(rows))
    agreed = np.array([rho for a, b in zip(units, other, strict=True) if (rho := rank_correlation(a, b)) is not None])
    sheet.add(AGREEMENT, partial(mean, agreed), n=len(agreed), rows=len(rows))
    return sheet.outcome(*_ranking(found, units, level))


def _ranking(found: LayerExplanation, units: Floats, level: float) -> list[Ranking]:
    """The strongest units by their mean absolute attribution, with Hall's interval over the rows."""
    items = []
    for j in np.argsort(-units.sum(axis=0), kind="stable")[:MOST].tolist():
        try:
            basis = mean(units[:, j])
        except Unavailable:
            return []
        span, value = interval(basis, level), float(units[:, j].mean())
        items.append(
            RankedItem(label=f"unit {j}", value=value, lower=min(span.lower, value), upper=max(span.upper, value))
        )
    return [
        Ranking(
            name=f"layer_{found.feature}",
            title=f"Which units of {found.feature} move the output?",
            unit=found.unit,
            level=level,
            method="Hall's t over the rows",
            n=len(units),
            items=tuple(items),
            note=f"Mean absolute attribution to {found.scalar}. {found.method}; {found.value_function}.",
            what="unit",
            quantity="mean absolute attribution",
        )
    ]
