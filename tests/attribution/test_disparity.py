"""Reasons by group: exact splits, levels of the tests under the null and under a shift of inputs, and their power."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attribution.disparity import (
    correlation,
    detectable,
    gap,
    mechanism_test,
    mechanism_tests,
    propensities,
    raw_test,
    raw_tests,
    require_rows,
)
from audit.attribution.group_inputs import as_numbers, propensity_design
from audit.data.dataset import Roles
from audit.errors import Unavailable

from .worlds import table


def world(n, seed, *, shift=0.0, switch=0.0):
    """Inputs, a group, and the contributions of one mechanism, the first of which a switch makes the group's own."""
    rng = np.random.default_rng(seed)
    group = rng.random(n) < 0.4
    X = rng.normal(size=(n, 5))
    X[:, 0] += shift * group
    X[:, 1] -= shift * group
    X[:, 2] *= 1 + shift / 2 * group
    crossed = 0.3 * X[:, 1] * X[:, 2]
    phi = np.column_stack(
        [
            (1 + switch * group) * X[:, 0],
            np.sin(X[:, 1]) + crossed,
            np.abs(X[:, 2]) + crossed,
            0.5 * X[:, 3],
            0.2 * X[:, 4] ** 2,
        ]
    )
    return X, group, phi


def both_tests(n, seed, **options):
    X, group, phi = world(n, seed, **options)
    likely = propensities(np.column_stack([X, X**2]), group, seed)
    return raw_test(phi, group, seed), mechanism_test(phi, X, group, likely, seed)


def rejected(n, repeats, **options):
    """How often each of the two tests finds something at 5 %."""
    found = [both_tests(n, seed, **options) for seed in range(repeats)]
    return tuple(np.mean([one[i].p <= 0.05 for one in found]) for i in range(2))


def test_a_switched_mechanism_is_found_in_the_column_where_it_is():
    raw, same = both_tests(400, 0, switch=0.8)
    assert raw.p <= 0.01
    assert same.p <= 0.01
    assert same.column == 0


def test_inputs_that_differ_show_in_the_raw_test_and_not_in_that_of_the_mechanism():
    found = [both_tests(300, seed, shift=0.7) for seed in range(12)]
    assert np.mean([raw.p <= 0.05 for raw, _ in found]) > 0.9
    assert np.mean([same.p <= 0.05 for _, same in found]) <= 0.25


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000])
def test_false_alarms_stay_at_six_in_a_hundred_under_the_null_and_under_a_shift_of_inputs(n):
    allowed = 0.06 + 2 * np.sqrt(0.05 * 0.95 / 400)  # and the error of 400 simulations
    raw, same = rejected(n, 400)
    assert raw <= allowed
    assert same <= allowed
    _, shifted = rejected(n, 400, shift=0.7)
    assert shifted <= allowed


@pytest.mark.slow
def test_a_moderate_switch_is_found_at_200_rows_and_a_weak_one_at_1000():
    assert rejected(200, 60, switch=0.6)[1] >= 0.85
    assert rejected(1000, 40, switch=0.3)[1] >= 0.5


def test_the_p_of_a_class_counts_the_largest_statistic_of_all_classes():
    X, group, phi = world(120, 3, switch=0.3)
    rng = np.random.default_rng(5)
    others = [phi * rng.choice([-1, 1], (120, 1)), rng.normal(size=phi.shape)]
    alone, together = raw_test(phi, group, 1), raw_tests([phi, *others], group, 1)
    assert together[0].largest == alone.largest
    assert together[0].p >= alone.p
    assert (together[0].column, together[0].of) == (alone.column, alone.of)
    likely = propensities(np.column_stack([X, X**2]), group, 1)
    same = mechanism_tests([phi, *others], X, group, likely, 1)
    assert same[0].largest == mechanism_test(phi, X, group, likely, 1).largest
    assert same[0].p >= mechanism_test(phi, X, group, likely, 1).p


def test_over_classes_that_differ_nowhere_some_p_is_small_no_more_often_than_for_one():
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        logits = rng.normal(size=(100, 4, 3))
        alarms += min(t.p for t in raw_tests(list(np.moveaxis(logits, 2, 0)), rng.random(100) < 0.4, seed)) <= 0.05
    assert alarms <= 8, "of 60 at 5 %: 99.5 % of draws"


@given(st.integers(0, 1000))
def test_the_parts_of_the_gap_add_up_to_the_gap_of_the_scores(seed):
    _, group, phi = world(80, seed, shift=0.5)
    found = gap(phi, group, 0.95, seed)
    scores = phi.sum(axis=1)
    assert found.parts.sum() == pytest.approx(scores[group].mean() - scores[~group].mean(), abs=1e-9)
    assert found.total == pytest.approx(found.parts.sum())
    assert ((found.lower <= found.parts) & (found.parts <= found.upper)).all()


def test_the_intervals_of_the_gap_cover_all_columns_at_once_as_often_as_they_say():
    inside = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        group = np.arange(150) < 60
        phi = np.exp(rng.normal(size=(150, 6)) * 0.5) + np.outer(group, np.arange(6)) * 0.3
        found = gap(phi, group, 0.95, seed)
        truth = np.arange(6) * 0.3
        inside.append(((found.lower <= truth) & (truth <= found.upper)).all())
    assert 0.91 <= np.mean(inside) <= 0.985


def test_groups_under_thirty_are_refused_with_what_they_could_show():
    with pytest.raises(Unavailable, match=r"20 rows of the group.*0\.7 standard deviations") as error:
        require_rows(np.arange(100) < 20)
    assert error.value.reason == "insufficient_data"
    require_rows(np.arange(60) < 30)
    assert detectable(100, 100) == pytest.approx(2.8016 * np.sqrt(0.02), rel=1e-3)
    assert detectable(0, 10) == np.inf


def test_groups_whose_inputs_do_not_overlap_have_no_mechanism_to_compare():
    X, group, phi = world(200, 0)
    with pytest.raises(Unavailable, match="occur in both groups"):
        mechanism_test(phi, X, group, np.where(group, 0.99, 0.01), 0)


def test_the_same_seed_gives_the_same_p_and_a_constant_contribution_is_no_difference():
    X, group, phi = world(100, 1)
    assert raw_test(phi, group, 5) == raw_test(phi, group, 5)
    flat = np.ones((100, 2))
    assert raw_test(flat, group, 0).p == 1
    assert mechanism_test(flat, X[:, :2], group, np.full(100, 0.4), 0).p > 0.05


def test_a_correlation_needs_two_things_that_vary():
    group = np.array([True, True, False, False])
    assert correlation(np.array([1.0, 1, 0, 0]), group) == pytest.approx(1)
    assert correlation(np.array([1.0, np.nan, 0, 0]), group) == pytest.approx(1)
    assert correlation(np.ones(4), group) is None


def test_features_become_numbers_with_missing_ones_apart():
    words = np.array(["a", "b", None, "b"], dtype=object)
    data = table(
        {"x": np.array([1.0, np.nan, 3.0, 4.0]), "word": words, "sex": np.array(["m", "f", "m", "f"], dtype=object)},
        roles=Roles(features=("x", "word", "sex")),
    )
    np.testing.assert_array_equal(as_numbers(data)[:, 1], [0, 1, np.nan, 1])
    design = propensity_design(data, without=("sex",))
    assert np.isfinite(design).all()
    assert design.shape == (4, 5)  # x, its square, its flag; two of three levels of the word
