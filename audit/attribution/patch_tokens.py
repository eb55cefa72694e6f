"""Patch tokens of a vision transformer left out at their embedding: a second opinion that fits transformers.

A vision transformer cuts the picture into patches by one convolution whose stride is its kernel, and reads the patches
as tokens (Dosovitskiy et al., ICLR 2021). GradCAM has no feature maps to weigh there. A token that takes the mean patch
embedding of the background keeps its place and loses its content; a patch holds how far the output falls then.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from .execution import Ran, modules_run, runs_once
from .maps import Maps
from .network import Network
from .path_maps import ablation
from .replaced import Replaced, given_by
from .subject import Subject, grid

MOST = 14  # patches along a side that are left out one by one; finer ones go in blocks
BACKGROUND_ROWS = 32


def patch_embedding(network: Network, images: torch.Tensor) -> str | None:
    """The name of the convolution that cuts the picture into tokens; None for any other network.

    It is found by what runs: the only convolution, as far apart as it is wide, followed by a sequence of its patches.
    """
    ran = modules_run(network, (images[:1],))
    cuts = [(name, part, shape) for name, part, shape in ran if isinstance(part, torch.nn.Conv2d)]
    if len(cuts) != 1 or not runs_once(cuts[0][1], ran) or not _cuts(cuts[0][1]):
        return None
    name, _, shape = cuts[0]
    patches = int(np.prod(shape[2:]))
    return name if patches > 1 and _read_as_tokens(ran, patches) else None


def _cuts(part: torch.nn.Conv2d) -> bool:
    plain = part.padding in {(0, 0), "valid"} and part.dilation == (1, 1)
    return plain and tuple(part.kernel_size) == tuple(part.stride)


def _read_as_tokens(ran: Ran, patches: int) -> bool:
    """Whether a module gives (1, tokens, width) with a token for each patch, and a few more for the whole picture."""
    return any(len(shape) == 3 and patches <= shape[1] <= patches + MOST for _, _, shape in ran)


def tokens_left_out(subject: Subject, where: str, background: torch.Tensor) -> Maps:
    """Signed maps (n, H, W) in the size of the module's input. ``background`` holds pictures for the mean embedding."""
    network, images = subject.network, subject.inputs
    embedded = given_by(network, where, (images,))
    usual = given_by(network, where, (background[:BACKGROUND_ROWS],)).mean(dim=(0, 2, 3), keepdim=True)
    height, width = embedded.shape[2:]
    places = grid(height, width, MOST)
    inside = Subject(
        network=replace(network, module=Replaced(network.module, where)),
        inputs=embedded,
        targets=subject.targets,
        units=torch.from_numpy(places).expand(embedded.shape[1:]),
        places=places,
        fills=(usual.expand_as(embedded),),
        spread=torch.zeros_like(embedded[0]),
        live=np.ones((len(embedded), int(places.max()) + 1), dtype=bool),
        others=(images,),
    )
    words = f"patch tokens left out at {where} (the mean patch embedding in their place)"
    found = ablation(inside, np.tile(np.arange(inside.count), (inside.n, 1)), words, "patch token ablation")
    return replace(found, values=resized(found.values, (images.shape[2], images.shape[3])))


def resized(values: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Maps (n, h, w) over another grid of the same picture, (n, *size): every sum stays what it is."""
    down, across = (_overlaps(before, after) for before, after in zip(values.shape[1:], size, strict=True))
    return np.asarray(down @ values.astype(np.float64) @ across.T, dtype=np.float32)


def _overlaps(before: int, after: int) -> NDArray[np.float64]:
    """Which share of each cell of an axis in ``before`` cells lies in each of ``after``, (after, before)."""
    old, new = np.linspace(0, 1, before + 1), np.linspace(0, 1, after + 1)
    overlap = np.minimum(new[1:, None], old[None, 1:]) - np.maximum(new[:-1, None], old[None, :-1])
    return np.asarray(np.clip(overlap, 0, None) * before)
