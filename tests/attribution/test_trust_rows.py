"""Trust in contributions of single rows, and how far mixed rows lie from real ones."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution import explain
from audit.attribution.trust_rows import hybrid_gap, numeric, row_faithfulness
from audit.errors import Unavailable
from audit.stats import value

from .worlds import Value, matrix, numbers, table

RNG = np.random.default_rng
WEIGHTS = np.array([3.0, -2.0, 1.0, 0.0, 0.5])


def linear(columns):
    return matrix(columns) @ WEIGHTS


def test_true_contributions_of_a_linear_model_are_perfectly_faithful_and_reversed_ones_are_not():
    data = table(numbers(20, 5))
    phi = (matrix(data.features) - matrix(data.features).mean(axis=0)) * WEIGHTS
    right = row_faithfulness(Value(linear), data.features, phi, data.features, None, RNG(0))
    wrong = row_faithfulness(Value(linear), data.features, -phi, data.features, None, RNG(0))
    assert right.min() > 0.95
    assert np.median(wrong) < -0.95


def test_shapley_values_of_a_model_with_interactions_are_still_faithful_and_random_ones_are_not():
    data = table(numbers(30, 5))
    model = Value(lambda c: np.tanh(linear(c)) + c["x0"] * c["x1"])
    found = explain(model, data, seed=0)
    faithful = row_faithfulness(model, data.features, found.values, data.features, None, RNG(0))
    noise = row_faithfulness(model, data.features, RNG(1).normal(size=(30, 5)), data.features, None, RNG(0))
    assert np.median(faithful) > 0.7
    assert abs(np.mean(noise)) < 0.25


def test_a_constant_model_has_no_faithfulness_and_two_columns_are_too_few():
    data = table(numbers(5, 3))
    flat = row_faithfulness(
        Value(lambda c: np.ones(len(c["x0"]))), data.features, np.ones((5, 3)), data.features, None, RNG(0)
    )
    assert np.isnan(flat).all()
    with pytest.raises(Unavailable, match="too few"):
        row_faithfulness(Value(linear), data.features, np.ones((5, 2)), data.features, None, RNG(0))


def test_mixing_independent_columns_is_not_seen_and_mixing_dependent_ones_is():
    x = RNG(0).normal(size=(900, 3))
    alone = {f"x{j}": x[:, j] for j in range(3)}
    tied = {"a": x[:, 0], "b": x[:, 0] + 0.1 * x[:, 1], "c": -x[:, 0] + 0.1 * x[:, 2]}
    assert value(hybrid_gap(alone, RNG(1))) < 0.58
    assert value(hybrid_gap(tied, RNG(1))) > 0.85


def test_missing_numbers_and_words_become_numbers():
    rows = {"n": np.array([1.0, np.nan, 3.0]), "w": np.array(["a", None, "a"], dtype=object)}
    assert numeric(rows).tolist() == [[1.0, 1.0, 0.0], [2.0, 0.0, 1.0], [3.0, 1.0, 0.0]]
    with pytest.raises(Unavailable, match="one column"):
        hybrid_gap({"n": np.arange(90.0)}, RNG(0))
