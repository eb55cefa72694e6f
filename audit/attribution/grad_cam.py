"""GradCAM (Selvaraju et al., ICCV 2017): where the last convolution saw evidence for the target, by Captum.

The activation maps of the layer, weighted by the mean gradient of the target, kept where positive and enlarged to the
image. It promises no completeness, so none is stated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.models.portions import in_calls

from .captum_door import LayerAttribution, LayerGradCam
from .execution import modules_run, runs_once
from .network import Network, Tensors, rows_per_call


def grad_cam(network: Network, images: torch.Tensor, targets: torch.Tensor) -> tuple[NDArray[np.float32], str]:
    """Maps (n, H, W), not negative, and the name of the layer. The module must be borrowed by :func:`untouched`."""
    name, layer = last_convolution(network, (images[:1],))
    method = LayerGradCam(lambda x, t: network.scalar((x,), t), layer)

    def call(at: slice) -> torch.Tensor:
        maps: Any = method.attribute(images[at], additional_forward_args=(targets[at],), relu_attributions=True)
        found: Any = LayerAttribution.interpolate(maps.detach(), tuple(images.shape[2:]), interpolate_mode="bilinear")
        return torch.as_tensor(found[:, 0].cpu().float())

    return torch.cat(in_calls(len(images), rows_per_call((images,)), call)).numpy(), name


def last_convolution(network: Network, inputs: Tensors) -> tuple[str, torch.nn.Module]:
    """The convolution that ran last, by execution and not by definition, with the normalisation and the activation
    that follow it: GradCAM weighs rectified maps. Modules that run more than once cannot be hooked."""
    ran = modules_run(network, inputs)
    places = [i for i, (_, part, _) in enumerate(ran) if isinstance(part, torch.nn.Conv2d) and runs_once(part, ran)]
    if not places:
        raise Unavailable(
            "not_applicable",
            "the network has no two-dimensional convolution that runs once, which GradCAM reads",
            "rely on integrated gradients and occlusion",
        )
    place = places[-1]
    while place + 1 < len(ran) and ran[place + 1][2] == ran[place][2] and runs_once(ran[place + 1][1], ran):
        place += 1
    return ran[place][0], ran[place][1]
