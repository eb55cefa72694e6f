"""Concepts: a layer that carries one and a layer that does not, and the test that tells them apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import ttest_ind
from torch import nn

from audit.attribution.captum_concepts import captum_sensitivity
from audit.attribution.concepts import Layer, activation_vectors, hidden_layer, sensitivity
from audit.attribution.network import Network
from audit.attribution.untouched import state_hash, untouched
from audit.checks.attribution.concept_sensitivity import Params, concept_sensitivity
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


NETWORKS = {
    "one output": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)),
        None,
    ),
    "in place": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(True), nn.Linear(8, 8), nn.ReLU(True), nn.Linear(8, 1)),
        None,
    ),
    "classes": (lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), ["a", "b", "c"]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_captums_tcav_counts_the_same_rows_and_finds_the_same_slope(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, classes = NETWORKS[name]
    torch.manual_seed(3)
    module = make().train()
    net = Network.of(network(module, **({"classes": classes} if classes else {})))
    x = torch.randn(120, 4)
    concept = (x[:, 0] + 0.3 * x[:, 1]).numpy() > 0
    before = state_hash(module), torch.get_rng_state().numpy().tobytes(), np.random.get_state()[1].tobytes()
    with untouched(module):
        targets = net.predicted(net.answers((x,)))
        layer = hidden_layer(net, (x,), targets)
        own = sensitivity(layer, concept, RNG(0))
        theirs = [captum_sensitivity(net, (x,), targets, layer, concept, RNG(0)) for _ in range(2)]
    assert theirs[0] == theirs[1]
    assert theirs[0].rising == own.rising
    assert theirs[0].slope == pytest.approx(own.slope, abs=1e-6)
    assert before == (state_hash(module), torch.get_rng_state().numpy().tobytes(), np.random.get_state()[1].tobytes())
    assert not list(tmp_path.iterdir()), "Captum saves vectors under ./cav unless it is told where"


def test_the_t_test_of_the_usual_recipe_would_find_concepts_that_mean_nothing():
    """Why the test is by rank: 20 random sets against the concept, and against each other."""
    found = 0
    for seed in range(40):
        rng = RNG(seed)
        a, g = rng.normal(size=(400, 6)), rng.normal(size=(400, 6)) * 0.2
        g[:, 3] += 1
        sets = [rng.permutation(400)[:100] for _ in range(21)]

        def score(p, q, a=a, g=g):
            marks = (np.arange(200) < 100).astype(float)[:, None]
            return float((g @ activation_vectors(a[np.r_[p, q]], marks)[:, 0] > 0).mean())

        against = [score(sets[0], other) for other in sets[1:]]
        null = [score(sets[i], sets[i + 1]) for i in range(1, 20)]
        found += ttest_ind(against, null, equal_var=False).pvalue < 0.05
    assert found > 12, "40 concepts that mean nothing, of which a test of 5 % should find two"


def test_the_check_takes_captum_as_its_engine_and_names_the_engines_there_are():
    cells = numbers(200, 4)
    sex = GroupSet(columns=("sex",), codes=(cells["x0"] > 0).astype(np.int32), levels=({"sex": "f"}, {"sex": "m"}))
    given = network(mlp(4)), table(cells), Groups(n=200, sets=(sex,)), 1, 0.95
    own, theirs = concept_sensitivity(*given), concept_sensitivity(*given, Params(engine="captum"))
    scores = [[m.value for m in o.measurements if m.name == "concept_score"] for o in (own, theirs)]
    assert scores[0] == scores[1]
    assert {m.params.get("engine") for m in theirs.measurements} == {"captum"}
    with pytest.raises(Unavailable, match='no engine "tcav"'):
        concept_sensitivity(*given, Params(engine="tcav"))
