"""How often a decision changes when only the sensitive attribute of the row does.

Why it matters: where a model is given a sensitive column, nothing else need stand in for it. A decision that turns when
the column alone is changed rests on it.

How it is measured: for each sensitive column that is itself a feature of the model, every row is decided again with
each other value that the column takes, all else as it is, and the share of rows is counted whose decision changes for
at least one of them, with Wilson's interval (at most 2,000 rows, drawn with the seed; at most 10 values). It finds
direct reliance only: columns that go along with the attribute stay as they are, and some changed rows describe nobody.

How to reduce the risk: Take the column out of the features and measure again, other columns that stand in for it as
well; or keep it and say why the difference is justified.

Sources: Galhotra, Brun & Meliou, ESEC/FSE 2017 (causal discrimination); Black, Yeom & Fredrikson, FAccT 2020 (flip
test).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet, share
from audit.compute import in_batches
from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Model, Predictor, ProbabilisticClassifier
from audit.results import Outcome

REQUIRES = {"tasks": ("binary", "multiclass")}

MEASURES: dict[str, dict[str, object]] = {
    "attribute_flip_share": {
        "unit": "1",
        "better": "lower",
        "words": "share of decisions that change with the sensitive attribute alone",
        "params": {"column": "str"},
    },
}
MOST_ROWS, MOST_VALUES = 2_000, 10


@check(cost="predict")
def attribute_flip(model: Model, data: Dataset, case: Case, seed: int, level: float) -> Outcome:
    columns = [name for name in data.roles.groups if name in data.roles.features]
    if not columns or case.task == "regression":
        found = "no sensitive column is a feature of the model" if not columns else "a quantity is no decision"
        raise Unavailable("not_applicable", found, "nothing to do")
    rows = np.sort(np.random.default_rng(seed).permutation(data.n)[:MOST_ROWS])
    given = {name: values[rows] for name, values in data.features.items()}
    before = _decided(model, case, given)
    sheet = Sheet(measures=MEASURES, level=level)
    for column in columns:
        values = list(dict.fromkeys(given[column][_present(given[column])].tolist()))
        values = sorted(values, key=str)[:MOST_VALUES]
        changed = np.zeros(len(rows), dtype=bool)
        for value in values:
            other = np.full_like(given[column], value)
            changed |= _decided(model, case, {**given, column: other}) != before
        build = partial(share, int(changed.sum()), len(rows), "decided")
        sheet.add("attribute_flip_share", build, n=len(rows), params={"column": column}, columns=(column,))
    return sheet.outcome()


def _present(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    return np.array([value is not None and value == value for value in values.tolist()])  # noqa: PLR0124  # NaN


def _decided(model: Model, case: Case, columns: dict[str, NDArray[np.generic]]) -> NDArray[np.object_]:
    """By the deployed threshold where there is one, else as the model decides."""
    threshold, size = case.threshold, case.spec.compute.batch
    if isinstance(model, ProbabilisticClassifier) and (threshold is not None or not isinstance(model, Predictor)):
        probability = in_batches(model.predict_proba, columns, size)
        if threshold is not None and case.positive is not None:
            return np.asarray(probability[:, case.classes.index(case.positive)] >= threshold, dtype=object)
        return np.asarray(probability.argmax(axis=1), dtype=object)
    if not isinstance(model, Predictor):
        raise Unavailable("not_applicable", f"{model.name} cannot decide", "nothing to do")
    return np.asarray(in_batches(model.predict, columns, size), dtype=object)
