"""Whether a network's hidden layer moves its output along a group that it was never told.

Why it matters: leaving a sensitive column out of the features does not take it out of the network, which may rebuild it
from the others and decide by it.

How it is measured: the rows of each group are a concept (TCAV) in a layer in the middle of the network. Its activation
vector separates the group's rows from all others; the score is the share of rows whose output rises along it, with
Wilson's interval over the rows. The p value asks whether the output is steeper along it than along the vectors of 199
random groups of the same size, adjusted by Holm over the groups: without it, a score of 0 or 1 may mean nothing. A
vector that goes with the group may go with what the group shares. With params = { engine = "captum" } Captum's TCAV
makes the scores, over 40 random groups: the same scores within its single precision, thirty times slower.

How to reduce the risk: compare error rates by group; take out or decorrelate the columns that rebuild the group; train
with a penalty on what the layer tells about it.

Sources: Kim et al., ICML 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.attribution.concepts import Sensitivity, hidden_layer, sensitivity
from audit.attribution.network import Network, encoded, preflight
from audit.attribution.untouched import untouched
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.models import Differentiable, Model
from audit.results import Outcome
from audit.stats import exact, generator, holm, rate

REQUIRES = {"tasks": ("binary", "multiclass", "regression", "ranking")}

MEASURES: Mapping[str, Mapping[str, object]] = {
    "concept_score": {
        "unit": "1",
        "better": "none",
        "words": "share of rows whose output rises along a group (TCAV)",
        "params": {"engine": "str"},
    },
    "concept_p_value": {
        "unit": "1",
        "better": "none",
        "words": "p that the output is as steep along a random group",
        "params": {"engine": "str"},
    },
}
ROWS = 400
ENGINES = ("own", "captum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    engine: str = "own"  # or "captum"


@check(cost="gradient")
def concept_sensitivity(
    model: Model, data: Dataset, groups: Groups, seed: int, level: float, params: Params = Params()
) -> Outcome:
    single = [one for one in groups.sets if len(one.columns) == 1]
    if not single:
        raise Unavailable("missing_input", "no column has the role groups", "name groups in [data.test]")
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no hidden layers", "nothing to do")
    if params.engine not in ENGINES:
        raise Unavailable("not_applicable", f'there is no engine "{params.engine}"', 'use "own" or "captum"')
    rows = np.sort(generator(seed, "concept_sensitivity").permutation(data.n)[:ROWS])
    slices = [(one.levels[code], one.codes[rows] == code) for one in single for code in range(len(one.levels))]
    tested = _tested(model, data.take(rows), [inside for _, inside in slices], params.engine, seed)
    adjusted = iter(holm([one.p for one in tested if isinstance(one, Sensitivity)]).tolist())
    sheet = Sheet(measures=MEASURES, level=level)
    given = {"engine": params.engine} if params != Params() else {}
    for (slice, inside), one in zip(slices, tested, strict=True):
        if isinstance(one, Unavailable):
            n = int(inside.sum())
            sheet.omit("concept_score", one, n=n, rows=n, slice=slice, params=given)
            continue
        sheet.add("concept_score", partial(rate, one.rising, one.rows), n=len(rows), slice=slice, params=given)
        sheet.add("concept_p_value", partial(exact, float(next(adjusted))), n=len(rows), slice=slice, params=given)
    return sheet.outcome()


def _tested(
    model: Differentiable, data: Dataset, concepts: list[NDArray[np.bool_]], engine: str, seed: int
) -> list[Sensitivity | Unavailable]:
    network = Network.of(model)
    with untouched(network.module):
        inputs = encoded(model, data.features)
        targets = network.predicted(preflight(network, inputs))
        if len(network.classes) == 2:
            targets = targets * 0 + 1  # one question for all rows: what raises the second class
        layer = hidden_layer(network, inputs, targets)

        def test(concept: NDArray[np.bool_]) -> Sensitivity | Unavailable:
            # a stream of its own, so that the order of the groups' names changes no number
            rng = generator(seed, "concept_sensitivity.null")
            try:
                if engine == "own":
                    return sensitivity(layer, concept, rng)
                from audit.attribution.captum_concepts import captum_sensitivity  # imported where it is asked for

                return captum_sensitivity(network, inputs, targets, layer, concept, rng)
            except Unavailable as why:
                return why

        return [test(concept) for concept in concepts]
