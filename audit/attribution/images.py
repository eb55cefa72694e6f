"""Attribution maps of image classifiers: integrated gradients from two baselines, GradCAM and occlusion.

Methods of different families side by side, because each has its blind spot: a map is evidence where they agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Model
from audit.stats import generator

from .explanation import completeness_error
from .grad_cam import grad_cam
from .integrated_gradients import integrated_gradients, refined
from .network import Network, Tensors, encoded, preflight
from .occlusion import occlusion
from .untouched import untouched

BLUR = 8  # the blurred baseline keeps no detail under about an eighth of the side
BACKGROUND_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """One method's maps (n, H, W) of n images. ``completeness`` (n,) where the method promises that they add up."""

    method: str
    short: str
    family: str  # maps of one family share their reasoning, so that their agreement says less
    values: NDArray[np.float32]
    signed: bool
    completeness: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageExplanation:
    """n pictures (n, H, W, 1 or 3; uint8), the explained class of each, and the maps of every method."""

    pixels: NDArray[np.uint8]
    targets: tuple[str, ...]
    scalar: str
    maps: tuple[Maps, ...]
    unavailable: tuple[Unavailable, ...]  # methods that this network cannot be read by
    evaluations: int


def explain_images(model: Model, data: Dataset, *, background: Dataset | None = None, seed: int) -> ImageExplanation:
    """Maps for every row of ``data`` (a few: take them first), for the class that the model predicts.

    Unavailable unless the model is differentiable and its one feature is an image.
    """
    name = image_feature(data)
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no gradients to map", "give the torch module itself")
    source = background or data
    order = generator(seed, "attribution.image_background").permutation(source.n)[:BACKGROUND_ROWS]
    images, usual = data.values(name), source.take(np.sort(order)).values(name)
    network = Network.of(model)
    with untouched(network.module):
        return _explained(model, network, images.astype(np.float32), usual.astype(np.float32), name)


def image_feature(data: Dataset) -> str:
    """The name of the one image feature; Unavailable for any other table."""
    features = data.roles.features
    if len(features) == 1 and data.column(features[0]).kind == "image":
        return features[0]
    raise Unavailable(
        "not_applicable",
        "attribution maps need a model whose one feature is an image",
        'declare it under [columns] with kind = "image"',
    )


def _explained(
    model: Differentiable, network: Network, images: NDArray[np.float32], usual: NDArray[np.float32], name: str
) -> ImageExplanation:
    def encode(pixels: NDArray[np.float32]) -> torch.Tensor:
        tensors = encoded(model, {name: pixels})
        if len(tensors) != 1 or tensors[0].ndim != 4:
            raise Unavailable("not_applicable", "encode does not return one N x C x H x W tensor", "give it that shape")
        return tensors[0]

    inputs = encode(images)
    answers = preflight(network, (inputs,))
    targets = network.predicted(answers)
    background = encode(usual)
    _, typical = network.usual(network.answers((background,)), targets)
    task = _Task(network, inputs, targets, network.scalar_of(answers, targets), typical)
    black = task.gradients(encode(np.zeros_like(images)), "integrated gradients from black")
    side = max(images.shape[2:])
    smooth = gaussian_filter(images, sigma=(0, 0, side / BLUR, side / BLUR), mode="nearest")
    blurred = task.gradients(encode(smooth), "integrated gradients from a blurred copy")
    maps, missing = task.others(background)
    return ImageExplanation(
        pixels=_pictures(images),
        targets=tuple(network.classes[t] if network.classes else "value" for t in targets.tolist()),
        scalar=network.words[0].replace("target", "predicted"),
        maps=tuple(_fitted(m, images.shape[2:]) for m in (black, blurred, *maps)),
        unavailable=missing,
        evaluations=task.evaluations,
    )


class _Task:
    """The images with their targets and what their maps should add up to."""

    def __init__(
        self, network: Network, inputs: torch.Tensor, targets: torch.Tensor, output: torch.Tensor, typical: torch.Tensor
    ) -> None:
        self.network, self.inputs, self.targets = network, inputs, targets
        self.output, self.typical, self.evaluations = output, typical, 0

    def gradients(self, baseline: torch.Tensor, method: str) -> Maps:
        def rule(rows: torch.Tensor, nodes: int) -> Tensors:
            at = rows.to(self.inputs.device)
            inputs, baselines = (self.inputs[at],), (baseline[at],)
            return integrated_gradients(self.network.scalar, inputs, baselines, self.targets[at], nodes)

        start = self.network.scalar_of(self.network.answers((baseline,)), self.targets)
        change = (self.output - start).cpu().double()
        integral = refined(rule, change, self.typical)
        self.evaluations += integral.evaluations
        values = integral.values[0]
        total = values.reshape(len(values), -1).sum(dim=1)
        return Maps(
            method=f"{method} (Gauss-Legendre, up to {max(integral.nodes)} nodes)",
            short=method,
            family="gradients",
            values=values.sum(dim=1).float().numpy(),
            signed=True,
            completeness=completeness_error(total.numpy(), change.numpy(), self.typical.numpy()),
        )

    def others(self, background: torch.Tensor) -> tuple[list[Maps], tuple[Unavailable, ...]]:
        maps: list[Maps] = []
        missing: list[Unavailable] = []
        colour = background.mean(dim=(0, 2, 3), keepdim=True)
        for make in (self.grad_cam, lambda: self.occlusion(colour)):
            self._append(make, maps, missing)
        return maps, tuple(missing)

    @staticmethod
    def _append(make: Callable[[], Maps], maps: list[Maps], missing: list[Unavailable]) -> None:
        try:
            maps.append(make())
        except Unavailable as error:
            missing.append(error)

    def grad_cam(self) -> Maps:
        values, layer = grad_cam(self.network, self.inputs, self.targets)
        self.evaluations += len(values)
        return Maps(
            method=f"GradCAM at {layer or 'the convolution'} (Captum)",
            short="GradCAM",
            family="activations",
            values=values,
            signed=False,
        )

    def occlusion(self, cover: torch.Tensor) -> Maps:
        values, windows = occlusion(self.network, self.inputs, cover, self.targets)
        self.evaluations += len(values) * windows.count(*self.inputs.shape[2:])
        words = f"occlusion by {windows.size[0]} x {windows.size[1]} windows of the mean colour (Captum)"
        return Maps(method=words, short="occlusion", family="occlusion", values=values, signed=True)


def _pictures(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shape (n, H, W, 1 or 3). Pictures beyond 0..1 are shown relative to their largest value."""
    scaled = np.clip(images / max(1.0, float(images.max(initial=0.0))), 0, 1)
    shown = scaled if scaled.shape[1] in {1, 3} else scaled.mean(axis=1, keepdims=True)
    return np.ascontiguousarray(np.round(shown * 255).astype(np.uint8).transpose(0, 2, 3, 1))


def _fitted(maps: Maps, shape: tuple[int, ...]) -> Maps:
    """Maps in the size of the pictures, where encode had resized them."""
    if maps.values.shape[1:] == shape:
        return maps
    resized = torch.nn.functional.interpolate(torch.from_numpy(maps.values)[:, None], size=shape, mode="bilinear")
    return Maps(
        method=maps.method,
        short=maps.short,
        family=maps.family,
        values=resized[:, 0].numpy(),
        signed=maps.signed,
        completeness=maps.completeness,
    )
