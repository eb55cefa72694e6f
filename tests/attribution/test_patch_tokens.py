"""Vision transformers: patch tokens are found by what runs, and left out at their embedding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from audit.attribution.images import explain_images
from audit.attribution.network import Network
from audit.attribution.patch_tokens import patch_embedding, resized
from audit.attribution.trust_grades import read_rules
from audit.attribution.untouched import state_hash

from .vit_worlds import GRID, PATCH, AddsPatches, FolderViT, TorchViT
from .worlds import cnn, images, network

CLASSES = ["a", "b", "c"]
SIDE = PATCH * GRID


def explained(module, n=4, **more):
    return explain_images(network(module, classes=CLASSES), images(n, size=SIDE), seed=0, **more)


@pytest.mark.parametrize(
    ("module", "where"),
    [(TorchViT(), "conv_proj"), (FolderViT(), "embeddings.patch_embeddings.projection"), (AddsPatches(), "cut")],
)
def test_the_embedding_of_patches_is_found_in_transformers(module, where):
    assert patch_embedding(Network.of(network(module.eval(), classes=CLASSES)), torch.rand(2, 1, SIDE, SIDE)) == where


@pytest.mark.parametrize(
    "module",
    [
        cnn(),
        nn.Sequential(nn.Conv2d(1, 4, PATCH, PATCH), nn.Flatten(), nn.Linear(4 * GRID**2, 3)),
        nn.Sequential(nn.Conv2d(1, 4, PATCH, PATCH), nn.Conv2d(4, 4, 2, 2), nn.Flatten(), nn.Linear(16, 3)),
        nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 3)),
    ],
    ids=["convolutions", "no sequence", "two convolutions", "none"],
)
def test_a_network_that_reads_no_sequence_of_patches_is_no_transformer(module):
    assert patch_embedding(Network.of(network(module, classes=CLASSES)), torch.rand(2, 1, SIDE, SIDE)) is None


def test_a_token_left_out_falls_by_what_it_gave():
    found = explained(AddsPatches())
    (tokens,) = [m for m in found.maps if m.short == "patch token ablation"]
    pixels = images(4, size=SIDE).values("scan")
    means = pixels.reshape(4, GRID, PATCH, GRID, PATCH).mean(axis=(2, 4)).reshape(4, -1)
    sign = np.array([{"a": 1, "b": -1, "c": 0}[t] for t in found.targets])[:, None]
    truth = sign * (np.arange(GRID**2) - 5) * (means - means.mean())
    by_patch = tokens.values.reshape(4, GRID, PATCH, GRID, PATCH).sum(axis=(2, 4)).reshape(4, -1)
    np.testing.assert_allclose(by_patch, truth, atol=1e-4)


@pytest.mark.parametrize("module", [TorchViT(), FolderViT()])
def test_tokens_stand_in_for_gradcam_and_the_network_is_given_back_as_it_was(module):
    before = state_hash(module)
    found = explained(module, rules=read_rules())
    assert [m.short for m in found.maps][2:] == ["patch token ablation", "occlusion"]
    assert found.maps[2].values.shape == (4, SIDE, SIDE)
    assert "trust_randomisation" in found.trust[2].numbers
    assert state_hash(module) == before


def test_each_row_is_ablated_by_itself():
    whole = explained(TorchViT(), background=images(9, size=SIDE, seed=3)).maps[2].values
    module = network(TorchViT(), classes=CLASSES)
    rest = images(9, size=SIDE, seed=3)
    alone = explain_images(module, images(4, size=SIDE).take([2]), background=rest, seed=0).maps[2].values
    np.testing.assert_allclose(alone[0], whole[2], atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 20), st.integers(1, 20))
def test_a_map_on_another_grid_keeps_its_sum(h, w, height, width):
    values = np.random.default_rng(h * 100 + w).normal(size=(2, h, w)).astype(np.float32)
    found = resized(values, (height, width))
    assert found.shape == (2, height, width)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), values.sum(axis=(1, 2)), atol=1e-4)
    np.testing.assert_allclose(resized(values, (h, w)), values, atol=1e-6)
