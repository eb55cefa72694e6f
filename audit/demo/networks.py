"""The demonstration's networks, as factories: the weights lie beside audit.toml, the code is installed with Assay."""

from __future__ import annotations

import torch
from torch import nn

MORTGAGE_FEATURES = 14


class Standardised(nn.Module):
    """Missing values filled with the training median, then z-scores: preprocessing that travels with the weights."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.median: torch.Tensor
        self.mean: torch.Tensor
        self.scale: torch.Tensor
        self.register_buffer("median", torch.zeros(features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    def fit(self, x: torch.Tensor) -> None:
        self.median.copy_(x.nanmedian(dim=0).values)
        filled = torch.where(x.isnan(), self.median, x)
        self.mean.copy_(filled.mean(dim=0))
        self.scale.copy_(filled.std(dim=0).clamp_min(1e-6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.where(x.isnan(), self.median, x) - self.mean) / self.scale


def mortgage_mlp() -> nn.Module:
    """Two hidden layers over the mortgage columns; returns the logit of approval."""
    return nn.Sequential(
        Standardised(MORTGAGE_FEATURES),
        nn.Linear(MORTGAGE_FEATURES, 32),
        nn.ReLU(),
        nn.Linear(32, 16),
        nn.ReLU(),
        nn.Linear(16, 1),
    )


def digits_cnn() -> nn.Module:
    """Two convolutions over 8 x 8 pictures; returns the logits of the ten digits."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
