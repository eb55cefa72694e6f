"""Groups of columns that are explained as one: every method against the definition, over all coalitions of groups."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import audit
from audit.attribution import explain, tree_cells
from audit.attribution.players import Players
from audit.data.dataset import FeatureGroup, Roles
from audit.models.sklearn import adapt

from .one_call_worlds import as_table
from .test_closed_form import classes, people, pipeline, several
from .worlds import Value, mlp, network, numbers, table

GROUPS = (FeatureGroup(name="size", columns=("x0", "x3")), FeatureGroup(name="shape", columns=("x1", "x2", "x5")))
PLAYERS = ("size", "shape", "x4")


def grouped(columns, groups=GROUPS):
    return table(columns, roles=Roles(features=tuple(columns), feature_groups=groups))


def by_definition(function, row, background, players):
    """Shapley values of the players by their definition: all coalitions, the others taken from every background row."""
    m = len(next(iter(background.values())))
    names = players.names

    def worth(coalition):
        inside = {column for name in coalition for column in players.members(name)}
        return float(np.mean(function({c: np.repeat(row[c], m) if c in inside else background[c] for c in background})))

    phi = np.zeros(len(names))
    for j, name in enumerate(names):
        others = [n for n in names if n != name]
        for size in range(len(names)):
            weight = math.factorial(size) * math.factorial(len(names) - size - 1) / math.factorial(len(names))
            for inside in itertools.combinations(others, size):
                phi[j] += weight * (worth((*inside, name)) - worth(inside))
    return phi


def matches_the_definition(found, function, columns, background, players, atol=1e-6):
    for i in range(found.n):
        row = {name: values[i : i + 1] for name, values in columns.items()}
        np.testing.assert_allclose(found.values[i], by_definition(function, row, background, players), atol=atol)


def some(columns, n):
    return {name: values[:n] for name, values in columns.items()}


def entangled(columns):
    """Products within the groups and between them."""
    x = [np.asarray(values, dtype=np.float64) for values in columns.values()]
    return x[0] * x[3] + 2 * x[1] * x[4] + x[2] * x[5] * x[0] + x[4] - x[3]


def fitted(model, columns, y):
    return adapt(model.fit(pd.DataFrame(columns), y))


TREES = [
    HistGradientBoostingRegressor(max_iter=15, max_leaf_nodes=12),
    RandomForestRegressor(6, max_depth=None, min_samples_leaf=3, random_state=0),
]


@pytest.mark.parametrize("trees", TREES)
def test_trees_give_a_group_its_value_in_the_game_of_groups_and_not_the_sum_of_its_columns(trees):
    columns = numbers(250, 6)
    model = fitted(trees, columns, entangled(columns))
    found = explain(model, grouped(columns), rows=np.arange(5), background=grouped(some(columns, 25)), method="exact")
    assert found.names == PLAYERS
    assert found.method.startswith("exact Shapley values of the trees")
    matches_the_definition(found, model.predict_value, columns, some(columns, 25), Players.in_data(grouped(columns)))
    alone = explain(model, grouped(columns, ()), rows=np.arange(5), background=grouped(some(columns, 25)))
    sums = alone.values[:, [1, 2, 5]].sum(axis=1)
    assert np.abs(sums - found.values[:, 1]).max() > 1e-3
    np.testing.assert_allclose(found.values.sum(axis=1), found.output - found.base, atol=1e-9)


def test_rows_that_do_not_fit_into_memory_at_once_are_explained_in_parts_alike(monkeypatch):
    columns = numbers(600, 6)
    model = fitted(HistGradientBoostingRegressor(max_iter=10), columns, entangled(columns))
    whole = explain(model, grouped(columns), background_rows=60, seed=1)
    monkeypatch.setattr(tree_cells, "MOST_CELLS", 1)
    assert tree_cells.rows_at_once(model.forest(), Players.in_data(grouped(columns)).of, 3, 60) == 256
    np.testing.assert_allclose(explain(model, grouped(columns), background_rows=60, seed=1).values, whole.values)
    assert tree_cells.rows_at_once(model.forest(), np.arange(6), 6, 60) > 10**9  # columns alone need no parts


def test_a_black_box_is_enumerated_over_the_groups_where_they_are_few():
    columns = numbers(40, 6)
    found = explain(Value(entangled), grouped(columns), rows=np.arange(6), background=grouped(some(columns, 20)))
    assert found.method.startswith("exact Shapley values (all coalitions")
    assert found.names == tuple(found.parts) == PLAYERS
    matches_the_definition(found, entangled, columns, some(columns, 20), Players.in_data(grouped(columns)))


def many(d=28):
    """28 columns in 14 groups of two: more than are enumerated, few enough for the definition."""
    groups = tuple(FeatureGroup(name=f"g{j}", columns=(f"x{2 * j}", f"x{2 * j + 1}")) for j in range(d // 2))
    columns = numbers(12, d, 3)

    def function(c):
        x = np.column_stack(list(c.values()))
        return np.tanh(x[:, ::2] * x[:, 1::2]).sum(axis=1) + x[:, 0] * x[:, 2] + np.sin(x[:, 5] * x[:, 9])

    return columns, groups, function


@pytest.mark.parametrize(
    ("evaluations", "words", "most"), [(12_000, "KernelSHAP", 0.05), (600, "antithetic pairs", 0.3)]
)
def test_sampled_shapley_values_of_groups_lie_within_their_standard_errors(evaluations, words, most):
    columns, groups, function = many()
    data, background = grouped(columns, groups), grouped(some(columns, 8), groups)
    found = explain(Value(function), data, rows=np.arange(2), background=background, evaluations=evaluations, seed=1)
    assert words in found.method
    row = {name: values[0:1] for name, values in columns.items()}
    truth = by_definition_of_pairs(function, row, some(columns, 8), groups)
    assert np.abs(found.values[0] - truth).max() <= 5 * found.standard_errors[0].max() + 1e-9
    assert np.abs(found.values[0] - truth).max() < most * np.abs(truth).max()
    np.testing.assert_allclose(found.values.sum(axis=1), found.output - found.base, atol=1e-9)


def by_definition_of_pairs(function, row, background, groups):
    """The definition for 14 players, all 2^14 coalitions in one call a background row."""
    p, m = len(groups), len(next(iter(background.values())))
    inside = ((np.arange(2**p)[:, None] >> np.arange(p)) & 1).astype(bool)
    owner = {column: j for j, group in enumerate(groups) for column in group.columns}
    worth = np.zeros(2**p)
    for b in range(m):
        worth += function({c: np.where(inside[:, owner[c]], row[c], background[c][b]) for c in background}) / m
    size = inside.sum(axis=1)
    weight = np.array([1 / (p * math.comb(p - 1, s)) if s < p else 0.0 for s in range(p + 1)])
    return np.array(
        [
            (weight[size[~inside[:, j]]] * (worth[np.flatnonzero(~inside[:, j]) | 1 << j] - worth[~inside[:, j]])).sum()
            for j in range(p)
        ]
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_a_linear_group_is_the_sum_of_its_columns(seed, d):
    rng = np.random.default_rng(seed)
    columns = numbers(60, d, seed)
    model = fitted(LinearRegression(), columns, rng.normal(size=60))
    groups = partition(rng, list(columns), 3)
    alone, found = (explain(model, grouped(columns, g), seed=seed) for g in ((), groups))
    players = Players.in_data(grouped(columns, groups))
    for j in range(len(players.names)):
        np.testing.assert_allclose(found.values[:, j], alone.values[:, players.places(j)].sum(axis=1), atol=1e-9)
    matches_the_definition(found.take(slice(0, 2)), model.predict_value, columns, columns, players)


def partition(rng, names, most):
    """The columns cut into at most so many groups, at random."""
    label = rng.integers(0, most, len(names))
    drawn = {f"g{k}": tuple(n for n, own in zip(names, label, strict=True) if own == k) for k in range(most)}
    return tuple(FeatureGroup(name=name, columns=columns) for name, columns in drawn.items() if columns)


def test_integrated_gradients_of_a_group_are_the_sum_of_those_of_its_columns():
    columns = numbers(30, 6)
    model = network(mlp(6))
    alone, found = (
        explain(model, grouped(columns, g), rows=np.arange(8), method="expected_gradients") for g in ((), GROUPS)
    )
    assert found.names == PLAYERS
    sums = np.column_stack([alone.values[:, own].sum(axis=1) for own in ([0, 3], [1, 2, 5], [4])])
    np.testing.assert_allclose(found.values, sums, atol=1e-6)
    assert np.abs(found.values.sum(axis=1) - (found.output - found.base)).max() < 0.02


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["trees", "linear", "black box", "gradients"]))
def test_groups_of_one_column_each_change_nothing(seed, which):
    columns = numbers(40, 4, seed)
    y = columns["x0"] * columns["x1"] + columns["x2"]
    model = {
        "trees": lambda: fitted(HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=4), columns, y),
        "linear": lambda: fitted(LinearRegression(), columns, y),
        "black box": lambda: Value(lambda c: c["x0"] * c["x1"] + np.sin(c["x2"] * c["x3"])),
        "gradients": lambda: network(mlp(4, seed=seed)),
    }[which]()
    each = tuple(FeatureGroup(name=f"only {name}", columns=(name,)) for name in reversed(columns))
    alone, found = (explain(model, grouped(columns, g), rows=np.arange(5), seed=seed) for g in ((), each))
    assert found.names == tuple(f"only {name}" for name in columns)
    assert found.values.tobytes() == alone.values.tobytes()
    assert found.standard_errors.tobytes() == alone.standard_errors.tobytes()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_any_partition_is_efficient_and_repeats_to_the_byte(seed):
    rng = np.random.default_rng(seed)
    columns = numbers(30, 6, seed)
    data = grouped(columns, partition(rng, list(columns), 4))
    first, second = (explain(Value(entangled), data, rows=np.arange(4), background_rows=10, seed=seed) for _ in "ab")
    assert first.values.tobytes() == second.values.tobytes()
    np.testing.assert_allclose(first.values.sum(axis=1), first.output - first.base, atol=1e-9)
    players = Players.in_data(data)
    order = generator_order(seed, 30)[:10]
    matches_the_definition(first, entangled, columns, {n: v[order] for n, v in columns.items()}, players)


def generator_order(seed, n):
    from audit.stats import generator

    return generator(seed, "attribution.background").permutation(n)


CITIES = ["bath", "hull", "york", "leeds"]


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "last",
    [LogisticRegression(), HistGradientBoostingClassifier(max_iter=15), MLPRegressor(max_iter=50, random_state=0)],
)
def test_stored_one_hot_columns_are_explained_as_the_categorical_column_is(last):
    rng = np.random.default_rng(0)
    city, income = rng.choice(CITIES, 200), rng.normal(size=200)
    stored = {"income": income, **{f"city_{c}": (city == c).astype(float) for c in CITIES}}
    y = (income * (city == "hull") + (city == "york") > 0.3).astype(int)
    onto = make_column_transformer(("passthrough", ["income"]), (OneHotEncoder(categories=[CITIES]), ["city"]))
    inside = make_pipeline(onto, last)
    category = {"income": income, "city": city.astype(object)}
    own = explain(fitted(inside, category, y), table(category), rows=np.arange(10), background_rows=40, seed=1)
    outside = fitted(clone(last), stored, y)
    groups = (FeatureGroup(name="city", columns=tuple(f"city_{c}" for c in CITIES)),)
    found = explain(outside, grouped(stored, groups), rows=np.arange(10), background_rows=40, seed=1)
    assert found.names == own.names == ("income", "city")
    assert found.method == own.method
    np.testing.assert_allclose(found.values, own.values, atol=1e-9)


def test_columns_that_are_mixed_within_a_group_are_still_explained_exactly():
    columns = numbers(120, 6)
    mixing = make_column_transformer((PCA(2), ["x1", "x2", "x5"]), remainder="passthrough")
    model = fitted(make_pipeline(mixing, HistGradientBoostingRegressor(max_iter=10)), columns, entangled(columns))
    together = explain(model, grouped(columns), rows=np.arange(3), background_rows=15)
    assert together.note == ""
    assert together.method.startswith("exact Shapley values of the trees")
    black_box = explain(model, grouped(columns), rows=np.arange(3), background_rows=15, method="shapley")
    np.testing.assert_allclose(together.values, black_box.values, atol=1e-9)
    assert explain(model, grouped(columns, ()), rows=np.arange(3), background_rows=15).note.startswith("Explained as a")


def test_encode_may_mix_columns_of_one_group_and_gradients_still_tell_groups_apart():
    columns = numbers(30, 3)
    encode = lambda c: torch.from_numpy(  # noqa: E731
        np.column_stack([c["x0"] - c["x1"], c["x0"] + c["x1"], c["x2"]]).astype(np.float32)
    )
    model = network(mlp(3), encode=encode, features=["x0", "x1", "x2"])
    both = (FeatureGroup(name="both", columns=("x0", "x1")),)
    found = explain(model, grouped(columns, both), rows=np.arange(4), seed=0)
    assert found.method.startswith("Expected gradients")
    assert explain(model, grouped(columns, ()), rows=np.arange(4), seed=0).method.startswith("exact Shapley")
    assert found.names == ("both", "x2")


def test_the_members_are_said_once_in_the_facts():
    columns = numbers(20, 6)
    found = explain(Value(entangled), grouped(columns), rows=np.arange(2), background_rows=5)
    assert dict(found.facts)["columns of shape"] == "x1, x2, x5"
    assert found.groups == {"size": ("x0", "x3"), "shape": ("x1", "x2", "x5")}
    assert found.columns_of("shape") == ("x1", "x2", "x5")
    assert found.columns_of("x4") == ("x4",)
    assert "those of a group together" in found.value_function


def test_columns_of_a_table_beside_a_picture_are_grouped_too():
    frame = {**{f"px_{j}": np.random.default_rng(j).random(6) for j in range(64)}, "age": np.arange(6.0)}
    frame |= {"town": ["east", "west"] * 3}
    from audit.models.torch import TorchModel

    from .one_call_worlds import CLASSES, Reads

    encode = lambda c: (torch.from_numpy(c["scan"]), as_table(c))  # noqa: E731
    ward = TorchModel(Reads(note=False), encode, CLASSES, "logit", features=["scan", "age", "town"])
    pictures = {"scan": {"kind": "image", "from": "px_*", "shape": [1, 8, 8]}}
    alone = audit.explain(ward, frame, columns=pictures)
    found = audit.explain(ward, frame, columns=pictures, groups={"person": ["age", "town"]})
    assert set(found.parts) == {"scan", "person"}
    np.testing.assert_allclose(found.parts["person"], alone.parts["age"] + alone.parts["town"], atol=1e-6)
    np.testing.assert_allclose(found.totals(), alone.totals(), atol=1e-6)
    assert dict(found.facts)["columns of person"] == "age, town"


FOREST = RandomForestClassifier(8, max_depth=5, random_state=0)


@pytest.mark.parametrize(("last", "labels"), [(FOREST, several), (LogisticRegression(), classes)])
def test_missing_values_categories_and_classes_within_groups_are_explained_as_the_black_box_is(last, labels):
    columns, y = people(n=160, missing=True)
    mixed = (FeatureGroup(name="work", columns=("income", "job")),)
    model = adapt(pipeline(clone(last)).fit(pd.DataFrame(columns), labels(y)))
    asked = {"rows": np.arange(6), "background_rows": 20, "seed": 2}
    found = explain(model, grouped(columns, mixed), **asked)
    black_box = explain(model, grouped(columns, mixed), method="shapley", **asked)
    assert found.names == black_box.names == ("work", "age", "city")
    assert found.method.startswith("exact Shapley values")
    assert found.targets == black_box.targets
    np.testing.assert_allclose(found.values, black_box.values, atol=1e-6)


def test_trees_that_vote_are_explained_by_their_share_with_missing_values_inside_a_group():
    columns, y = people(n=160, missing=True)
    mixed = grouped(columns, (FeatureGroup(name="work", columns=("income", "job")),))
    model = adapt(pipeline(clone(FOREST)).fit(pd.DataFrame(columns), classes(y)))
    found = explain(model, mixed, rows=np.arange(6), background_rows=20, seed=2)
    background = {name: values[generator_order(2, 160)[:20]] for name, values in columns.items()}
    share = lambda c: model.predict_proba(c)[:, 1]  # noqa: E731
    matches_the_definition(found, share, columns, background, Players.in_data(mixed))
