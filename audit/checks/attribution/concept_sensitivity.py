"""Whether a network's hidden layer moves its output along a group that it was never told.

Why it matters: leaving a sensitive column out of the features does not take it out of the network, which may rebuild it
from the others and decide by it.

How it is measured: the rows of each group are a concept (TCAV) in a layer in the middle of the network. Its activation
vector separates the group's rows from all others; the score is the share of rows whose output rises along it, with
Wilson's interval over the rows. The p value asks whether the output is steeper along it than along the vectors of 199
random groups of the same size, adjusted by Holm over the groups: without it, a score of 0 or 1 may mean nothing. A
vector that goes with the group may go with what the group shares.

How to reduce the risk: compare error rates by group; take out or decorrelate the columns that rebuild the group; train
with a penalty on what the layer tells about it.

Sources: Kim et al., ICML 2018.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.attribution.concepts import Layer, Sensitivity, hidden_layer, sensitivity
from audit.attribution.network import Network, encoded, preflight
from audit.attribution.untouched import untouched
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.models import Differentiable, Model
from audit.results import Outcome
from audit.stats import exact, generator, holm, rate

MEASURES = {
    "concept_score": {"unit": "1", "better": "none", "words": "share of rows whose output rises along a group (TCAV)"},
    "concept_p_value": {"unit": "1", "better": "none", "words": "p that the output is as steep along a random group"},
}
ROWS = 400


@check(cost="gradient")
def concept_sensitivity(model: Model, data: Dataset, groups: Groups, seed: int, level: float) -> Outcome:
    single = [one for one in groups.sets if len(one.columns) == 1]
    if not single:
        raise Unavailable("missing_input", "no column has the role groups", "name groups in [data.test]")
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no hidden layers", "nothing to do")
    rng = generator(seed, "concept_sensitivity")
    rows = np.sort(rng.permutation(data.n)[:ROWS])
    layer = _layer(model, data.take(rows))
    sheet = Sheet(measures=MEASURES, level=level)
    found: list[tuple[Slice, Sensitivity]] = []
    for one in single:
        for code, slice in enumerate(one.levels):
            inside = one.codes[rows] == code
            try:
                # a stream of its own, so that the order of the groups' names changes no number
                found.append((slice, sensitivity(layer, inside, generator(seed, "concept_sensitivity.null"))))
            except Unavailable as why:
                sheet.omit("concept_score", why, n=int(inside.sum()), rows=int(inside.sum()), slice=slice)
    adjusted = holm([tested.p for _, tested in found]).tolist()
    for (slice, tested), p in zip(found, adjusted, strict=True):
        sheet.add("concept_score", partial(rate, tested.rising, tested.rows), n=len(rows), slice=slice)
        sheet.add("concept_p_value", partial(exact, float(p)), n=len(rows), slice=slice)
    return sheet.outcome()


def _layer(model: Differentiable, data: Dataset) -> Layer:
    network = Network.of(model)
    with untouched(network.module):
        inputs = encoded(model, data.features)
        answers = preflight(network, inputs)
        targets = network.predicted(answers)
        if len(network.classes) == 2:
            targets = targets * 0 + 1  # one question for all rows: what raises the second class
        return hidden_layer(network, inputs, targets)
