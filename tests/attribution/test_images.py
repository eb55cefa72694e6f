"""Image maps: worlds where the evidence is known, and GradCAM by hand as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.attribution.agreement import cells, rank_correlation, top_overlap
from audit.attribution.grad_cam import grad_cam, last_convolution
from audit.attribution.images import explain_images
from audit.attribution.network import Network
from audit.attribution.occlusion import Windows, occlusion
from audit.attribution.untouched import state_hash
from audit.errors import Unavailable

from .worlds import Value, cnn, images, network, numbers, table

CLASSES = ["a", "b", "c"]


def three(module, **options):
    return network(module, classes=CLASSES, **options)


class Corner(torch.nn.Module):
    """Class "b" is the sum of the upper left quarter, the others are constant."""

    def forward(self, x):
        half = x.shape[2] // 2
        score = x[:, :, :half, :half].sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(score), score, torch.zeros_like(score) - 1], dim=1)


def test_every_map_of_a_corner_reader_lies_in_the_corner():
    found = explain_images(three(Corner()), images(4), seed=0)
    for maps in found.maps:
        if maps.short == "integrated gradients from black":
            outside = maps.values.copy()
            outside[:, :4, :4] = 0
            assert not outside.any()
            np.testing.assert_allclose(maps.values[:, :4, :4], found.pixels[:, :4, :4, 0] / 255, atol=0.01)
        elif maps.family == "occlusion":
            assert np.abs(maps.values[:, 5:, :]).max() < 1e-6  # the windows are two pixels wide
            assert np.abs(maps.values[:, :4, :4]).max() > 0
    assert found.targets == ("b",) * 4
    assert [type(why) for why in found.unavailable] == [Unavailable]  # no convolution, no GradCAM


def test_both_baselines_add_up_and_are_told_apart():
    found = explain_images(three(cnn()), images(5), seed=0)
    black, blurred = found.maps[:2]
    assert max(black.completeness.max(), blurred.completeness.max()) <= 0.05
    assert not np.allclose(black.values, blurred.values)
    assert [m.family for m in found.maps] == ["gradients", "gradients", "activations", "occlusion"]
    assert found.evaluations > 5 * 2 * 8


def by_hand(module, x, target):
    """GradCAM from its paper: activations weighted by their mean gradient, rectified, enlarged."""
    activation = module[3:5](module[:3](x)).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(module[5:](activation)[:, target].sum(), activation)
    coarse = torch.relu((gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1, keepdim=True))
    return torch.nn.functional.interpolate(coarse, size=x.shape[2:], mode="bilinear")[:, 0].detach().numpy()


@pytest.mark.parametrize("in_place", [False, True])
def test_grad_cam_is_the_papers_even_when_the_activation_overwrites_its_input(in_place):
    module, x = cnn(), torch.rand(3, 1, 8, 8)
    expected = by_hand(module, x, 1)
    module[4].inplace = in_place
    maps, layer = grad_cam(Network.of(three(module)), x, torch.tensor([1, 1, 1]))
    np.testing.assert_allclose(maps, expected, atol=1e-6)
    assert layer == "4"


def test_the_last_convolution_is_the_last_that_runs_not_the_last_that_is_written():
    class Backwards(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.late = torch.nn.Conv2d(2, 3, 1)
            self.early = torch.nn.Conv2d(1, 2, 1)

        def forward(self, x):
            return self.late(self.early(x)).mean(dim=(2, 3))

    name, _ = last_convolution(Network.of(three(Backwards())), (torch.rand(1, 1, 4, 4),))
    assert name == "late"


def test_a_convolution_that_runs_twice_is_refused_not_guessed():
    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 3, 1)

        def forward(self, x):
            return self.conv(self.conv(x)).mean(dim=(2, 3))

    with pytest.raises(Unavailable, match="runs once"):
        last_convolution(Network.of(three(Twice())), (torch.rand(1, 3, 4, 4),))


def test_occlusion_of_a_linear_score_is_the_mean_of_what_its_windows_hide():
    class Sum(torch.nn.Module):
        def forward(self, x):
            score = x.sum(dim=(1, 2, 3))
            return torch.stack([score, 0 * score, 0 * score], dim=1)

    x = torch.rand(2, 3, 6, 6)
    cover = torch.full((1, 3, 1, 1), 0.25)
    maps, windows = occlusion(Network.of(three(Sum())), x, cover, torch.zeros(2, dtype=torch.long))
    assert (windows.size, windows.step) == ((2, 2), (1, 1))
    change = (x - 0.25).sum(dim=1).numpy()
    hidden = change[:, :-1, :-1] + change[:, 1:, :-1] + change[:, :-1, 1:] + change[:, 1:, 1:]
    np.testing.assert_allclose(maps[:, 0, 0], hidden[:, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(maps[:, 2, 2], hidden[:, 1:3, 1:3].mean(axis=(1, 2)), rtol=1e-4)


@pytest.mark.parametrize("side", [1, 2, 5, 8, 28, 224])
def test_windows_fit_the_image_and_are_few(side):
    windows = Windows.over(side, side)
    assert windows.size[0] <= side
    assert 1 <= windows.count(side, side) <= 169


def test_the_network_is_left_as_it_was_also_after_an_exception():
    module = cnn().train()
    before = state_hash(module)
    explain_images(three(module), images(3), seed=0)
    assert state_hash(module) == before
    module[0].weight.data[:] = torch.nan
    broken = state_hash(module)
    with pytest.raises(Unavailable, match="NaN"):
        explain_images(three(module), images(3), seed=0)
    assert state_hash(module) == broken


def test_the_same_seed_gives_the_same_bytes_and_rows_do_not_meet():
    data = images(6)
    first, second = (explain_images(three(cnn()), data, background=data, seed=0) for _ in range(2))
    some = explain_images(three(cnn()), data.take([4, 1]), background=data, seed=0)
    for a, b, c in zip(first.maps, second.maps, some.maps, strict=True):
        assert a.values.tobytes() == b.values.tobytes()
        np.testing.assert_allclose(c.values, a.values[[4, 1]], rtol=1e-4, atol=1e-6)


def test_colour_pictures_keep_their_colours_and_others_become_grey():
    assert explain_images(three(cnn(channels=3)), images(2, channels=3), seed=0).pixels.shape == (2, 8, 8, 3)
    assert explain_images(three(cnn(channels=2)), images(2, channels=2), seed=0).pixels.shape == (2, 8, 8, 1)


def test_tables_and_black_boxes_are_refused_in_words():
    with pytest.raises(Unavailable, match="one feature is an image"):
        explain_images(three(cnn()), table(numbers(3, 2)), seed=0)
    with pytest.raises(Unavailable, match="no gradients to map"):
        explain_images(Value(lambda c: c["scan"].mean(axis=(1, 2, 3))), images(2), seed=0)


def test_agreement_of_maps_is_one_with_itself_and_by_chance_elsewhere():
    rng = np.random.default_rng(0)
    a, b = (cells(rng.random((28, 28)).astype(np.float32)) for _ in range(2))
    assert len(a) == 196
    assert rank_correlation(a, a) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert top_overlap(a, a) == 1
    assert abs(rank_correlation(a, b)) < 0.25
    assert top_overlap(a, b) < 0.35
    assert rank_correlation(a, np.zeros(196)) is None
    assert top_overlap(a, np.zeros(196)) is None


def test_rank_correlation_equals_scipys_with_ties():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 5, (2, 50)).astype(float)
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (14, 14), (15, 30), (100, 7)])
def test_cells_keep_the_mean_of_the_map_in_equal_parts(shape):
    values = np.ones(shape, dtype=np.float32)
    found = cells(values)
    assert len(found) == min(14, shape[0]) * min(14, shape[1])
    np.testing.assert_allclose(found, 1)
