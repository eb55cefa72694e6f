"""Shapley values: worlds whose answer is known, and the definition itself as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attribution import explain
from audit.attribution.hybrids import Hybrids
from audit.attribution.scalar import explained_scalar
from audit.attribution.shapley import Plan, both_ways, every_coalition, shapley_values, until_accurate

from .worlds import Value, matrix, numbers, slow_shapley, table

SAMPLED = 200  # evaluations a row that force walks at ten columns


def three_way(columns):
    x = matrix(columns)
    return x[:, 0] * x[:, 1] * x[:, 2] + np.sin(x[:, 3] * x[:, 4] * x[:, 0]) + x[:, 5] ** 2 * x[:, 1] * x[:, 2]


def test_exact_values_equal_the_definition():
    data, background = table(numbers(4, 6, 1)), table(numbers(9, 6, 2))
    found = explain(Value(three_way), data, background=background, seed=0)
    for i in range(4):
        row = {n: v[[i]] for n, v in data.features.items()}
        expected = slow_shapley(three_way, row, background.features)
        np.testing.assert_allclose(found.values[i], expected, atol=1e-12)
    assert "exact" in found.method
    assert not found.standard_errors.any()


@pytest.mark.parametrize("evaluations", [SAMPLED, 100_000])
def test_a_linear_model_gets_its_closed_form_however_it_is_computed(evaluations):
    w = np.arange(1.0, 11.0)
    data, background = table(numbers(7, 10, 3)), table(numbers(20, 10, 4))
    model = Value(lambda c: matrix(c) @ w + 5)
    found = explain(model, data, background=background, evaluations=evaluations, seed=0)
    used = explain(model, data, background=background, evaluations=evaluations, seed=0).background_n
    assert found.background_n == used
    if used == 20:
        np.testing.assert_allclose(
            found.values, w * (matrix(data.features) - matrix(background.features).mean(axis=0)), atol=1e-10
        )
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), found.output, atol=1e-10)


def test_a_product_of_two_columns_is_shared_as_the_closed_form_says():
    data, background = table(numbers(6, 2, 5)), table(numbers(15, 2, 6))
    found = explain(Value(lambda c: c["x0"] * c["x1"]), data, background=background, seed=0)
    x, b = matrix(data.features), matrix(background.features)
    m0, m1, m01 = b[:, 0].mean(), b[:, 1].mean(), (b[:, 0] * b[:, 1]).mean()
    both = x[:, 0] * x[:, 1]
    first = 0.5 * (x[:, 0] * m1 - m01) + 0.5 * (both - m0 * x[:, 1])
    np.testing.assert_allclose(found.values[:, 0], first, atol=1e-12)
    np.testing.assert_allclose(found.values.sum(axis=1), both - m01, atol=1e-12)


def test_exclusive_or_is_shared_equally():
    data = table({"a": np.array([1.0]), "b": np.array([1.0])})
    background = table({"a": np.array([0.0]), "b": np.array([0.0])})
    found = explain(
        Value(lambda c: (c["a"] + c["b"] == 1) * 1.0 + 2 * c["a"] * c["b"]), data, background=background, seed=0
    )
    np.testing.assert_allclose(found.values, [[1.0, 1.0]])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_an_unused_column_gets_nothing_and_twins_get_the_same(seed):
    columns = numbers(5, 10, seed)
    columns["x1"] = columns["x0"].copy()
    back = numbers(8, 10, seed + 1)
    back["x1"] = back["x0"].copy()

    def function(c):
        return (c["x0"] + c["x1"]) ** 2 * c["x2"] + np.cos(c["x3"])

    walked = explain(Value(function), table(columns), background=table(back), evaluations=400, seed=seed)
    assert "permutations" in walked.method
    assert np.abs(walked.values[:, 4:]).max() < 1e-12
    fitted = explain(Value(function), table(columns), background=table(back), evaluations=4000, seed=seed)
    assert "KernelSHAP" in fitted.method
    assert (np.abs(fitted.values[:, 4:]) <= 8 * fitted.standard_errors[:, 4:] + 1e-9).all()
    exact = explain(Value(function), table(columns), background=table(back), evaluations=100_000, seed=seed)
    np.testing.assert_allclose(exact.values[:, 0], exact.values[:, 1], atol=1e-12)


@pytest.mark.parametrize("walks", [2, 4])
def test_standard_errors_cover_the_exact_values_as_often_as_they_say(walks):
    model = Value(lambda c: np.tanh(matrix(c).sum(axis=1)) + 0.2 * three_way(c))
    game = Hybrids(explained_scalar(model, None), numbers(25, 8, 7), numbers(40, 8, 8))
    exact = shapley_values(game, Plan(background=40, exact_columns=8, walks=2), np.random.default_rng(0))
    inside = []
    for seed in range(12):
        plan = Plan(background=40, exact_columns=2, walks=walks)
        sampled = shapley_values(game, plan, np.random.default_rng(seed))
        inside.append(np.abs(sampled.values - exact.values) <= 1.96 * sampled.standard_errors + 1e-12)
        assert not sampled.exact
    assert 0.92 <= np.mean(inside) <= 0.98


def test_more_evaluations_make_the_error_smaller():
    data, background = table(numbers(10, 9, 9)), table(numbers(20, 9, 10))
    sizes = [
        explain(Value(three_way), data, background=background, evaluations=e, seed=0).standard_errors.mean()
        for e in (800, 4000, 100_000)
    ]
    assert sizes[0] > sizes[1] > sizes[2] == 0


@given(st.integers(1, 9), st.integers(0, 1000))
def test_both_designs_are_efficient_and_agree_on_additive_games(k, seed):
    gains = np.random.default_rng(seed).normal(size=k)
    for design in (every_coalition(k), *((both_ways(k),) if k > 1 else ())):
        worth = np.concatenate([[0.0], design.coalitions @ gains, [gains.sum()]])
        np.testing.assert_allclose(design.weights @ worth, gains, atol=1e-12)


@given(st.integers(1, 400), st.integers(1, 500), st.integers(8, 200_000))
def test_a_plan_keeps_near_its_budget_and_never_falls_under_its_floor(columns, background, evaluations):
    plan = Plan.within(evaluations, columns=columns, background=background)
    floor = min(background, 8) * max(4 * (columns - 1), 2)
    assert plan.most_evaluations(columns) <= max(evaluations, floor)
    assert 1 <= plan.background <= background


def test_rows_that_are_explained_well_enough_are_left_at_a_first_look_and_each_decides_for_itself():
    # rows 0..4 lie where the function is additive, the others where it is not
    def bent(c):
        x = matrix(c)
        return x.sum(axis=1) + 5 * np.tanh(x[:, 0] * x[:, 1] * x[:, 2]) * (x[:, 11] > 5)

    columns = numbers(10, 12, 4)
    columns["x11"] = np.where(np.arange(10) < 5, 0.0, 9.0)
    background = numbers(5, 12, 5)
    game = Hybrids(explained_scalar(Value(bent), None), columns, background)
    plan = Plan(background=5, exact_columns=2, walks=2, fit=480)
    whole = until_accurate(game, plan, np.random.default_rng(0))
    full = shapley_values(game, plan, np.random.default_rng(0))
    before = game.evaluations
    until_accurate(game, plan, np.random.default_rng(0))
    assert game.evaluations - before < 10 * 5 * (160 + 480) * 0.7
    exact = shapley_values(game, Plan(background=5, exact_columns=12, walks=2), np.random.default_rng(0))
    np.testing.assert_allclose(whole.values[:5], exact.values[:5], atol=1e-6)
    assert np.abs(whole.values - exact.values).mean() < 1.5 * np.abs(full.values - exact.values).mean() + 1e-9
    few = Hybrids(explained_scalar(Value(bent), None), {n: v[7:8] for n, v in columns.items()}, background)
    alone = until_accurate(few, plan, np.random.default_rng(0))
    np.testing.assert_allclose(alone.values[0], whole.values[7], atol=1e-9)
