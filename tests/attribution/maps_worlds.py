"""Networks that have learnt something, their pictures, and maps that are planted wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, sobel
from sklearn.datasets import load_digits

from audit.attribution.images import _activations, _occluded, by_pixel, picture_subject
from audit.attribution.network import Network
from audit.attribution.path_maps import quick
from audit.attribution.subject import Method, Subject
from audit.attribution.trust_randomisation import reinitialised
from audit.demo.networks import digits_cnn

from .worlds import network

Make = Callable[[Subject], NDArray[np.float32]]


@cache
def digits() -> tuple[torch.nn.Module, torch.Tensor]:
    """The demonstration's network after a few seconds of training, and the pictures that it was not trained on."""
    raw = load_digits()
    x = torch.from_numpy((raw.images / 16).astype(np.float32))[:, None]
    y = torch.from_numpy(raw.target)
    torch.manual_seed(0)
    module = digits_cnn()
    optimiser = torch.optim.Adam(module.parameters(), lr=3e-3)
    for step in range(120):
        at = torch.arange(step * 96, step * 96 + 96) % 1200
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(module(x[at]), y[at]).backward()
        optimiser.step()
    return module.eval(), x[1200:]


def subject(rows: slice) -> Subject:
    module, x = digits()
    pictures = x[rows]
    net = Network.of(network(module, classes=[str(i) for i in range(10)]))
    blurred = torch.from_numpy(gaussian_filter(pictures.numpy(), sigma=(0, 0, 1, 1), mode="nearest"))
    return picture_subject(net, pictures, net.predicted(net.answers((pictures,))), x[-100:], blurred)


def good_methods(about: Subject) -> dict[str, Make]:
    return {
        "gradients from black": quick(torch.zeros_like(about.inputs), by_pixel),
        "gradients from a blurred copy": quick(1, by_pixel),
        "occlusion": lambda s: _occluded(s)[0],
    }


def grad_cam_method() -> Make:
    return _activations


def planted(make: Make) -> dict[str, Make]:
    """The six ways of M11 to make a map wrong."""

    def edges(s: Subject) -> NDArray[np.float32]:
        pictures = s.inputs[:, 0].numpy()
        # each by itself: the filter smooths along the other axes, and rows are no picture's neighbours
        return np.stack([np.hypot(sobel(one, 0), sobel(one, 1)) for one in pictures]).astype(np.float32)

    def shuffled(s: Subject) -> NDArray[np.float32]:
        maps = make(s)
        order = np.random.default_rng(3).permuted(np.tile(np.arange(maps[0].size), (len(maps), 1)), axis=1)
        return np.take_along_axis(maps.reshape(len(maps), -1), order, axis=1).reshape(maps.shape)

    def other_class(s: Subject) -> NDArray[np.float32]:
        second = s.network.answers((s.inputs,)).argsort(dim=1)[:, -2]
        return make(replace(s, targets=second))

    def other_network(s: Subject) -> NDArray[np.float32]:
        return make(replace(s, network=replace(s.network, module=reinitialised(s.network.module, 99))))

    return {
        "random": lambda s: np.random.default_rng(7).normal(size=(s.n, *s.places.shape)).astype(np.float32),
        "edges": edges,
        "shuffled": shuffled,
        "flipped": lambda s: -make(s),
        "other class": other_class,
        "other network": other_network,
    }


def as_method(make: Make, short: str = "planted", family: str = "planted") -> Method:
    return Method(short=short, family=family, make=make)
