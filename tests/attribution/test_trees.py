"""Exact Shapley values of forests: the definition by brute force, on every kind of tree and split."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble, tree

from audit.attribution.tree_tables import pair_weights
from audit.attribution.trees import tree_shapley
from audit.errors import Unavailable
from audit.models import sklearn_additive as additive
from audit.models.forest import LEAF, Branch, Forest, Tree

TASKS = ("Regressor", "Classifier", "several classes")


def slow(forest, row, background, owner, columns, output):
    """The definition: every coalition of user columns, the others taken from every background row."""

    worth = {}
    for size in range(columns + 1):
        for coalition in itertools.combinations(range(columns), size):
            mixed = background.copy()
            inside = np.isin(owner, coalition)
            mixed[:, inside] = row[inside]
            worth[frozenset(coalition)] = mixed
    means = forest.raw(np.concatenate(list(worth.values())))[:, output].reshape(len(worth), -1).mean(axis=1)
    worth = dict(zip(worth, means, strict=True))
    phi = np.zeros(columns)
    for coalition, value in worth.items():
        for j in set(range(columns)) - coalition:
            weight = math.factorial(len(coalition)) * math.factorial(columns - len(coalition) - 1)
            phi[j] += weight / math.factorial(columns) * (worth[coalition | {j}] - value)
    return phi


def data(n=500, d=6, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[:, -1] = rng.integers(0, 9, n)
    y = X[:, 0] * X[:, 1] + (X[:, -1] % 3 == 1) + X[:, 2] * X[:, 3] + 0.2 * rng.normal(size=n)
    X[rng.random(X.shape) < missing] = np.nan
    return X, y


def target(y, task):
    return y if task == "Regressor" else (y > 0).astype(int) if task == "Classifier" else np.digitize(y, [-0.5, 0.5])


def fitted(name, task, X, y, **options):
    kind = task if task == "Regressor" else "Classifier"
    make = getattr(ensemble, name + kind, None) or getattr(tree, name + kind)
    return make(random_state=0, **options).fit(X, target(y, task))


def explained(model, rows, background, owner=None, columns=None, parts=1):
    forest = additive.forest(model)
    x, b = additive.design(model, rows), additive.design(model, background)
    owner = np.arange(x.shape[1]) if owner is None else owner
    columns = x.shape[1] if columns is None else columns
    targets = forest.raw(x).argmax(axis=1)
    phi = tree_shapley(forest, x, b, owner=owner, columns=columns, targets=targets, parts=parts)
    return forest, x, b, targets, phi


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("HistGradientBoosting", {"categorical_features": [5], "max_iter": 12}),
        ("GradientBoosting", {"n_estimators": 12}),
        ("RandomForest", {"n_estimators": 6}),
        ("ExtraTrees", {"n_estimators": 4}),
        ("DecisionTree", {}),
    ],
)
def test_every_kind_of_tree_gets_the_shapley_values_of_the_definition(name, options, task, missing):
    if name == "GradientBoosting" and missing:
        pytest.skip("it takes no missing values")
    X, y = data(missing=missing)
    model = fitted(name, task, X, y, **options)
    owner = np.array([0, 1, 2, 2, 3, 4])  # two design columns are one column of the user's
    forest, x, b, targets, (phi,) = explained(model, X[:4], X[20:40], owner, 5)
    for i in range(2):
        np.testing.assert_allclose(phi[i], slow(forest, x[i], b, owner, 5, targets[i]), atol=1e-12)
    gained = forest.raw(x)[np.arange(4), targets] - forest.raw(b)[:, targets].mean(axis=0)
    np.testing.assert_allclose(phi.sum(axis=1), gained, atol=1e-10)


@pytest.mark.parametrize("name", ["RandomForest", "ExtraTrees"])
def test_leaves_that_ask_for_more_columns_than_a_table_holds_are_exact_too(name):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(900, 11))
    y = np.sin(X @ rng.normal(size=11)) + 0.3 * rng.normal(size=900)
    model = fitted(name, "Regressor", X, y, n_estimators=2)
    forest, x, b, _, (phi,) = explained(model, X[:30], X[100:112])
    assert _most_columns(forest) > 8
    np.testing.assert_allclose(phi.sum(axis=1), (forest.raw(x) - forest.raw(b).mean())[:, 0], atol=1e-10)
    np.testing.assert_allclose(phi[0], slow(forest, x[0], b, np.arange(11), 11, 0), atol=1e-12)


def _most_columns(forest):
    def walk(node, seen):
        if forest.column[node] == LEAF:
            return len(seen)
        seen = seen | {int(forest.column[node])}
        return max(walk(int(forest.left[node]), seen), walk(int(forest.right[node]), seen))

    return max(walk(int(root), frozenset()) for root in forest.roots)


def test_parts_of_the_background_average_to_the_whole():
    X, y = data()
    model = fitted("HistGradientBoosting", "Classifier", X, y, max_iter=10)
    *_, whole = explained(model, X[:5], X[10:50])
    *_, halves = explained(model, X[:5], X[10:50], parts=2)
    np.testing.assert_allclose(halves.mean(axis=0), whole[0], atol=1e-12)
    assert np.abs(halves[0] - halves[1]).max() > 1e-3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_a_row_gets_the_same_alone_and_in_company_and_an_unused_column_gets_nothing(seed, m):
    X, y = data(n=120, seed=seed)
    X[:, 3] = 1.0
    model = fitted("RandomForest", "Classifier", X, y, n_estimators=3, max_depth=5)
    *_, whole = explained(model, X[:9], X[40 : 40 + m])
    *_, alone = explained(model, X[4:5], X[40 : 40 + m])
    np.testing.assert_allclose(whole[0, 4], alone[0, 0], atol=1e-12)
    assert not whole[0][:, 3].any()


def test_trees_of_one_leaf_explain_nothing():
    X = np.zeros((40, 3))
    model = fitted("DecisionTree", "Regressor", X, np.ones(40))
    *_, phi = explained(model, X[:2], X[5:9])
    assert phi.shape == (1, 2, 3)
    assert not phi.any()


def test_missing_values_take_the_learned_direction_and_unlisted_categories_the_given_one():
    forest = Forest.of(
        [
            Tree(
                column=np.array([0, 1, LEAF, LEAF, LEAF]),
                threshold=np.array([0.0, 0.0, 0, 0, 0]),
                missing_left=np.array([False, True, False, False, False]),
                left=np.array([1, 2, -1, -1, -1]),
                right=np.array([4, 3, -1, -1, -1]),
                value=np.array([[0.0], [0], [1], [2], [4]]),
                zero_missing=np.array([True, False, False, False, False]),
                branches={1: Branch(listed=np.array([2, 5]), to_left=np.array([True, False]), others_left=True)},
            )
        ],
        np.array([10.0]),
        "identity",
    )
    rows = np.array([[-1.0, 2], [-1, 5], [-1, 7], [-1, np.nan], [0, 2], [np.nan, 2], [1, 2]])
    np.testing.assert_array_equal(forest.raw(rows)[:, 0], [11, 12, 11, 11, 14, 14, 14])
    phi = tree_shapley(forest, rows, rows, owner=np.arange(2), columns=2, targets=np.zeros(len(rows), dtype=np.int64))[
        0
    ]
    for i in range(len(rows)):
        np.testing.assert_allclose(phi[i], slow(forest, rows[i], rows, np.arange(2), 2, 0), atol=1e-12)


def test_the_weights_of_a_pair_are_those_of_unanimity_and_veto():
    of_a, of_b = pair_weights(6)
    for a, b in itertools.product(range(1, 4), range(1, 4)):
        whole = math.factorial(a + b)
        assert of_a[a, b] == pytest.approx(math.factorial(a - 1) * math.factorial(b) / whole)
        assert of_b[a, b] == pytest.approx(-math.factorial(a) * math.factorial(b - 1) / whole)
        assert a * of_a[a, b] + b * of_b[a, b] == pytest.approx(0)
    assert of_a[1, 0] == 1
    assert of_b[0, 1] == -1


def test_several_targets_and_a_start_from_another_model_are_refused():
    X, y = data()
    several = tree.DecisionTreeRegressor(max_depth=2).fit(X, np.column_stack([y, y]))
    started = ensemble.GradientBoostingRegressor(init=tree.DecisionTreeRegressor(max_depth=2), n_estimators=2).fit(X, y)
    for model in (several, started):
        with pytest.raises(Unavailable) as error:
            additive.forest(model)
        assert error.value.reason == "not_applicable"
