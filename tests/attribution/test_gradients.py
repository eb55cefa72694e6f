"""Integrated and expected gradients: closed forms, Captum as the oracle, and what they must refuse or hand over."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

from audit.attribution import explain
from audit.attribution import network as network_module
from audit.attribution.explanation import RED, completeness_error
from audit.attribution.integrated_gradients import (
    CLENSHAW_CURTIS,
    Nested,
    clenshaw_curtis,
    integrated_gradients,
    refined,
)
from audit.attribution.network import Network
from audit.attribution.untouched import state_hash
from audit.errors import Unavailable
from audit.models.portions import in_calls

from .worlds import cnn, matrix, mlp, network, numbers, table

TARGETS = torch.tensor([1, 1, 1, 1])


def named(module, outputs=1, output="logit"):
    classes = ("a", "b", "c")[: max(outputs, 2)]
    return Network(module=module, output=output, classes=classes)


@pytest.mark.parametrize("activation", [torch.nn.Tanh, torch.nn.ReLU, torch.nn.GELU])
def test_integrated_gradients_equal_captums_with_the_same_nodes(activation):
    module = mlp(5, outputs=3, activation=activation)
    x, b = torch.randn(4, 5), torch.randn(4, 5)
    ours = integrated_gradients(named(module, 3).scalar, (x,), (b,), TARGETS, 50)[0]
    theirs = IntegratedGradients(module).attribute(x, b, target=1, n_steps=50, method="gausslegendre")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-6)


def test_integrated_gradients_of_images_equal_captums():
    module = cnn(channels=2)
    x = torch.rand(4, 2, 8, 8)
    ours = integrated_gradients(named(module, 3).scalar, (x,), (torch.zeros_like(x),), TARGETS, 32)[0]
    theirs = IntegratedGradients(module).attribute(x, 0.0, target=1, n_steps=32, internal_batch_size=64)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)


def test_the_size_of_calls_changes_nothing(monkeypatch):
    module, x = cnn(), torch.rand(4, 1, 8, 8)
    whole = integrated_gradients(named(module, 3).scalar, (x,), (torch.zeros_like(x),), TARGETS, 16)[0]
    monkeypatch.setattr(network_module, "NUMBERS_PER_CALL", 64 * 3)
    small = integrated_gradients(named(module, 3).scalar, (x,), (torch.zeros_like(x),), TARGETS, 16)[0]
    np.testing.assert_allclose(small.numpy(), whole.numpy(), rtol=1e-5, atol=1e-7)


def test_a_row_is_refined_until_it_adds_up_and_others_are_left_alone():
    def scalar(inputs, _):
        return torch.sigmoid(400 * (inputs[0][:, 0] - 0.3)) * inputs[0][:, 1] + inputs[0][:, 0]

    x = torch.tensor([[1.0, 1.0], [0.1, 0.1]], dtype=torch.float64)
    b, targets = torch.zeros_like(x), torch.zeros(2, dtype=torch.long)
    change = scalar((x,), targets) - scalar((b,), targets)

    def rule(rows, nodes):
        return integrated_gradients(scalar, (x[rows],), (b[rows],), targets[rows], nodes)

    found = refined(rule, change, torch.ones(2))
    assert found.nodes[0] > found.nodes[1] == 16
    error = completeness_error(found.values[0].sum(dim=1).numpy(), change.numpy(), np.ones(2))
    assert (error <= 0.01).all()


def test_completeness_alone_is_not_enough_to_stop():
    def scalar(inputs, _):
        steep = torch.sigmoid(60 * (inputs[0] - 0.37))
        return steep[:, 0] - steep[:, 1]  # the errors of both columns cancel: the sum is right from the start

    x = torch.ones(1, 2, dtype=torch.float64)

    def rule(rows, nodes):
        return integrated_gradients(scalar, (x[rows],), (0 * x[rows],), torch.zeros(1, dtype=torch.long), nodes)

    found = refined(rule, torch.zeros(1, dtype=torch.float64), torch.ones(1))
    np.testing.assert_allclose(found.values[0].numpy(), [[1.0, -1.0]], atol=0.01)
    assert (found.moved[0] <= 0.05).all()


def test_a_row_that_hardly_changes_is_held_to_what_is_typical():
    error = completeness_error(np.array([0.01, 1.01]), np.array([0.0, 1.0]), 1.0)
    np.testing.assert_allclose(error, [0.01 / 0.05, 0.01])


def test_a_linear_network_gets_its_closed_form():
    module = torch.nn.Linear(4, 1)
    data, background = table(numbers(9, 4, 1)), table(numbers(30, 4, 2))
    found = explain(network(module), data, background=background, seed=0)
    w = module.weight.detach().numpy()[0].astype(float)
    np.testing.assert_allclose(
        found.values, w * (matrix(data.features) - matrix(background.features).mean(axis=0)), atol=1e-5
    )
    assert found.method.startswith("Expected gradients")
    assert found.background_n == 30


def test_expected_gradients_are_the_mean_of_captums_over_the_background():
    module = mlp(3)
    data, background = table(numbers(4, 3, 1)), table(numbers(6, 3, 2))
    found = explain(network(module), data, background=background, seed=0, method="expected_gradients")
    x, rows = (torch.tensor(matrix(d.features), dtype=torch.float32) for d in (data, background))
    captum = IntegratedGradients(module)
    theirs = np.mean([captum.attribute(x, b[None], target=0, n_steps=200).numpy() for b in rows], axis=0)
    np.testing.assert_allclose(found.values, theirs, atol=2e-4)
    assert found.completeness.max() < 0.01


def test_the_log_odds_are_explained_whatever_the_network_returns():
    logit = mlp(3)
    data = table(numbers(8, 3))
    two = torch.nn.Sequential(logit, PairOf())
    softmax = torch.nn.Sequential(two, torch.nn.Softmax(dim=1))
    sigmoid = torch.nn.Sequential(logit, torch.nn.Sigmoid())
    expected = explain(network(logit), data, seed=0).values
    for module, output in ((two, "logit"), (softmax, "probability"), (sigmoid, "probability")):
        found = explain(network(module, output=output), data, seed=0)
        np.testing.assert_allclose(found.values, expected, atol=2e-3)
    negative = explain(network(logit), data, seed=0, positive="no")
    np.testing.assert_allclose(negative.values, -expected, atol=1e-6)


class PairOf(torch.nn.Module):
    def forward(self, x):
        return torch.cat([torch.zeros_like(x), x], dim=1)


def test_a_softmax_behind_declared_logits_is_withheld_with_the_fix():
    module = torch.nn.Sequential(mlp(3, outputs=2), torch.nn.Softmax(dim=1))
    with pytest.raises(Unavailable, match="outputs are probabilities") as error:
        explain(network(module), table(numbers(8, 3)), seed=0)
    assert 'output = "probability"' in error.value.remedy


class Noisy(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.dropout(x, 0.5, training=True).sum(dim=1)


class Broken(torch.nn.Module):
    def forward(self, x):
        return torch.log(x.sum(dim=1) - 1e9)


@pytest.mark.parametrize(("module", "reason"), [(Noisy(), "withheld"), (Broken(), "undefined")])
def test_random_and_broken_networks_are_refused_in_words(module, reason):
    with pytest.raises(Unavailable) as error:
        explain(network(module), table(numbers(8, 3)), seed=0)
    assert error.value.reason == reason


def test_a_one_hot_column_is_one_reason():
    def encode(columns):
        colour = np.array([[c == "red", c == "blue"] for c in columns["colour"]], dtype=np.float32)
        return torch.tensor(np.column_stack([columns["x"].astype(np.float32), colour]))

    module = torch.nn.Linear(3, 1)
    data = table({"x": np.arange(4.0), "colour": np.array(["red", "blue", "red", "green"], dtype=object)})
    found = explain(network(module, encode=encode), data, seed=0)
    w = module.weight.detach().numpy()[0].astype(float)
    colour = np.array([w[1], w[2], w[1], 0.0])
    np.testing.assert_allclose(found.values[:, 1], colour - colour.mean(), atol=1e-6)
    assert found.names == ("x", "colour")


@pytest.mark.parametrize(
    ("encode", "words"),
    [
        (
            lambda c: torch.tensor(matrix(c).sum(axis=1, keepdims=True).repeat(3, 1), dtype=torch.float32),
            "mixes several",
        ),
        (
            lambda c: torch.tensor(np.where(matrix(c) > 2, np.nan, matrix(c)), dtype=torch.float32),
            "NaN or infinite inputs",
        ),
    ],
)
def test_what_gradients_cannot_tell_apart_is_explained_by_shapley_values_and_said(encode, words):
    class Clean(torch.nn.Module):
        def forward(self, x):
            return torch.nan_to_num(x).sum(dim=1)

    found = explain(network(Clean(), encode=encode), table(numbers(60, 3)), seed=0)
    assert "Shapley" in found.method
    assert words in found.note
    assert found.completeness.max() < RED


def test_a_network_with_steps_gives_way_to_shapley_values_because_its_gradients_are_zero():
    class Steps(torch.nn.Module):
        def forward(self, x):
            return torch.round(3 * x).sum(dim=1) + 0 * x.sum(dim=1)

    found = explain(network(Steps()), table(numbers(10, 3)), seed=0)
    assert "Shapley" in found.method
    assert "off by 100%" in found.note
    forced = explain(network(Steps()), table(numbers(10, 3)), seed=0, method="expected_gradients")
    assert not forced.trusted.any()


def test_dropout_and_batch_norm_in_training_mode_are_explained_in_evaluation_and_left_as_they_were():
    torch.manual_seed(0)
    parts = [
        torch.nn.Linear(3, 8),
        torch.nn.BatchNorm1d(8),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(8, 1),
    ]
    module = torch.nn.Sequential(*parts).train()
    before = state_hash(module)
    found = explain(network(module), table(numbers(10, 3)), seed=0)
    assert state_hash(module) == before
    assert module.training
    module.eval()
    np.testing.assert_array_equal(explain(network(module), table(numbers(10, 3)), seed=0).values, found.values)


def test_a_compiled_wrapper_is_looked_through():
    class Compiled(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self._orig_mod = inner

        def forward(self, x):
            raise RuntimeError("the compiled graph must not be asked")

    inner = mlp(3)
    assert Network.of(network(Compiled(inner))).module is inner


def test_several_inputs_are_split_by_column():
    class Two(torch.nn.Module):
        def forward(self, a, b):
            return a[:, 0] * 2 + (b * b).sum(dim=1)

    def encode(columns):
        both = torch.tensor(matrix(columns), dtype=torch.float32)
        return both[:, :1], both[:, 1:]

    data = table(numbers(6, 3))
    found = explain(network(Two(), encode=encode), data, seed=0)
    x = matrix(data.features)
    expected = np.column_stack([2 * (x[:, 0] - x[:, 0].mean()), x[:, 1:] ** 2 - (x[:, 1:] ** 2).mean(axis=0)])
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


@pytest.mark.parametrize("nodes", CLENSHAW_CURTIS)
def test_a_clenshaw_curtis_rule_is_exact_for_polynomials_of_its_degree(nodes):
    at = (1 - np.cos(np.pi * np.arange(nodes) / (nodes - 1))) / 2
    weights = clenshaw_curtis(nodes)
    for power in range(nodes):
        assert weights @ at**power == pytest.approx(1 / (power + 1), abs=1e-12)


def test_nested_rules_ask_only_for_new_nodes_and_agree_with_the_rule_made_at_once():
    asked = []

    def scalar(inputs, rows):
        asked.append(len(rows))
        return (torch.sin(3 * inputs[0]) * (rows + 1)[:, None]).sum(dim=1)

    x, b, rows = torch.tensor([[1.0, 2.0], [0.5, -1.0]]), torch.zeros(2, 2), torch.arange(2)
    rule = Nested(scalar, (x,), (b,))
    for nodes in CLENSHAW_CURTIS:
        (found,) = rule(rows, nodes)
        assert sum(asked) == 2 * nodes
    np.testing.assert_allclose(found, torch.sin(3 * x) * (rows + 1)[:, None], atol=1e-6)
    (again,) = rule(rows, 128)
    np.testing.assert_allclose(again, found, atol=1e-6)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), RuntimeError("not enough memory")]
)
def test_calls_that_do_not_fit_the_memory_are_halved_and_give_the_same(error):
    sizes = []

    def scalar(inputs, rows):
        sizes.append(len(rows))
        if len(rows) > 3:
            raise error
        return (inputs[0] ** 2).sum(dim=1)

    x = torch.randn(4, 5)
    (found,) = integrated_gradients(scalar, (x,), (torch.zeros(4, 5),), torch.arange(4), 8)
    np.testing.assert_allclose(found, x**2, atol=1e-5)
    assert max(sizes) > 3 >= min(sizes)


def test_a_single_row_that_does_not_fit_is_said_and_other_errors_fly():
    def never(at):
        raise MemoryError

    def other(at):
        raise RuntimeError("shapes differ")

    with pytest.raises(Unavailable, match="single row"):
        in_calls(4, 4, never)
    with pytest.raises(RuntimeError, match="shapes differ"):
        in_calls(4, 4, other)
