"""Hidden layers: the same numbers as Captum's layer methods, their sums, and layers that cannot be explained."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerActivation, LayerConductance, LayerGradientXActivation, LayerIntegratedGradients
from torch import nn

from audit.attribution import explain
from audit.attribution.layer_names import unit_numbers
from audit.attribution.layers import explain_layer
from audit.attribution.trust_grades import read_rules
from audit.attribution.untouched import state_hash
from audit.errors import Unavailable

from .one_call_worlds import CLASSES, WORLDS
from .text_worlds import Attends, model, texts, with_mask
from .worlds import cnn, images, network, numbers, table

DATA, BACKGROUND = table(numbers(6, 3)), table(numbers(40, 3, seed=1))


class Cut(nn.Module):
    """All that reaches the output passes ``encoder``; ``aside`` is one of two ways."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4))
        self.aside, self.head = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(self.encoder(x))
        return self.head(torch.tanh(h + torch.tanh(self.aside(h))))


def captum_says(module, layer, data=DATA, background=BACKGROUND):
    x, b = (torch.tensor(np.column_stack(list(d.features.values())), dtype=torch.float32) for d in (data, background))
    part, targets = module.get_submodule(layer), module(x).argmax(dim=1)
    mean = b.mean(dim=0, keepdim=True)
    return {
        "integrated": LayerIntegratedGradients(module, part).attribute(x, mean, target=targets, n_steps=256),
        "conductance": LayerConductance(module, part).attribute(x, mean, target=targets, n_steps=256),
        "product": LayerGradientXActivation(module, part).attribute(x, target=targets),
        "activation": LayerActivation(module, part).attribute(x),
    }


@pytest.mark.parametrize("layer", ["encoder", "encoder.0", "encoder.2"])
def test_a_layer_that_all_passes_agrees_with_captum_and_adds_up(layer):
    module = Cut()
    found = explain_layer(network(module, classes=CLASSES), DATA, layer=layer, background=BACKGROUND, seed=0)
    truth = {key: value.detach().numpy() for key, value in captum_says(module, layer).items()}
    np.testing.assert_allclose(found.maps[0].values, truth["integrated"], atol=2e-3)
    np.testing.assert_allclose(found.maps[1].values, truth["conductance"], atol=2e-3)
    np.testing.assert_allclose(found.maps[2].values, truth["product"], atol=1e-5)
    np.testing.assert_allclose(found.activations, truth["activation"], atol=1e-6)
    np.testing.assert_allclose(found.parts[layer].sum(axis=1), found.output - found.base, atol=1e-3)
    assert found.maps[1].completeness.max() < 0.01


def test_a_layer_that_is_by_passed_adds_up_to_what_replacing_it_changes():
    module = Cut()
    found = explain_layer(network(module, classes=CLASSES), DATA, layer="aside", background=BACKGROUND, seed=0)
    np.testing.assert_allclose(found.parts["aside"].sum(axis=1), found.output - found.base, atol=1e-3)
    assert found.maps[1].completeness is None
    assert "by-pass" in found.maps[1].method
    x = torch.tensor(np.column_stack(list(DATA.features.values())), dtype=torch.float32)
    mean = torch.tensor(np.column_stack(list(BACKGROUND.features.values()))).float().mean(dim=0, keepdim=True)
    with torch.no_grad():
        given = module.aside(torch.tanh(module.encoder(mean))).expand(6, -1)
        h = torch.tanh(module.encoder(x))
        out = module.head(torch.tanh(h + torch.tanh(given)))
    base = out[np.arange(6), [CLASSES.index(t) for t in found.targets]]
    np.testing.assert_allclose(found.base, base, atol=1e-5)


