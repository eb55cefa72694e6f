"""Concepts: a layer that carries one and a layer that does not, and the test that tells them apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audit.attribution.concepts import Layer, activation_vectors, hidden_layer, sensitivity
from audit.attribution.network import Network
from audit.checks.attribution.concept_sensitivity import concept_sensitivity
from audit.errors import Unavailable
from audit.inputs.groups import Groups, GroupSet

from .worlds import Value, mlp, network, numbers, table

RNG = np.random.default_rng


def world(carries, n=300, units=6, seed=0):
    """Activations whose first unit is the concept; the output rises along it or along another unit."""
    rng = RNG(seed)
    concept = rng.random(n) < 0.5
    activations = rng.normal(size=(n, units))
    activations[:, 0] += 3 * concept
    gradients = rng.normal(size=(n, units)) * 0.2
    gradients[:, 0 if carries else 3] += 1.0
    return Layer(name="middle", activations=activations, gradients=gradients), concept


def test_a_layer_whose_output_rises_along_the_concept_is_steeper_there_than_along_random_ones():
    found = sensitivity(*world(carries=True), RNG(1))
    assert found.rising / found.rows > 0.95
    assert found.slope > 0.5
    assert found.p == 1 / 200


def test_random_concepts_are_found_to_matter_no_more_often_than_they_should():
    p = []
    for seed in range(100):
        layer, _ = world(carries=False, seed=seed, n=120)
        p.append(sensitivity(layer, RNG(seed + 500).random(120) < 0.5, RNG(seed)).p)
    assert np.mean(np.array(p) <= 0.05) <= 0.11  # 99.5 % of samples of 100 at a level of 5 %


def test_the_vector_separates_what_it_was_made_from_and_has_length_one():
    layer, concept = world(carries=True)
    vector = activation_vectors(layer.activations, concept[:, None].astype(float))[:, 0]
    side = (layer.activations - layer.activations.mean(axis=0)) @ vector > 0
    assert (side == concept).mean() > 0.9
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_the_vector_is_that_of_ridge_regression():
    layer, concept = world(carries=True)
    centred = layer.activations - layer.activations.mean(axis=0)
    penalty = 0.01 * np.trace(centred @ centred.T)
    slow = np.linalg.solve(centred.T @ centred + penalty * np.eye(6), centred.T @ (concept - concept.mean()))
    found = activation_vectors(layer.activations, concept[:, None].astype(float))[:, 0]
    np.testing.assert_allclose(found, slow / np.linalg.norm(slow), atol=1e-9)


def test_gradients_at_the_hidden_layer_are_those_of_the_rest_of_the_network():
    module = mlp(4)
    x = torch.randn(7, 4)
    layer = hidden_layer(Network.of(network(module)), (x,), torch.ones(7, dtype=torch.long))
    np.testing.assert_allclose(layer.activations, torch.tanh(module[0](x)).detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(layer.gradients, module[2].weight.detach().numpy().repeat(7, axis=0), rtol=1e-6)
    with pytest.raises(Unavailable, match="no hidden layer"):
        hidden_layer(Network.of(network(nn.Linear(4, 1))), (x,), torch.ones(7, dtype=torch.long))


def test_the_check_finds_a_group_that_the_features_give_away():
    cells = numbers(400, 4)
    codes = (cells["x0"] > 0).astype(np.int32)
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    module[0].weight.data[:] = torch.eye(4)
    module[0].bias.data[:] = 0
    module[2].weight.data[:] = torch.tensor([[2.0, 0.1, 0.0, 0.0]])
    sex = GroupSet(columns=("sex",), codes=codes, levels=({"sex": "f"}, {"sex": "m"}))
    outcome = concept_sensitivity(network(module), table(cells), Groups(n=400, sets=(sex,)), 1, 0.95)
    found = {(m.name, m.slice["sex"]): m.value for m in outcome.measurements}
    assert found["concept_score", "m"] > 0.95
    assert found["concept_score", "f"] < 0.05
    assert found["concept_p_value", "m"] < 0.05
    with pytest.raises(Unavailable, match="no hidden layers"):
        concept_sensitivity(Value(lambda c: c["x0"]), table(cells), Groups(n=400, sets=(sex,)), 1, 0.95)
    rare = GroupSet(columns=("sex",), codes=(np.arange(400) < 5).astype(np.int32), levels=sex.levels)
    few = concept_sensitivity(network(module), table(cells), Groups(n=400, sets=(rare,)), 1, 0.95)
    assert len(few.omissions) == 2
    assert not few.measurements
