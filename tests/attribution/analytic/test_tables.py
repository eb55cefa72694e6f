"""Tables: black boxes, linear models, trees, kernels and networks whose contributions are known by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor
from torch import nn

from audit.attribution.permutation import loss_increase, losses
from audit.attribution.tables import explain_table
from audit.models.sklearn import adapt
from tests.attribution.worlds import Value, matrix, network, numbers, table

from . import formulas as f

WITHIN = 0.01
FREE, FREE_BACKGROUND = matrix(numbers(5, 3, 1)), matrix(numbers(12, 3, 2))
CORNERS = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
ONES, ZEROS = np.ones((1, 3)), np.zeros((1, 3))
LINEAR = f.additive(lambda a: 2 * a, lambda a: -a, lambda a: 0.5 * a)
CURVED = f.additive(np.sin, lambda a: a**2, np.exp)
PRODUCT = f.of_two(lambda a, b: a * b)
STEPS = f.additive(lambda a: 1.0 * (a > 0.3), lambda a: -2.0 * (a > 0), lambda a: 3.0 * (a > -0.5))


def given(x):
    return table({f"x{j}": x[:, j] for j in range(x.shape[1])})


def require(model, truth, x=FREE, b=FREE_BACKGROUND, **options):
    found = explain_table(model, given(x), background=given(b), seed=0, **options)
    wanted = truth(x, b)
    np.testing.assert_allclose(found.values, wanted, atol=WITHIN * max(np.abs(wanted).sum(axis=1).max(), 1e-9))
    return found


GAMES = {
    "sum": (*LINEAR, FREE, FREE_BACKGROUND),
    "curves": (*CURVED, FREE, FREE_BACKGROUND),
    "steps": (*STEPS, FREE, FREE_BACKGROUND),
    "product": (*PRODUCT, FREE, FREE_BACKGROUND),
    "smaller of two": (*f.of_two(np.minimum), FREE, FREE_BACKGROUND),
    "larger of two": (*f.of_two(np.maximum), FREE, FREE_BACKGROUND),
    "exclusive or": (*f.of_two(lambda a, b: 1.0 * ((a > 0) != (b > 0))), FREE, FREE_BACKGROUND),
    "ratio": (*f.of_two(lambda a, b: a / (2 + np.abs(b))), FREE, FREE_BACKGROUND),
    "product of all": (f.product_of_all, f.alike, np.abs(FREE) + 1, ZEROS),
    "gloves": (f.gloves, f.gloves_truth, ONES, ZEROS),
    "airport": (f.airport, f.airport_truth, ONES, ZEROS),
    "majority": (f.majority, f.majority_truth, ONES, ZEROS),
}


@pytest.mark.parametrize("name", GAMES)
def test_a_black_box(name):
    function, truth, x, b = GAMES[name]
    require(Value(lambda c: function(matrix(c))), truth, x, b)


@pytest.mark.parametrize("d", [14, 30])
def test_a_black_box_of_more_columns_than_coalitions_can_be_counted(d):
    weights = np.linspace(-1, 1, d)
    x, b = matrix(numbers(3, d, 4)), matrix(numbers(9, d, 5))
    curved = f.additive(*(lambda a, w=w: w * np.tanh(a) for w in weights))
    require(Value(lambda c: np.tanh(matrix(c)) @ weights), curved[1], x, b)


def corner_tree(function, model):
    return adapt(model.fit(CORNERS, function(CORNERS)))


@pytest.mark.parametrize("name", ["product of all", "gloves", "airport", "majority"])
def test_a_tree_that_holds_the_table_of_a_game(name):
    function, truth, _, _ = GAMES[name]
    require(corner_tree(function, DecisionTreeRegressor(random_state=0)), truth, ONES, ZEROS, method="exact")


def test_a_forest_of_trees_that_all_hold_the_table():
    forest = RandomForestRegressor(5, bootstrap=False, random_state=0)
    require(corner_tree(f.gloves, forest), f.gloves_truth, ONES, ZEROS, method="exact")


def test_trees_of_steps():
    grid = np.array(list(itertools.product(np.linspace(-2, 2, 9), repeat=3)))
    tree = DecisionTreeRegressor(random_state=0).fit(grid, STEPS[0](grid))
    x, b = grid[[3, 400, 728]], grid[::7]
    require(adapt(tree), STEPS[1], x, b, method="exact")


def test_a_linear_model():
    model = LinearRegression().fit(FREE_BACKGROUND, LINEAR[0](FREE_BACKGROUND))
    require(adapt(model), LINEAR[1], method="exact")


def test_a_logistic_model_in_log_odds():
    model = LogisticRegression().fit(FREE_BACKGROUND, LINEAR[0](FREE_BACKGROUND) > 0)
    truth = f.additive(*(lambda a, w=w: w * a for w in model.coef_[0]))[1]
    require(adapt(model), truth, method="exact")


@pytest.mark.parametrize(("kernel", "game"), [("linear", LINEAR), ("poly", PRODUCT)])
def test_a_kernel_that_reproduces_the_function(kernel, game):
    rows = matrix(numbers(60, 3, 7))
    model = KernelRidge(kernel=kernel, degree=2, coef0=1, alpha=1e-8).fit(rows, game[0](rows))
    require(adapt(model), game[1])


NETWORKS = {
    "sum": (lambda x: x @ torch.tensor([2.0, -1.0, 0.5]), LINEAR[1]),
    "curves": (lambda x: torch.sin(x[:, 0]) + x[:, 1] ** 2 + torch.exp(x[:, 2]), CURVED[1]),
    "product": (lambda x: x[:, 0] * x[:, 1], PRODUCT[1]),
    "rectified": (lambda x: torch.relu(x).sum(dim=1), f.additive(*[lambda a: np.maximum(a, 0)] * 3)[1]),
    "gelu": (
        lambda x: nn.functional.gelu(x, approximate="tanh").sum(dim=1),
        f.additive(*[lambda a: a / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3)))] * 3)[1],
    ),
}


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)[:, None]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_by_expected_gradients(name):
    function, truth = NETWORKS[name]
    found = require(network(Function(function), classes=[], output="value"), truth)
    assert "gradients" in found.method


def test_a_network_whose_factors_share_alike():
    model = network(Function(lambda x: x.prod(dim=1)), classes=[], output="value")
    require(model, f.alike, np.abs(FREE) + 1, ZEROS)


def test_the_loss_of_a_shuffled_column_rises_by_twice_its_part_of_the_variance():
    columns = numbers(4000, 3, 8)
    model = Value(lambda c: LINEAR[0](matrix(c)))
    truth = LINEAR[0](matrix(columns))
    before = losses(model, columns, truth)
    for name, weight in zip(columns, [2.0, -1.0, 0.5], strict=True):
        draw = np.random.default_rng(0)
        rise = loss_increase(model, columns, truth, [name], before, draw, 20).mean()
        assert rise == pytest.approx(2 * weight**2 * columns[name].var(), rel=0.02)
