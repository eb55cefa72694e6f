"""Attribution maps of image classifiers: integrated gradients from two baselines, occlusion, and GradCAM (of a vision
transformer, patch tokens left out).

Methods of different families side by side, because each has its blind spot: a map is evidence where they agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Model
from audit.stats import generator

from .grad_cam import grad_cam
from .maps import MapExplanation, Maps
from .network import Network, encoded, fastest_layout, preflight
from .occlusion import Windows, occlusion
from .patch_tokens import patch_embedding, resized, tokens_left_out
from .path_maps import integrated, path_from, quick
from .subject import Method, Subject, grid
from .trust import assess
from .trust_grades import Rules
from .untouched import untouched

BLUR = 8  # the blurred baseline keeps no detail under about an eighth of the side
BACKGROUND_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageExplanation(MapExplanation):
    """n pictures (n, H, W, 1 or 3; uint8), the explained class of each, and the maps of every method."""

    pixels: NDArray[np.uint8]


def explain_images(
    model: Model, data: Dataset, *, background: Dataset | None = None, rules: Rules | None = None, seed: int
) -> ImageExplanation:
    """Maps for every row of ``data`` (a few: take them first), for the class that the model predicts.

    With ``rules`` the trust checks are run on every map and graded by them.

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
        return _explained(model, network, images.astype(np.float32), usual.astype(np.float32), name, rules, seed)


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
    model: Differentiable,
    network: Network,
    images: NDArray[np.float32],
    usual: NDArray[np.float32],
    name: str,
    rules: Rules | None,
    seed: int,
) -> ImageExplanation:
    def encode(pixels: NDArray[np.float32]) -> torch.Tensor:
        tensors = encoded(model, {name: pixels})
        if len(tensors) != 1 or tensors[0].ndim != 4:
            raise Unavailable("not_applicable", "encode does not return one N x C x H x W tensor", "give it that shape")
        return tensors[0].contiguous(memory_format=layout)

    layout = torch.contiguous_format
    layout = fastest_layout(network, encode(images[:2]))
    inputs = encode(images)
    answers = preflight(network, (inputs,))
    targets = network.predicted(answers)
    background = encode(usual)
    subject = picture_subject(network, inputs, targets, background, encode(blurred(images)))
    _, typical = network.usual(network.answers((background,)), targets)
    task = _Task(subject, typical, encode(np.zeros_like(images)), background)
    maps, methods, missing = task.all()
    trust = () if rules is None else assess(subject, methods, maps, rules, seed)
    return ImageExplanation(
        pixels=shown_pictures(images),
        targets=tuple(network.classes[t] if network.classes else "value" for t in targets.tolist()),
        scalar=network.words[0].replace("target", "predicted"),
        maps=tuple(_fitted(m, images.shape[2:]) for m in maps),
        trust=trust,
        unavailable=missing,
        evaluations=task.evaluations,
        modality="image",
        feature=name,
        unit=network.words[1],
        output=task.output.numpy(),
        value_function="straight path from the baseline that the method names",
        background_n=len(background),
        seed=seed,
    )


