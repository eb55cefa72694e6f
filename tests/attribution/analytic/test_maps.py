"""Pictures, series, sound, text, several inputs and layers: networks whose maps are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audit.attribution.black_box import explain_units
from audit.attribution.concepts import hidden_layer, sensitivity
from audit.attribution.images import explain_images
from audit.attribution.influence import self_influence
from audit.attribution.layers import explain_layer
from audit.attribution.multimodal import modality_values
from audit.attribution.network import Network
from audit.attribution.occlusion import Windows
from audit.attribution.series import explain_series
from audit.attribution.several import explain_several
from audit.attribution.subject import grid
from audit.attribution.text import explain_text
from audit.attribution.trust_grades import read_rules
from audit.models.torch import adapt
from tests.attribution.test_multimodal import ward
from tests.attribution.test_series import CHANNELS, TIME, sensors
from tests.attribution.test_several import Adds as AddsSeveral
from tests.attribution.test_several import encode, value, without_notes
from tests.attribution.text_worlds import TEXTS, Adds, model, texts, weights
from tests.attribution.worlds import Value, images, network, numbers, table

WITHIN = 0.01
W = torch.linspace(-1, 1, 64).reshape(1, 8, 8)
PICTURES, USUAL = images(4), images(30, seed=3)


class Of(nn.Module):
    """A regressor of a picture, series or row from a function of the batch."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)[:, None]


def regressor(module, **more):
    return network(module, classes=[], output="value", **more)


def close(found, truth):
    truth = np.asarray(truth)
    np.testing.assert_allclose(
        found, truth, atol=WITHIN * max(np.abs(truth).reshape(len(truth), -1).sum(axis=1).max(), 1e-9)
    )


def by_name(found, start):
    return next(m.values for m in found.maps if m.short.startswith(start))


def _two(x):
    phi = torch.zeros_like(x)
    phi[:, 0, 2, 2] = phi[:, 0, 5, 5] = x[:, 0, 2, 2] * x[:, 0, 5, 5] / 2
    return phi


PIXELS = {
    "weights": (lambda x: (x * W).sum(dim=(1, 2, 3)), lambda x: x * W),
    "squares": (lambda x: (x**2 * W).sum(dim=(1, 2, 3)), lambda x: x**2 * W),
    "sines": (lambda x: torch.sin(3 * x).sum(dim=(1, 2, 3)), lambda x: torch.sin(3 * x)),
    "rectified": (lambda x: torch.relu(x - 0.5).sum(dim=(1, 2, 3)), lambda x: torch.relu(x - 0.5)),
    "product of two": (lambda x: x[:, 0, 2, 2] * x[:, 0, 5, 5], _two),
}


@pytest.mark.parametrize("name", PIXELS)
def test_pixels_by_integrated_gradients_from_black(name):
    function, truth = PIXELS[name]
    found = explain_images(regressor(Of(function)), PICTURES, background=USUAL, seed=0)
    close(by_name(found, "integrated gradients from black"), truth(torch.from_numpy(PICTURES.features["scan"]))[:, 0])


def test_pixels_by_occlusion_hold_the_mean_change_of_the_windows_over_them():
    found = explain_images(regressor(Of(PIXELS["weights"][0])), PICTURES, background=USUAL, seed=0)
    x = PICTURES.features["scan"]
    change = ((x - USUAL.features["scan"].mean()) * W.numpy())[:, 0]
    windows = Windows.over(8, 8)
    (h, w), (down, right) = windows.size, windows.step
    total, count = np.zeros_like(change), np.zeros((8, 8))
    for top in range(0, 8 - h + down, down):
        for left in range(0, 8 - w + right, right):
            part = (slice(top, top + h), slice(left, left + w))
            total[(slice(None), *part)] += change[(slice(None), *part)].sum(axis=(1, 2))[:, None, None]
            count[part] += 1
    close(by_name(found, "occlusion"), total / count)


class Seen(nn.Module):
    """Two feature maps, their means weighted: GradCAM is the positive part of the weighted maps, over their size."""

    def __init__(self):
        super().__init__()
        self.conv, self.act, self.head = nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Linear(2, 1)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
        self.conv.bias.data = torch.tensor([-0.3, 0.6])
        self.head.weight.data = torch.tensor([[2.0, -1.0]])

    def forward(self, x):
        return self.head(self.act(self.conv(x)).mean(dim=(2, 3)))


def test_feature_maps_by_grad_cam():
    found = explain_images(regressor(Seen()), PICTURES, background=USUAL, seed=0)
    x = PICTURES.features["scan"][:, 0]
    wanted = np.maximum(2 * np.maximum(x - 0.3, 0) - np.maximum(0.6 - x, 0), 0) / 64
    close(by_name(found, "GradCAM"), wanted)


def test_grad_cam_is_shown_where_the_network_adds_up_what_its_feature_maps_see():
    """The trust check does not withhold GradCAM as such: on the digits it does, because there it is wrong."""
    module = Seen()
    module.head.weight.data = torch.tensor([[2.0, 0.0]])
    sparse = images(8, seed=5)
    found = explain_images(regressor(module), sparse, background=images(30, seed=6), rules=read_rules(), seed=0)
    (trust,) = [one for one in found.trust if one.short == "GradCAM"]
    assert trust.grade.shown, trust.grade.words
    assert all(grade.shown for grade in trust.maps)
    assert np.nanmean(trust.numbers["trust_faithfulness"]) > 0.9