def test_a_linear_head_on_a_layer_gives_weight_times_change():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    found = explain_layer(network(module, classes=(), output="value"), DATA, layer="1", background=BACKGROUND, seed=0)
    b = torch.tensor(np.column_stack(list(BACKGROUND.features.values()))).float().mean(dim=0, keepdim=True)
    with torch.no_grad():
        change = found.activations - module[:2](b).numpy()
    np.testing.assert_allclose(found.parts["1"], change * module[2].weight.detach().numpy(), atol=1e-5)


def test_the_one_call_explains_a_named_layer_of_pictures_and_of_text():
    pictures = explain(network(cnn(), classes=CLASSES), images(3), layer="3", background=images(9, seed=1))
    assert pictures.modality == "layer"
    assert pictures.parts["3"].shape == (3, 8, 4, 4)
    assert pictures.by_unit().shape == (3, 8)
    from audit.models.torch import adapt

    adapter = adapt(model(Attends(), with_mask), device="cpu")
    read = explain(adapter, texts(), layer="mix")
    assert read.parts["mix"].shape == (5, 6, 8)
    assert read.by_unit().shape == (5, 8)
    assert read.completeness.max() < 0.01


def test_trust_is_graded_and_the_network_is_given_back_as_it_was():
    module = Cut().train()
    before = state_hash(module)
    found = explain_layer(network(module, classes=CLASSES), DATA, rules=read_rules(), seed=0)
    assert state_hash(module) == before
    assert len(found.trust) == 1
    assert "trust_randomisation" in found.trust[0].numbers
    assert found.feature in dict(module.named_modules())  # the one in the middle, as none was named


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells, self.twice, self.never = nn.GRU(3, 4, batch_first=True), nn.Tanh(), nn.Linear(2, 2)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.twice(self.twice(self.cells(x[:, None])[0][:, 0])))


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        ("haed", 'did you mean "head"'),
        ("twice", "runs 2 times"),
        ("never", "runs 0 times"),
        ("cells", "no single tensor"),
    ],
)
def test_a_layer_that_cannot_be_explained_says_why_and_names_those_that_can(layer, why):
    torch.manual_seed(0)
    with pytest.raises(Unavailable) as caught:
        explain(network(Odd(), classes=CLASSES), DATA, layer=layer)
    assert why in str(caught.value)
    assert caught.value.remedy == "name one of head"


def test_models_without_layers_are_refused_in_words():
    with pytest.raises(Unavailable, match="has no layers"):
        explain(*WORLDS["table/random forest"](), layer="encoder")


@pytest.mark.parametrize(
    ("part", "shape", "count"),
    [
        (nn.Linear(2, 5), (5,), 5),
        (nn.Conv2d(1, 3, 1), (3, 4, 4), 3),
        (nn.LayerNorm(7), (9, 7), 7),
        (nn.Conv1d(1, 9, 1), (9, 7), 9),
    ],
)
def test_units_are_neurons_channels_and_numbers_of_the_embedding(part, shape, count):
    units = unit_numbers(part, shape)
    assert units.shape == shape
    assert len(np.unique(units)) == count


def test_every_input_of_several_takes_part_in_the_baseline_of_a_layer():
    model, data = WORLDS["several/picture, note and table"]()
    with pytest.raises(Unavailable, match="explained by the maps of tokens"):
        explain(model, data, layer="words")
    for layer in ("see", "rows", "mix"):
        found = explain(model, data, layer=layer)
        assert found.feature == layer
        assert np.abs(found.maps[0].values).sum() > 0, layer
        total = found.maps[0].values.reshape(data.n, -1).sum(axis=1)
        np.testing.assert_allclose(total, found.output - found.base, atol=0.01)


def test_columns_that_encode_mixes_do_not_stand_in_the_way_of_a_layer():
    def mixed(columns):
        return torch.from_numpy(np.column_stack([columns["x0"] * columns["x1"], columns["x1"], columns["x2"]])).float()

    found = explain(network(Cut(), classes=CLASSES, encode=mixed), DATA, layer="encoder")
    assert found.completeness.max() < 0.01