def blurred(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same pictures (n, C, H, W) without detail."""
    side = max(images.shape[2:])
    return np.asarray(gaussian_filter(images, sigma=(0, 0, side / BLUR, side / BLUR), mode="nearest"))


def picture_subject(
    network: Network,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    background: torch.Tensor,
    smooth: torch.Tensor,
    most: int = 8,
) -> Subject:
    """At most 8 x 8 patches, covered with the mean colour or with the picture without detail."""
    places = grid(inputs.shape[2], inputs.shape[3], most)
    colour = background.mean(dim=(0, 2, 3), keepdim=True).expand_as(inputs)
    return Subject(
        network=network,
        inputs=inputs,
        targets=targets,
        units=torch.from_numpy(places).expand(inputs.shape[1:]),
        places=places,
        fills=(colour, smooth),
        spread=background.std(dim=0, correction=0),
        live=np.ones((len(inputs), int(places.max()) + 1), dtype=bool),
    )


class _Task:
    """The images with what their maps should add up to, and the methods that read this network."""

    def __init__(self, subject: Subject, typical: torch.Tensor, black: torch.Tensor, background: torch.Tensor) -> None:
        self.subject, self.typical, self.black, self.background = subject, typical, black, background
        self.evaluations = 0
        self.output = subject.outputs()

    def all(self) -> tuple[list[Maps], list[Method], tuple[Unavailable, ...]]:
        """Maps, how each is made again at a fixed cost, and the methods that this network cannot be read by."""
        maps: list[Maps] = []
        methods: list[Method] = []
        missing: list[Unavailable] = []
        for baseline, where in ((self.black, "black"), (self.subject.fills[1], "a blurred copy")):
            along = path_from(self.subject, baseline, self.typical)
            own = integrated(self.subject, along, self.typical, f"integrated gradients from {where}", by_pixel)
            self.evaluations += own.evaluations
            maps.append(own)
            methods.append(Method(short=own.short, family=own.family, make=quick(baseline, by_pixel)))
        cut = patch_embedding(self.subject.network, self.subject.inputs)
        for make in (self.activations if cut is None else partial(self.tokens, cut), self.occlusion):
            self._append(make, maps, methods, missing)
        return maps, methods, tuple(missing)

    @staticmethod
    def _append(
        make: Callable[[], tuple[Maps, Method]], maps: list[Maps], methods: list[Method], missing: list[Unavailable]
    ) -> None:
        try:
            own, method = make()
        except Unavailable as error:
            missing.append(error)
        else:
            maps.append(own)
            methods.append(method)

    def activations(self) -> tuple[Maps, Method]:
        subject = self.subject
        values, layer = grad_cam(subject.network, subject.inputs, subject.targets)
        self.evaluations += len(values)
        maps = Maps(
            method=f"GradCAM at {layer or 'the convolution'} (Captum)",
            short="GradCAM",
            family="activations",
            values=values,
            signed=False,
        )
        return maps, Method(short="GradCAM", family="activations", make=_activations)

    def tokens(self, where: str) -> tuple[Maps, Method]:
        maps = tokens_left_out(self.subject, where, self.background)
        self.evaluations += maps.evaluations

        def make(subject: Subject) -> NDArray[np.float32]:
            return tokens_left_out(subject, where, self.background).values

        return maps, Method(short=maps.short, family=maps.family, make=make)

    def occlusion(self) -> tuple[Maps, Method]:
        values, windows = _occluded(self.subject)
        self.evaluations += len(values) * windows.count(*self.subject.inputs.shape[2:])
        words = f"occlusion by {windows.size[0]} x {windows.size[1]} windows of the mean colour (Captum)"
        maps = Maps(method=words, short="occlusion", family="occlusion", values=values, signed=True)
        return maps, Method(short="occlusion", family="occlusion", make=lambda subject: _occluded(subject)[0])


def by_pixel(subject: Subject, values: torch.Tensor) -> NDArray[np.float32]:
    """Numbers (n, C, H, W) added up over the channels."""
    return values.sum(dim=1).float().numpy()


def _activations(subject: Subject) -> NDArray[np.float32]:
    return grad_cam(subject.network, subject.inputs, subject.targets)[0]


def _occluded(subject: Subject) -> tuple[NDArray[np.float32], Windows]:
    return occlusion(subject.network, subject.inputs, subject.fills[0][:1, :, :1, :1], subject.targets)


def shown_pictures(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shape (n, H, W, 1 or 3). Pictures beyond 0..1 are shown relative to their largest value."""
    scaled = np.clip(images / max(1.0, float(images.max(initial=0.0))), 0, 1)
    shown = scaled if scaled.shape[1] in {1, 3} else scaled.mean(axis=1, keepdims=True)
    return np.ascontiguousarray(np.round(shown * 255).astype(np.uint8).transpose(0, 2, 3, 1))


def _fitted(maps: Maps, shape: tuple[int, ...]) -> Maps:
    """Maps in the size of the pictures, where encode had resized them."""
    if maps.values.shape[1:] == shape:
        return maps
    return replace(maps, values=resized(maps.values, shape))
