"""Variants beyond accuracy: predictive values, AUC and Brier score by group, regression errors."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import brier_score_loss, roc_auc_score

import audit
from audit.results import Reason
from tests.checks.efficiency.forms import GROUPS, X, at, of_group, pair, run, table
from tests.checks.efficiency.worlds import omitted, overall


@pytest.mark.parametrize("about", GROUPS)
def test_scores_and_predictive_values_of_a_group_change_as_counted_by_another_library(about: dict[str, str]) -> None:
    made, data = run("y"), of_group(about)
    y, both = data["y"].to_numpy(), [m.predict_proba(data[X].to_numpy())[:, 1] for m in pair("y")]
    area, brier = ([measure(y, p) for p in both] for measure in (roc_auc_score, brier_score_loss))
    ppv, npv = ([(y[c] == wanted).mean() for c in chosen] for wanted, chosen in (
        (1, [p > 0.5 for p in both]), (0, [p <= 0.5 for p in both])))  # fmt: skip
    for name, (model, form) in {
        "variant_roc_auc_change": area,
        "variant_brier_score_change": brier,
        "variant_positive_predictive_value_change": ppv,
        "variant_negative_predictive_value_change": npv,
    }.items():
        m = at(made, name, about)
        assert m.value == pytest.approx(form - model, abs=1e-12), name
        assert m.interval.lower < m.value < m.interval.upper


def test_a_form_that_ranks_worse_is_shown_to() -> None:
    assert overall(run("y"), "variant_roc_auc_change", variant="less").interval.upper < 0


@pytest.mark.parametrize("about", GROUPS)
def test_regression_errors_of_a_group_change_as_counted_by_hand(about: dict[str, str]) -> None:
    made, data = run("v"), of_group(about)
    model, form = (m.predict(data[X].to_numpy()) for m in pair("v"))
    errors = [p - data["v"].to_numpy() for p in (model, form)]
    by_hand = {
        "variant_error_change": np.abs(errors[1]).mean() - np.abs(errors[0]).mean(),
        "variant_root_mean_squared_error_change": np.sqrt((errors[1] ** 2).mean()) - np.sqrt((errors[0] ** 2).mean()),
        "variant_mean_prediction_change": (form - model).mean(),
        "variant_shift": np.abs(form - model).mean(),
    }
    for name, expected in by_hand.items():
        m = at(made, name, about)
        assert m.value == pytest.approx(expected), name
        assert m.interval.lower < m.value < m.interval.upper


def test_decisions_without_scores_have_no_change_of_area() -> None:
    train = table(9)
    deciding = RidgeClassifier().fit(train[X].to_numpy(), train["y"])
    made = audit.run(pair("y")[0], table(), variants={"less": deciding}, target="y", features=X, use=()).result
    (reason,) = [o for _, o in made.omissions() if "scores" in o.detail and not o.name]
    assert reason.reason is Reason.MISSING_INPUT
    assert omitted(made, "variant_excess_churn", variant="less").reason is Reason.MISSING_INPUT
