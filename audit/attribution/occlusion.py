"""Occlusion (Zeiler & Fergus, ECCV 2014): how much the target falls when a window is covered, by Captum.

Windows of about a sixth of the image move by half their size; a pixel holds the mean change of the windows over it. The
cover is the mean colour of the background rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.models.portions import in_calls

from .captum_door import Occlusion
from .network import Network, rows_per_call

SHARE = 6  # windows along a side


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Height and width of the window and of its steps, in pixels."""

    size: tuple[int, int]
    step: tuple[int, int]

    @classmethod
    def over(cls, height: int, width: int) -> Windows:
        size = (max(2, round(height / SHARE)), max(2, round(width / SHARE)))
        size = (min(size[0], height), min(size[1], width))
        return cls(size=size, step=(max(1, size[0] // 2), max(1, size[1] // 2)))

    def count(self, height: int, width: int) -> int:
        along = (int(np.ceil((n - s) / t)) + 1 for n, s, t in zip((height, width), self.size, self.step, strict=True))
        return int(np.prod(list(along)))


def occlusion(
    network: Network, images: torch.Tensor, cover: torch.Tensor, targets: torch.Tensor
) -> tuple[NDArray[np.float32], Windows]:
    """Signed maps (n, H, W) and the windows. ``cover`` has the shape of one image with one number a channel."""
    _, channels, height, width = images.shape
    windows = Windows.over(height, width)
    method = Occlusion(lambda x, t: network.scalar((x,), t))
    size = rows_per_call((images,))

    def call(at: slice) -> torch.Tensor:
        some = images[at]
        maps: Any = method.attribute(
            some,
            sliding_window_shapes=(channels, *windows.size),
            strides=(channels, *windows.step),
            baselines=cover.expand_as(some),
            additional_forward_args=(targets[at],),
            perturbations_per_eval=max(1, size // len(some)),
        )
        # every channel of a window holds the same change: their mean is the window's
        return torch.as_tensor(maps.mean(dim=1).cpu().float())

    with torch.no_grad():
        return torch.cat(in_calls(len(images), size, call)).numpy(), windows
