"""KernelSHAP: exact where all coalitions are there, efficient always, and standard errors that cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attribution.hybrids import Hybrids
from audit.attribution.kernel import kernel_design
from audit.attribution.scalar import explained_scalar
from audit.attribution.shapley import Plan, every_coalition, shapley_values

from .worlds import Value, matrix, numbers


@given(st.integers(3, 12), st.integers(0, 50))
def test_with_every_coalition_the_fit_is_the_definition(k, seed):
    game = np.random.default_rng(seed).normal(size=1 << k)
    exact, fit = every_coalition(k), kernel_design(k, 1 << k, seed)
    assert len(fit.coalitions) == (1 << k) - 2
    place = fit.coalitions @ (1 << np.arange(k))
    worth = np.concatenate([game[:1], game[place], game[-1:]])
    np.testing.assert_allclose(fit.weights @ worth, exact.weights @ game, atol=1e-9)
    values = (fit.weights @ worth)[None, :]
    assert np.abs(fit.variances(worth[None, :], values)).max() == 0  # nothing was drawn


@given(st.integers(3, 40), st.integers(6, 12), st.integers(0, 1000))
def test_a_fit_is_efficient_and_exact_for_additive_games(k, per_column, seed):
    fit = kernel_design(k, per_column * k, seed)
    rng = np.random.default_rng(seed)
    worth = rng.normal(size=len(fit.coalitions) + 2)
    assert (fit.weights @ worth).sum() == pytest.approx(worth[-1] - worth[0], abs=1e-7)
    gains = rng.normal(size=k)
    additive = 3 + np.concatenate([[0.0], fit.coalitions @ gains, [gains.sum()]])
    np.testing.assert_allclose(fit.weights @ additive, gains, atol=1e-7)
    assert fit.variances(additive[None, :], gains[None, :]).max() < 1e-12


def test_coalitions_come_with_their_complements_and_all_sizes():
    fit = kernel_design(12, 200, 0)
    np.testing.assert_array_equal(fit.coalitions[::2], ~fit.coalitions[1::2])
    assert set(fit.coalitions.sum(axis=1)) == set(range(1, 12))
    assert len(np.unique(fit.coalitions, axis=0)) == len(fit.coalitions)


def wiggly(columns):
    x = matrix(columns)
    return np.tanh(x[:, 0] * x[:, 1] + x[:, 2]) + np.abs(x[:, 3] - x[:, 4]) + 0.3 * np.maximum(x.sum(axis=1), 0)


@pytest.mark.parametrize("background", [1, 10])
def test_standard_errors_of_fits_cover_the_exact_values_as_often_as_they_say(background):
    game = Hybrids(explained_scalar(Value(wiggly), None), numbers(20, 10, 1), numbers(background, 10, 2))
    exact = shapley_values(game, Plan(background=background, exact_columns=10, walks=2), np.random.default_rng(0))
    inside = []
    for seed in range(60 if background == 1 else 12):
        plan = Plan(background=background, exact_columns=2, walks=2, fit=160)
        sampled = shapley_values(game, plan, np.random.default_rng(seed))
        inside.append(np.abs(sampled.values - exact.values) <= 1.96 * sampled.standard_errors + 1e-12)
    assert 0.93 <= np.mean(inside) <= 0.97


def test_a_plan_fits_where_a_pair_has_the_evaluations_for_it_and_walks_elsewhere():
    assert Plan.within(5000, columns=15, background=100).fit == 0
    assert Plan.within(60_000, columns=15, background=100).fit == 600
    assert Plan.within(5000, columns=15, background=1).fit == 5000
    assert Plan.within(5000, columns=12, background=1).fit == 0  # all 4,096 coalitions
