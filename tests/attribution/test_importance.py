"""The bases of importance: their intervals cover what they say."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution.importance import mean_absolute, share
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
