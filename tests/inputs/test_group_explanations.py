"""Rows by which groups are compared: enough of each, drawn fairly, and one class at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.data import Codes
from audit.errors import Unavailable
from audit.inputs import group_explanations as module
from audit.inputs.explanations import explanations
from audit.inputs.group_explanations import group_explanations, rows_of_their_own
from audit.inputs.groups import Groups, crossed
from tests.attribution.test_inputs import case, predicted, sigmoid
from tests.attribution.worlds import Classes, Value, matrix, numbers, table


def groups(**codes):
    found = []
    for name, values in codes.items():
        levels = tuple(f"{name}{i}" for i in range(int(np.max(values)) + 1))
        found.append(crossed((name,), {name: Codes(codes=np.asarray(values, dtype=np.int32), levels=levels)}))
    return Groups(n=len(values), sets=tuple(found))


def regression(sizes, model=None):
    n = sum(sizes)
    data = table(numbers(n, 3))
    model = model or Value(lambda c: matrix(c).sum(axis=1))
    predictions = predicted(value=model.predict_value(data.features), task="regression")
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    explained = explanations(case(None), model, data, predictions, seed=1)
    return model, data, predictions, groups(sex=codes), explained


def test_a_group_of_sixty_among_five_thousand_gets_its_rows_and_the_sample_stays_as_it_was():
    model, data, predictions, sex, explained = regression((4940, 60))
    found = group_explanations(case(None), model, data, predictions, sex, explained, seed=1)
    big, small = found.contrasts
    assert (sex.sets[0].codes[explained.rows] == 1).sum() < 30
    assert len(small.inside) == 50
    assert (sex.sets[0].codes[found.rows[small.inside]] == 1).all()
    assert (sex.sets[0].codes[found.rows[small.outside]] == 0).all()
    assert set(found.rows[small.outside]) == set(explained.rows[sex.sets[0].codes[explained.rows] == 0])
    np.testing.assert_array_equal(big.at, small.at)
    np.testing.assert_array_equal(big.group, ~small.group)
    np.testing.assert_allclose(
        found.explanations[0].values, matrix(data.take(found.rows).features) - _means(found, data), atol=1e-9
    )


def _means(found, data):
    one = found.explanations[0]
    return (matrix(data.take(found.rows).features) - one.values)[:1]  # the same background for all rows


def test_rows_drawn_for_one_group_take_no_part_in_the_comparisons_of_others():
    n = 4000
    rng = np.random.default_rng(2)
    site = rng.permutation(np.repeat([0, 1], [n - 60, 60]))
    sex = np.where(site == 1, 1, rng.integers(0, 2, n))  # everybody at the small site is of one sex
    data, model = table(numbers(n, 3)), Value(lambda c: matrix(c).sum(axis=1))
    predictions = predicted(value=model.predict_value(data.features), task="regression")
    explained = explanations(case(None), model, data, predictions, seed=1)
    found = group_explanations(case(None), model, data, predictions, groups(sex=sex, site=site), explained, seed=1)
    of_sex = [one for one in found.contrasts if "sex" in one.slice]
    assert all(set(found.rows[one.at]) == set(explained.rows) for one in of_sex)


def test_a_group_that_the_data_hold_too_few_of_is_not_drawn_for():
    model, data, predictions, sex, explained = regression((980, 20))
    found = group_explanations(case(None), model, data, predictions, sex, explained, seed=1)
    np.testing.assert_array_equal(found.rows, explained.rows)
    assert len(found.contrasts) == 2


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 400), min_size=2, max_size=5), st.integers(0, 9))
def test_every_side_that_the_data_hold_thirty_of_gets_thirty_or_was_there(sizes, seed):
    n = sum(sizes)
    rng = np.random.default_rng(seed)
    one = groups(g=rng.permutation(np.repeat(np.arange(len(sizes)), sizes))).sets
    sample = np.sort(rng.permutation(n)[: min(n, 100)])
    usable = np.ones(n, dtype=bool)
    owned = rows_of_their_own(list(one), usable, sample, seed)
    assert all(not set(rows) & set(sample) for rows in owned.values())
    assert sum(map(len, owned.values())) <= module.MOST_EXTRA * len(sample)
    for code, size in enumerate(sizes):
        side = one[0].codes == code
        had = int(side[sample].sum()) + len(owned.get(side.tobytes(), ()))
        assert had >= 30 or size < 30 or sum(map(len, owned.values())) > module.MOST_EXTRA * len(sample) - 50


def test_each_class_is_explained_for_every_row_and_a_row_drawn_apart_is_right_too():
    n = 700
    data = table(numbers(n, 3))
    softmax = lambda c: np.exp(matrix(c)) / np.exp(matrix(c)).sum(axis=1, keepdims=True)  # noqa: E731  # the oracle
    predictions = predicted(softmax(data.features), task="multiclass")
    model = Classes(softmax, classes=predictions.classes)
    codes = np.repeat([0, 1], [n - 40, 40])
    explained = explanations(case(None), model, data, predictions, seed=1)
    found = group_explanations(case(None), model, data, predictions, groups(sex=codes), explained, seed=1)
    assert found.classes == predictions.classes
    probability = softmax(data.take(found.rows).features)
    for k, one in enumerate(found.explanations):
        assert set(one.targets) == {predictions.classes[k]}
        assert one.scalar == f'the probability of class "{predictions.classes[k]}"'
        np.testing.assert_allclose(one.output, probability[:, k], atol=1e-9)
    total = sum(one.values for one in found.explanations)
    assert np.abs(total).max() < 0.05, "probabilities add up to one, so contributions to them add up to nothing"
    assert len(found.contrasts[1].inside) >= 30


def test_classes_beyond_the_twentieth_are_named_as_left_out(monkeypatch):
    monkeypatch.setattr(module, "MOST_CLASSES", 2)
    n = 200
    data = table(numbers(n, 3))
    predictions = predicted(_shares(matrix(data.features)), task="multiclass")
    model = Classes(lambda c: _shares(matrix(c)), classes=predictions.classes)
    explained = explanations(case(None), model, data, predictions, seed=1)
    found = group_explanations(case(None), model, data, predictions, groups(sex=np.arange(n) % 2), explained, seed=1)
    assert found.left_out == ("maybe",)
    assert len(found.explanations) == 2


def _shares(x):
    p = np.abs(x) + np.array([1.0, 0.5, 0.0])
    return p / p.sum(axis=1, keepdims=True)


def test_without_groups_and_with_one_group_it_says_so():
    model, data, predictions, _, explained = regression((300,))
    none, same = Groups(n=300, sets=()), groups(sex=np.zeros(300))
    with pytest.raises(Unavailable, match="no column has the role groups"):
        group_explanations(case(None), model, data, predictions, none, explained, seed=1)
    with pytest.raises(Unavailable, match="of one group"):
        group_explanations(case(None), model, data, predictions, same, explained, seed=1)


def test_a_binary_model_is_explained_once_about_its_positive_class():
    data = table(numbers(400, 3))
    predictions = predicted(sigmoid(data.features))
    explained = explanations(case(None), Classes(sigmoid), data, predictions, seed=1)
    codes = np.repeat([0, 1], [360, 40])
    found = group_explanations(case(None), Classes(sigmoid), data, predictions, groups(sex=codes), explained, seed=1)
    assert found.classes == ("",)
    assert set(found.explanations[0].targets) == {"yes"}
