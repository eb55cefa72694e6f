"""Permutation importance: known increases, pairs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution.permutation import loss_increase, losses
from audit.checks.attribution.permutation_importance import Params, permutation_importance
from audit.errors import Unavailable
from audit.results import Ranking
from tests.attribution.test_inputs import binary, predicted
from tests.attribution.worlds import Classes, Value, matrix, numbers, table


def linear(columns):
    return 3 * columns["x0"] + columns["x1"]


def measured_by_feature(outcome):
    return {m.params["feature"]: m for m in outcome.measurements}


def test_shuffling_a_column_of_a_linear_model_costs_twice_its_variance():
    data = table(numbers(4000, 3))
    y = linear(data.features)
    answers = predicted(value=y, label=y, task="regression")
    found = measured_by_feature(permutation_importance(Value(linear), data, answers, 1, 0.95))
    # E (w x - w x')^2 = 2 w^2 var(x) for a shuffled x'
    for name, truth in (("x0", 18.0), ("x1", 2.0), ("x2", 0.0)):
        assert found[name].interval.lower <= truth <= found[name].interval.upper + 1e-12
    assert found["x2"].value == 0
    assert list(found) == ["x0", "x1", "x2"]


def sigmoid(columns):
    p = 1 / (1 + np.exp(-2 * columns["x0"]))
    return np.column_stack([1 - p, p])


def test_a_classifier_is_measured_by_the_log_loss_of_the_true_class():
    data = table(numbers(300, 2))
    label = (data.features["x0"] > 0).astype(np.int32)
    p = sigmoid(data.features)
    np.testing.assert_allclose(losses(Classes(sigmoid), data.features, label), -np.log(p[np.arange(300), label]))
    outcome = permutation_importance(Classes(sigmoid), data, binary(p[:, 1], label), 1, 0.95)
    found = measured_by_feature(outcome)
    assert found["x0"].interval.lower > 0.3
    assert found["x1"].value == pytest.approx(0, abs=1e-12)
    assert any(isinstance(e, Ranking) for e in outcome.evidence)


def test_the_increase_is_the_mean_over_the_shuffles_of_paired_differences():
    columns = numbers(20, 2)
    y = linear(columns) + 1
    before = losses(Value(linear), columns, y)
    found = loss_increase(Value(linear), columns, y, ["x0"], before, np.random.default_rng(3), 4)
    draw = np.random.default_rng(3)
    slow = np.zeros(20)
    for _ in range(4):
        slow += (linear({**columns, "x0": columns["x0"][draw.permutation(20)]}) - y) ** 2 / 4
    np.testing.assert_allclose(found, slow - before)


def test_one_feature_may_be_asked_for_and_the_seed_decides():
    data = table(numbers(100, 3))
    y = predicted(value=linear(data.features), label=linear(data.features) + 0.1, task="regression")
    runs = [permutation_importance(Value(linear), data, y, seed, 0.95, Params(feature="x1")) for seed in (1, 1, 2)]
    values = [measured_by_feature(run)["x1"].value for run in runs]
    assert values[0] == values[1] != values[2]
    with pytest.raises(Unavailable, match="no feature"):
        permutation_importance(Value(linear), data, y, 1, 0.95, Params(feature="z"))


def test_without_labels_or_with_labels_only_it_is_refused():
    data = table(numbers(50, 2))
    with pytest.raises(Unavailable) as error:
        permutation_importance(Value(matrix), data, predicted(value=np.ones(50), task="regression"), 1, 0.95)
    assert error.value.reason == "missing_input"
