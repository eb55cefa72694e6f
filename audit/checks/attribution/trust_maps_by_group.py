"""Whether attribution maps are worse for some groups than for others.

Why it matters: a method may be faithful on average and wrong for the pictures, texts or sounds of a small group, whose
people then get reasons that are none.

How it is measured: T9. Thirty rows of each group, drawn at random, are explained by every method, and three tests are
compared by group, with intervals over its rows. T1: the relative error of a map's sum. T4: the correlation of what a
map says was covered with the fall of the output. T5: the rank correlation with maps of noisy rows. At most eight
groups, the largest first, and networks of up to five million parameters, because every map is made several times over.

How to reduce the risk: where a group's maps are worse, do not argue with them there; train on more of its examples, or
explain its rows by another method.

Sources: Balagopalan et al., FAccT 2022; Dai et al., AIES 2022; Yeh et al., NeurIPS 2019.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.attribution.modalities import explain_maps, modality
from audit.attribution.trust_grades import read_rules
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.counting import count
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.predictions import Predictions
from audit.models import Differentiable, Model
from audit.results import Basis, Outcome
from audit.stats import generator, mean

REQUIRES = {
    "model": True,
    "kinds": ("image", "text", "series", "audio"),
    "tasks": ("binary", "multiclass", "regression", "ranking"),
}
MEASURES: Mapping[str, Mapping[str, object]] = {
    "map_completeness_error_by_group": {
        "unit": "1",
        "better": "lower",
        "words": "T9, relative error of a map's sum in a group",
        "params": {"method": "str"},
    },
    "map_faithfulness_by_group": {
        "unit": "1",
        "better": "higher",
        "words": "T9, correlation of what is covered with the fall of the output in a group",
        "params": {"method": "str"},
    },
    "map_stability_by_group": {
        "unit": "1",
        "better": "higher",
        "words": "T9, rank correlation with maps of noisy rows in a group",
        "params": {"method": "str"},
    },
}
TESTS = {
    "trust_completeness_error": "map_completeness_error_by_group",
    "trust_faithfulness": "map_faithfulness_by_group",
    "trust_stability": "map_stability_by_group",
}
FEWEST, MOST_GROUPS, MOST_PARAMETERS = 30, 8, 5_000_000


@check(cost="gradient")
def trust_maps_by_group(
    case: Case, model: Model, data: Dataset, predictions: Predictions, groups: Groups, seed: int, level: float
) -> Outcome:
    modality(model, data)  # before rows are drawn, so that the reason is about the model
    _require_affordable(model)
    sheet = Sheet(measures=MEASURES, level=level)
    drawn = list(_drawn(sheet, groups, predictions, data.n, seed))
    if not drawn:
        return sheet.outcome()
    rows = np.unique(np.concatenate([own for _, own in drawn]))
    background = case.datasets.get("train") or data
    found = explain_maps(model, data.take(rows), background=background, rules=read_rules(), seed=seed)
    for trust in found.trust:
        for test, name in TESTS.items():
            if test not in trust.numbers:
                continue
            for slice, own in drawn:
                values = trust.numbers[test][np.searchsorted(rows, own)]
                known = values[~np.isnan(values)]
                basis, params = partial(_mean, known), {"method": trust.short}
                sheet.add(name, basis, n=len(known), rows=len(own), slice=slice, params=params)
    return sheet.outcome()


def _require_affordable(model: Model) -> None:
    if not isinstance(model, Differentiable):
        return
    size = sum(parameter.numel() for parameter in model.module.parameters())
    if size > MOST_PARAMETERS:
        detail = f"thirty maps of every group take long for a network of {size:,} parameters"
        raise Unavailable("not_applicable", detail, "see the tests of a few maps, or audit one group at a time")


def _drawn(
    sheet: Sheet, groups: Groups, predictions: Predictions, n: int, seed: int
) -> Iterator[tuple[Slice, NDArray[np.intp]]]:
    """Thirty rows of each group of one column, and an omission for each group that has fewer."""
    usable = np.ones(n, dtype=bool) if predictions.decided is None else predictions.decided
    single = [one for one in groups.sets if len(one.columns) == 1]
    if not single:
        raise Unavailable("missing_input", "no column has the role groups", "name groups in [data.test]")
    every = [(s, np.flatnonzero(usable & (one.codes == c))) for one in single for c, s in enumerate(one.levels)]
    ordered = sorted(every, key=lambda item: -len(item[1]))
    for place, (slice, members) in enumerate(ordered):
        if len(members) < FEWEST:
            few = f"{count(len(members), 'row')}, fewer than {FEWEST}"
            why = Unavailable("insufficient_data", few, f"give at least {FEWEST} rows of it")
        elif place >= MOST_GROUPS:
            why = Unavailable("not_applicable", f"it is not among the {MOST_GROUPS} largest", "name fewer groups")
        else:
            order = generator(seed, "trust_maps_by_group").permutation(members)  # whatever its name
            yield slice, np.sort(order[:FEWEST])
            continue
        sheet.omit("map_faithfulness_by_group", why, n=len(members), rows=len(members), slice=slice)


def _mean(values: NDArray[np.float64]) -> Basis:
    if len(values) < 2:
        raise Unavailable("undefined", "its maps are flat", "explain rows on which the output depends on the input")
    return mean(values)
