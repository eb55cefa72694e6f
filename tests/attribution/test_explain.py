"""explain(): what may vary without changing an answer, and what is refused in words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from audit.attribution import explain
from audit.attribution import hybrids as hybrids_module
from audit.attribution.tables import explain_table
from audit.data.dataset import Roles
from audit.errors import Unavailable, UsageError
from audit.models.sklearn import adapt

from .worlds import Classes, Value, matrix, mlp, network, numbers, slow_shapley, table

HOSTILE = ["<script>alert(1)</script>", "a,b\n", 'x"; DROP TABLE', "=cmd()", "ünï✓", " "]


def wiggly(columns):
    x = matrix(columns)
    return np.tanh(x[:, 0] * x[:, 1]) + x[:, 2] * x[:, 3] * x[:, 4]


def pair():
    data, background = table(numbers(12, 7, 1)), table(numbers(25, 7, 2))
    return data, background


def explained(model, data, background, **options):
    return explain(model, data, background=background, seed=3, evaluations=1500, **options)


def test_the_same_seed_gives_the_same_bytes():
    data, background = pair()
    first, second = (explained(Value(wiggly), data, background) for _ in range(2))
    assert first.values.tobytes() == second.values.tobytes()
    assert first.standard_errors.tobytes() == second.standard_errors.tobytes()


@pytest.mark.parametrize("kind", ["black box", "network"])
def test_the_order_and_the_company_of_rows_change_nothing(kind):
    data, background = pair()
    model = Value(wiggly) if kind == "black box" else network(mlp(7))
    whole = explained(model, data, background)
    order = np.array([5, 2, 9])
    some = explained(model, data, background, rows=order)
    np.testing.assert_allclose(some.values, whole.values[order], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(some.completeness, whole.completeness[order], atol=1e-6)


def test_the_size_of_calls_changes_nothing(monkeypatch):
    data, background = pair()
    whole = explained(Value(wiggly), data, background)
    monkeypatch.setattr(hybrids_module, "ROWS_PER_CALL", 64)
    model = Value(wiggly)
    small = explained(model, data, background)
    assert model.largest_call <= 64
    np.testing.assert_allclose(small.values, whole.values, rtol=1e-9)


def test_hostile_column_names_are_only_names():
    plain = explained(Value(wiggly), *pair())
    data, background = (table(dict(zip(["n", *HOSTILE], d.features.values(), strict=True))) for d in pair())
    found = explained(Value(wiggly), data, background)
    assert found.names == ("n", *HOSTILE)
    np.testing.assert_array_equal(found.values, plain.values)


def test_missing_values_and_words_reach_the_model_as_they_are():
    seen = set()

    def function(columns):
        seen.update(map(type, columns["word"].tolist()))
        word = np.array([{"red": 2.0, "blue": 1.0}.get(w, 0.0) for w in columns["word"]])
        return word + np.where(np.isnan(columns["x"]), -3.0, columns["x"])

    data = table({"word": np.array(["red", None, "blue"], dtype=object), "x": np.array([1.0, np.nan, 2.0])})
    found = explain(Value(function), data, seed=0)
    assert seen == {str, type(None)}
    word, x = np.array([2.0, 0.0, 1.0]), np.array([1.0, -3.0, 2.0])
    np.testing.assert_allclose(found.values, np.column_stack([word - word.mean(), x - x.mean()]), atol=1e-12)


def test_whole_numbers_stay_whole():
    kinds = set()

    def function(columns):
        kinds.add(columns["k"].dtype.kind)
        return columns["k"] * 2.0 + columns["x"]

    data = table({"k": np.arange(6), "x": np.linspace(0, 1, 6)})
    found = explain(Value(function), data, seed=0)
    assert kinds == {"i"}
    np.testing.assert_allclose(found.values[:, 0], 2 * (np.arange(6) - 2.5))


def test_constant_columns_and_a_background_of_one_row_are_no_special_case():
    columns = {**numbers(4, 3, 5), "x3": np.ones(4)}
    one = {n: v[:1] for n, v in columns.items()}
    found = explain(Value(lambda c: matrix(c).sum(axis=1)), table(columns), background=table(one), seed=0)
    assert not found.values[:, 3].any()
    assert found.background_n == 1
    np.testing.assert_allclose(found.values[1:, 0], columns["x0"][1:] - columns["x0"][0])
    assert (found.completeness < 1e-9).all()


def test_a_constant_model_has_no_reasons_and_no_error():
    found = explain(Value(lambda c: np.full(len(c["x0"]), 7.0)), table(numbers(5, 3)), seed=0)
    assert np.abs(found.values).max() < 1e-12
    assert found.completeness.max() < 1e-6


def test_a_binary_classifier_is_explained_by_the_log_odds_of_the_positive_class():
    def function(columns):
        p = 1 / (1 + np.exp(-(3 * columns["x0"] - columns["x1"])))
        return np.column_stack([1 - p, p])

    data = table(numbers(9, 2), roles=Roles(features=("x0", "x1"), positive="no"))
    found = explain(Classes(function), data, seed=0)
    x = matrix(data.features)
    np.testing.assert_allclose(found.values, np.array([-3.0, 1.0]) * (x - x.mean(axis=0)), atol=1e-9)
    assert 'class "no"' in found.scalar
    assert found.unit == "log-odds"
    other = explain(Classes(function), data, seed=0, positive="yes")
    np.testing.assert_allclose(other.values, -found.values, atol=1e-9)


def test_probabilities_of_exactly_one_stay_finite():
    def function(columns):
        p = (columns["x0"] > 0) * 1.0
        return np.column_stack([1 - p, p])

    found = explain(Classes(function), table(numbers(30, 2)), seed=0)
    assert np.isfinite(found.values).all()
    assert found.output.max() == pytest.approx(np.log(1e6), rel=1e-5)


def test_each_row_of_several_classes_is_explained_by_its_own_prediction():
    def function(columns):
        scores = np.exp(np.column_stack([columns["x0"], columns["x1"], columns["x2"]]))
        return scores / scores.sum(axis=1, keepdims=True)

    data = table(numbers(20, 3))
    found = explain(Classes(function, classes=("a", "b", "c")), data, seed=0)
    best = function(data.features)
    assert found.targets == tuple(np.array(["a", "b", "c"])[best.argmax(axis=1)])
    np.testing.assert_allclose(found.output, best.max(axis=1))
    for i in range(3):
        row, k = {n: v[[i]] for n, v in data.features.items()}, best[i].argmax()
        expected = slow_shapley(lambda c, k=k: function(c)[:, k], row, data.features)
        np.testing.assert_allclose(found.values[i], expected, atol=1e-12)


class Labels:
    kind, name, classes, features = "callable", "labels", ("no", "yes"), None

    def predict(self, columns):
        return np.full(len(columns["x0"]), "no", dtype=object)


def test_a_class_that_is_asked_for_is_explained_in_every_row_by_every_method():
    columns = numbers(40, 3)
    data = table(columns)
    label = matrix(columns).argmax(axis=1)
    forest = adapt(RandomForestClassifier(8, max_depth=3, random_state=0).fit(matrix(columns), label))
    linear = adapt(LogisticRegression().fit(matrix(columns), label))
    net = network(mlp(3, outputs=3), classes=["0", "1", "2"])
    for model, method in ((forest, "exact"), (forest, "shapley"), (linear, "exact"), (net, "expected_gradients")):
        found = explain_table(model, data, rows=np.arange(6), target="1", method=method, seed=0)
        assert found.targets == ("1",) * 6
        assert 'class "1"' in found.scalar
        if found.unit == "probability":
            np.testing.assert_allclose(found.output, model.predict_proba(data.take(range(6)).features)[:, 1], atol=1e-9)
        np.testing.assert_allclose(found.base + found.values.sum(axis=1), found.output, atol=0.02)
    with pytest.raises(ValueError, match='target must be one of 0, 1, 2, got "9"'):
        explain_table(forest, data, target="9", seed=0)


def test_labels_alone_are_refused_with_what_to_do():
    with pytest.raises(Unavailable, match="no probabilities") as error:
        explain(Labels(), table(numbers(3, 2)), seed=0)
    assert error.value.reason == "not_applicable"
    assert "predict_proba" in error.value.remedy


def test_a_model_that_answers_differently_each_time_is_withheld():
    rng = np.random.default_rng(0)
    with pytest.raises(Unavailable, match="different outputs") as error:
        explain(Value(lambda c: c["x0"] + rng.normal(size=len(c["x0"]))), table(numbers(5, 2)), seed=0)
    assert error.value.reason == "withheld"


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_undefined_even_when_only_a_mixture_gives_them(broken):
    data = table({"a": np.array([1.0, 0.0]), "b": np.array([0.0, 1.0])})
    with pytest.raises(Unavailable, match="NaN or infinite") as error:
        explain(Value(lambda c: np.where(c["a"] + c["b"] == 2, broken, c["a"])), data, seed=0)
    assert error.value.reason == "undefined"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(table({"x": np.array([])}), "insufficient_data"), (table({"x": np.ones(2)}, roles=Roles()), "missing_input")],
)
def test_no_rows_and_no_features_are_said(data, reason):
    with pytest.raises(Unavailable) as error:
        explain(Value(lambda c: c["x"]), data, seed=0)
    assert error.value.reason == reason


def test_an_unknown_method_is_an_error_and_a_black_box_has_no_gradients():
    with pytest.raises(UsageError, match='got "shap"'):
        explain(Value(wiggly), table(numbers(3, 5)), seed=0, method="shap")
    with pytest.raises(Unavailable, match="no gradients"):
        explain(Value(wiggly), table(numbers(3, 5)), seed=0, method="expected_gradients")


def test_200_rows_of_15_columns_stay_in_their_evaluations():
    w = np.random.default_rng(0).normal(size=15)
    model = Value(lambda c: np.tanh(matrix(c) @ w))
    found = explain(model, table(numbers(200, 15)), background=table(numbers(300, 15, 1)), seed=0)
    assert found.evaluations <= 200 * 5000 + 2 * 300
    assert found.standard_errors.sum() / np.abs(found.values).sum() < 0.10


def test_a_network_of_whole_numbers_is_explained_as_a_black_box_and_says_so():
    class Lookup(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(5, 1)

        def forward(self, codes):
            return self.table(codes)[:, 0]

    torch.manual_seed(0)
    model = network(Lookup().eval(), encode=lambda c: torch.tensor(c["k"]))
    found = explain(model, table({"k": np.arange(5)}), seed=0)
    weights = model.module.table.weight.detach().numpy()[:, 0].astype(float)
    np.testing.assert_allclose(found.values[:, 0], weights - weights.mean(), atol=1e-5)
    assert "whole numbers" in found.note


def test_the_background_is_a_seeded_sample_and_not_the_first_rows():
    model = Value(lambda c: c["x0"] + 0.0)
    background = table({"x0": np.repeat([0.0, 1.0], 500)})
    bases = [explain(model, table({"x0": np.ones(2)}), background=background, seed=s).base[0] for s in (0, 0, 1)]
    assert bases[0] == bases[1] != bases[2]
    assert 0.3 < bases[0] < 0.7


def test_columns_of_words_against_a_background_of_numbers_keep_their_types():
    seen = set()

    def function(columns):
        seen.update(map(type, columns["k"].tolist()))
        return np.array([float(v == "a") for v in columns["k"]])

    data = table({"k": np.array(["a", "b"], dtype=object)})
    explain(Value(function), data, background=table({"k": np.array([1.5, 2.5])}), seed=0)
    assert seen == {str, float}
