"""GradCAM (Selvaraju et al., ICCV 2017): where the last convolution saw evidence for the target, by Captum.

The activation maps of the layer, weighted by the mean gradient of the target, kept where positive and enlarged to the
image. It promises no completeness, so none is stated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from numpy.typing import NDArray

from audit.errors import Unavailable

from .network import Network, Tensors


def grad_cam(network: Network, images: torch.Tensor, targets: torch.Tensor) -> tuple[NDArray[np.float32], str]:
    """Maps (n, H, W), not negative, and the name of the layer. The module must be borrowed by :func:`untouched`."""
    name, layer = last_convolution(network, (images[:1],))
    method = LayerGradCam(lambda x, t: network.scalar((x,), t), layer)
    maps: Any = method.attribute(images, additional_forward_args=(targets,), relu_attributions=True)
    enlarged: Any = LayerAttribution.interpolate(maps.detach(), tuple(images.shape[2:]), interpolate_mode="bilinear")
    return enlarged[:, 0].cpu().float().numpy(), name


def last_convolution(network: Network, inputs: Tensors) -> tuple[str, torch.nn.Module]:
    """The Conv2d that ran last, by execution and not by definition, among those that run once."""
    calls: list[str] = []
    layers = {name: part for name, part in network.module.named_modules() if isinstance(part, torch.nn.Conv2d)}
    handles = [part.register_forward_hook(lambda *_, name=name: calls.append(name)) for name, part in layers.items()]
    try:
        network.answers(inputs)
    finally:
        for handle in handles:
            handle.remove()
    once = [name for name in calls if calls.count(name) == 1]
    if not once:
        raise Unavailable(
            "not_applicable",
            "the network has no two-dimensional convolution that runs once, which GradCAM reads",
            "rely on integrated gradients and occlusion",
        )
    return once[-1], layers[once[-1]]
