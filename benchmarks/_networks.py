"""Three networks that learn a task with structure in a few seconds, and rows that they were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

Draw = Callable[[int], tuple[torch.Tensor, torch.Tensor]]
LENGTH, WIDTH, VOCABULARY = 32, 64, 50


@dataclass(frozen=True, slots=True)
class World:
    """A trained module, rows (n, ...) and its answers to them (n, classes)."""

    name: str
    module: nn.Module
    rows: torch.Tensor
    answers: torch.Tensor


class Transformer(nn.Module):
    """Two layers over 32 embedded tokens and their places."""

    def __init__(self) -> None:
        super().__init__()
        layers = (nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True),) * 2
        self.layers, self.head = nn.ModuleList(layers), nn.Linear(WIDTH, 2)
        self.places = nn.Parameter(torch.randn(LENGTH, WIDTH) * 0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.places
        for layer in self.layers:
            x = layer(x)
        out: torch.Tensor = self.head(x.mean(dim=1))
        return out


def cnn() -> nn.Module:
    blocks: list[nn.Module] = []
    for before, after in pairwise((3, 32, 64, 64)):
        blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(64 * 16, 3))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def numbers(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Twelve columns with interactions."""
    x = torch.randn(n, 12)
    score = x[:, 0] * x[:, 1] + (2 * x[:, 2]).sin() + x[:, 3] * x[:, 4] + x[:, 6:] @ torch.linspace(-0.5, 0.5, 6)
    return x, (score > 0).long()


def pictures(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A disc, a square or a cross, dark or light in each colour, on a smooth ground with noise; 32 x 32 pixels."""
    ground = 0.3 + 0.4 * nn.functional.interpolate(torch.rand(n, 3, 5, 5), size=32, mode="bilinear")
    kind, radius = torch.randint(3, (n,)), torch.randint(5, 9, (n, 1, 1))
    middle = torch.randint(9, 23, (2, n, 1, 1))
    down, right = (torch.arange(32)[:, None] - middle[0]).abs(), (torch.arange(32)[None, :] - middle[1]).abs()
    near, far = torch.minimum(down, right), torch.maximum(down, right)
    shapes = torch.stack(
        [down**2 + right**2 <= radius**2, far <= 0.85 * radius, (near <= 0.3 * radius) & (far <= radius)]
    )
    colour = torch.randint(2, (n, 3, 1, 1)) * 0.85 + 0.15 * torch.rand(n, 3, 1, 1)
    drawn = torch.where(shapes[kind, torch.arange(n)][:, None], colour, ground)
    return (drawn + 0.05 * torch.randn(n, 3, 32, 32)).clamp(0, 1), kind


def texts(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Embedded tokens; which of two sets of three words is the more frequent, and the order of the last two decides."""
    words = torch.randn(VOCABULARY, WIDTH, generator=torch.Generator().manual_seed(3))
    tokens = torch.randint(6, VOCABULARY, (n, LENGTH))
    planted = torch.randint(6, (n, 5))
    tokens.scatter_(1, torch.rand(n, LENGTH).argsort(dim=1)[:, :5], planted)
    return words[tokens], ((planted < 3).sum(dim=1) > 2).long()


def trained(module: nn.Module, draw: Draw, steps: int) -> nn.Module:
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-3)
    for _ in range(steps):
        x, y = draw(64)
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimiser.step()
    return module.eval().requires_grad_(False)


def worlds() -> Iterator[World]:
    torch.manual_seed(0)
    for name, module, draw, steps, n in (
        ("MLP", mlp(), numbers, 1500, 512),
        ("CNN", cnn(), pictures, 400, 64),
        ("transformer", Transformer(), texts, 300, 48),
    ):
        fitted, (rows, _) = trained(module, draw, steps), draw(n)
        yield World(name, fitted, rows, fitted(rows))