def test_patches_of_a_black_box():
    ask = Value(lambda c: (c["scan"] * W.numpy()).sum(axis=(1, 2, 3)))
    found = explain_units(ask, PICTURES, background=USUAL, seed=0)
    x = PICTURES.features["scan"]
    change = ((x - USUAL.features["scan"].mean()) * W.numpy())[:, 0]
    for patch in range(36):
        inside = grid(8, 8, 6) == patch
        close(found.maps[0].values[:, inside].sum(axis=1), change[:, inside].sum(axis=1))


def _spot(x):
    phi = torch.zeros_like(x)
    phi[:, 6:12, 1] = torch.tanh(x[:, 6:12, 1])
    return phi


SERIES = {
    "one channel": (lambda x: torch.tanh(x[:, 6:12, 1]).sum(dim=1), _spot),
    "all of it": (lambda x: torch.sin(x).sum(dim=(1, 2)), torch.sin),
    "energy": (lambda x: (x**2).sum(dim=(1, 2)), lambda x: x**2),
}


@pytest.mark.parametrize("name", SERIES)
def test_times_and_channels_by_integrated_gradients_from_zero(name):
    function, truth = SERIES[name]
    data = sensors()
    found = explain_series(regressor(Of(function)), data, seed=0)
    x = torch.from_numpy(data.features["signal"])
    assert x.shape[1:] == (TIME, CHANNELS)
    close(by_name(found, "integrated gradients from zero"), truth(x))


def test_samples_of_a_sound_by_integrated_gradients_from_silence():
    data = sensors(4, kind="audio", width=64, shape=(64,))
    gains = torch.linspace(0, 1, 64)
    found = explain_series(regressor(Of(lambda x: (x.reshape(len(x), 64) * gains).sum(dim=1))), data, seed=0)
    x = np.asarray(data.features["signal"]).reshape(4, 64)
    close(by_name(found, "integrated gradients from zero").reshape(4, 64), x * gains.numpy())


def test_tokens_by_gradients_of_their_embeddings_and_by_leaving_them_out():
    module = Adds()
    found = explain_text(adapt(model(module), device="cpu"), texts(), seed=0)
    for row, text in enumerate(TEXTS):
        sign, size = (1 if found.targets[row] == "yes" else -1), len(text.split())
        close(
            by_name(found, "integrated gradients from the padding")[row : row + 1, :size],
            [sign * weights(module, text)],
        )
    close(by_name(found, "token ablation"), found.maps[0].values)


def test_words_of_a_black_box():
    worth = {"good": 2.0, "bad": -3.0, "film": 0.5}
    ask = Value(lambda c: np.array([sum(worth.get(w, 0) for w in t.split()) for t in c["note"]]))
    found = explain_units(ask, texts(), seed=0)
    for row, text in enumerate(TEXTS):
        wanted = [[worth.get(w, 0.0) for w in text.split()]]
        close(found.maps[0].values[row : row + 1, : len(wanted[0])], wanted)


def test_a_picture_and_a_table_read_together():
    module, data, usual = AddsSeveral(3), without_notes(seed=3), without_notes(30, 4)
    found = explain_several(value(module), data, background=usual, seed=0)
    (scan, _), (mean, _) = encode(data.features), (t.mean(dim=0) for t in encode(usual.features))
    close(found.parts["scan"], ((scan - mean) * module.pixels)[:, 0])


def test_modalities_by_exact_shapley_values():
    data, rest = ward(), ward(15, seed=1).features
    ask = Value(lambda c: c["scan"].sum(axis=(1, 2, 3)) * (c["note"] == "ill"))
    found = modality_values(ask, data, rest, None)
    s, i = data.features["scan"].sum(axis=(1, 2, 3)), 1.0 * (data.features["note"] == "ill")
    bs, bi = rest["scan"].sum(axis=(1, 2, 3)), 1.0 * (rest["note"] == "ill")
    scan = ((s[:, None] - bs) * (i[:, None] + bi)).mean(axis=1) / 2
    close(found.values[:, found.names.index("scan")], scan)
    close(found.values[:, found.names.index("table")], np.zeros(data.n))


def test_units_of_a_layer_that_the_output_adds_up():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    data, usual = table(numbers(6, 3)), table(numbers(40, 3, 1))
    found = explain_layer(regressor(module), data, layer="1", background=usual, seed=0)
    x, b = (torch.tensor(np.column_stack(list(d.features.values())), dtype=torch.float32) for d in (data, usual))
    with torch.no_grad():
        change = module[1](module[0](x)) - module[1](module[0](b.mean(dim=0, keepdim=True)))
        wanted = (change * module[2].weight).numpy()
    close(found.maps[0].values, wanted)
    close(found.maps[1].values, wanted)


def test_a_concept_along_one_unit_has_the_cosine_of_the_gradient_with_it():
    x = torch.randn(400, 4, generator=torch.Generator().manual_seed(0)) * 0.01
    concept = np.arange(400) % 2 == 0
    x[torch.from_numpy(concept), 0] += 5
    module = nn.Sequential(nn.Identity(), nn.Identity(), nn.Linear(4, 1))
    module[2].weight.data = torch.tensor([[3.0, 4.0, 0.0, 0.0]])
    net = Network.of(regressor(module))
    layer = hidden_layer(net, (x,), torch.zeros(400, dtype=torch.long))
    found = sensitivity(layer, concept, np.random.default_rng(0))
    assert found.slope == pytest.approx(3 / 5, rel=WITHIN)
    assert found.rising == 400


def test_the_influence_of_a_row_on_itself_in_a_network_that_knows_nothing():
    module = nn.Linear(3, 2)
    nn.init.zeros_(module.weight)
    nn.init.zeros_(module.bias)
    x = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 2.0]])
    found = self_influence(Network.of(network(module)), (x,), np.array([0, 1]))
    np.testing.assert_allclose(found, [0.5 * 1, 0.5 * 10], rtol=WITHIN)
