"""Whether a few training rows, often mislabelled ones, hold the network in place.

Why it matters: rows that a network can fit only one by one are where labels are wrong, where the data hold what the
features cannot say, and where it has learnt people by heart.

How it is measured: the self-influence of up to 20,000 training rows at the last layer, by Captum's TracInCPFast: the
squared gradient of a row's own loss. The share that the strongest hundredth of the rows holds is 0.01 if all rows count
alike. The mean by class, in units of the overall mean, shows whose rows are hard to fit; its interval is t on the log
scale, with the jackknife's standard error, since no mean of squares lies below 0. Of fewer than a hundred rows, a few
of which hold nearly all of it, it covers less often than it says. Only the network as it is now is used, not the
checkpoints of its training.

How to reduce the risk: have the strongest rows read by somebody who knows the cases, mend their labels and retrain.

Sources: Pruthi et al., NeurIPS 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.attribution.influence import self_influence
from audit.attribution.network import Network, encoded
from audit.attribution.untouched import untouched
from audit.check import check
from audit.checks._support import Sheet
from audit.counting import count
from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Model
from audit.results import Outcome
from audit.stats import exact, generator, relative_mean

REQUIRES = {"tasks": ("binary", "multiclass", "regression", "ranking")}

MEASURES: Mapping[str, Mapping[str, object]] = {
    "top_influence_share": {
        "unit": "1",
        "better": "lower",
        "words": "share of all self-influence that the strongest hundredth of the training rows holds",
    },
    "relative_self_influence": {
        "unit": "1",
        "better": "none",
        "words": "mean self-influence of a class's training rows, over the mean of all",
        "params": {"class": "each"},
    },
}
ROWS, FEWEST = 20_000, 100


@check(cost="gradient")
def training_influence(model: Model, train: Dataset, seed: int, level: float) -> Outcome:
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no gradients", "nothing to do")
    if not train.roles.target:
        raise Unavailable("missing_input", "the training data have no target", "give target in [data.train]")
    rows, labels = _labelled(model, train, seed)
    network = Network.of(model)
    with untouched(network.module):
        influence = self_influence(network, encoded(model, train.take(rows).features), labels)
    total, top = float(influence.sum()), max(1, len(rows) // 100)
    if total <= 0 or not np.isfinite(total):
        raise Unavailable("undefined", "no training row has a loss", "nothing to do")
    sheet = Sheet(measures=MEASURES, level=level)
    sheet.add("top_influence_share", lambda: exact(float(np.sort(influence)[-top:].sum()) / total), n=len(rows))
    for code, name in enumerate(model.classes):
        own = labels == code
        build = partial(relative_mean, influence, own)
        sheet.add("relative_self_influence", build, n=int(own.sum()), params={"class": name})
    return sheet.outcome()


def _labelled(model: Model, train: Dataset, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A seeded sample of the rows whose label is a class of the model, in order, and the index of each one's class."""
    coded = train.codes(train.roles.target)
    place = {name: i for i, name in enumerate(model.classes)}
    codes = np.array([place.get(str(level), -1) for level in coded.levels], dtype=np.int64)[coded.codes]
    known = np.flatnonzero(codes >= 0)
    if len(known) < FEWEST:
        raise Unavailable("insufficient_data", f"only {count(len(known), 'labelled row')}", f"give at least {FEWEST}")
    rows = np.sort(generator(seed, "training_influence").permutation(known)[:ROWS])
    return rows, codes[rows]
