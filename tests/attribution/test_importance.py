"""The bases of importance: their intervals cover what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.attribution.importance import errors_by_source, mean_absolute, ranked, share
from audit.errors import Unavailable
from audit.stats import interval, value
from tests.checks.attribution.test_global_importance import draws, made


def test_the_interval_of_a_share_covers_the_truth_as_often_as_it_says():
    inside = []
    for seed in range(400):
        found = interval(share(made(draws(100, 3, seed)).overall, [1]), 0.95)
        inside.append(found.lower <= 2 / 6 <= found.upper)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_the_interval_of_an_importance_covers_the_truth_as_often_as_it_says():
    inside = []
    for seed in range(400):
        found = interval(mean_absolute(made(draws(50, 3, seed)).overall, 1), 0.95)
        inside.append(found.lower <= 2 * np.sqrt(2 / np.pi) <= found.upper)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_shares_of_all_columns_add_up_to_one():
    explanation = made(draws()).overall
    assert sum(value(share(explanation, [j])) for j in range(3)) == pytest.approx(1)


def test_a_column_that_makes_all_or_nothing_has_a_share_of_exactly_one_or_zero():
    values = np.column_stack([np.arange(1.0, 41), np.zeros(40)])
    explanation = made(values).overall
    assert [value(share(explanation, [j])) for j in range(2)] == [1.0, 0.0]


def test_a_model_that_nothing_moves_has_nothing_to_share():
    with pytest.raises(Unavailable, match="nothing to share"):
        share(made(np.zeros((40, 2))).overall, [0])


@pytest.mark.parametrize("n", [60, 200, 600])
def test_the_ranking_intervals_and_ranks_hold_for_all_columns_at_once(n):
    truth = np.array([3, 2.9, 1, 1, 0.2]) * np.sqrt(2 / np.pi)
    order = np.array([1, 2, 3, 3, 5])
    inside, placed = [], []
    for seed in range(100):
        values = np.random.default_rng(seed).normal(size=(n, 5)) * np.array([3, 2.9, 1, 1, 0.2])
        found = ranked(np.abs(values), 0.95, np.random.default_rng(seed))
        inside.append(((found.lower <= truth) & (truth <= found.upper)).all())
        placed.append(((found.best <= order) & (order <= found.worst)).all())
    assert np.mean(inside) >= 0.90
    assert np.mean(placed) >= 0.93


def test_a_column_that_is_far_ahead_is_always_first_and_its_rank_has_no_width():
    sizes = np.random.default_rng(0).random((100, 4)) + np.array([10, 0, 0, 0])
    found = ranked(sizes, 0.95, np.random.default_rng(1))
    assert (found.best[0], found.worst[0], found.top[0]) == (1, 1, 1.0)
    assert found.worst[1:].tolist() == [4, 4, 4]


def test_columns_that_never_matter_and_twins_share_their_ranks():
    size = np.random.default_rng(0).random(50)
    found = ranked(np.column_stack([size, size, np.zeros(50)]), 0.95, np.random.default_rng(1))
    assert found.best.tolist() == [1, 1, 3]
    assert found.worst.tolist() == [2, 2, 3]


def test_the_errors_of_rows_background_and_sampling_are_told_apart():
    explanation = made(draws()).overall
    halves = np.full((200, 3), 0.1) * np.sign(explanation.values)
    both = replace(explanation, halves=halves, standard_errors=np.full((200, 3), 0.2))
    found = errors_by_source(both)
    whole = np.abs(explanation.values).mean(axis=0).sum()
    assert found["background"] == pytest.approx(0.3 / whole, rel=0.05)
    assert found["sampling"] == pytest.approx(3 * 0.2 / np.sqrt(200) / whole)
    assert found["rows"] == pytest.approx(np.abs(explanation.values).std(axis=0, ddof=1).sum() / np.sqrt(200) / whole)
    assert set(errors_by_source(explanation)) == {"rows", "sampling"}
