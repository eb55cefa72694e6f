"""Training the demonstration's models, with their energy recorded while they train."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
import skops.io
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from audit.demo.data import FEATURES
from audit.demo.networks import Standardised, digits_cnn, mortgage_mlp
from audit.energy.tracker import track

SEED = 20261122
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def train_pipeline(folder: Path, train: pd.DataFrame) -> None:
    """model.skops and training.json: gradient boosting behind a scikit-learn pipeline."""
    trees = HistGradientBoostingClassifier(max_iter=80, max_depth=4, learning_rate=0.08, random_state=0)
    model = Pipeline([("scale", StandardScaler()), ("trees", trees)])
    with track(folder / "training.json", samples=len(train) * 80, model=folder / "model.skops"):
        model.fit(train[list(FEATURES)], train["approve"])
        skops.io.dump(model, folder / "model.skops")


def train_mlp(folder: Path, train: pd.DataFrame, epochs: int = 60) -> None:
    """model.safetensors and training.json: a network over the same columns."""
    torch.manual_seed(SEED)
    x = torch.tensor(train[list(FEATURES)].to_numpy(np.float32))
    y = torch.tensor(train["approve"].to_numpy(np.float32))
    network = mortgage_mlp()
    first = next(part for part in network.modules() if isinstance(part, Standardised))
    with track(folder / "training.json", samples=len(x) * epochs, model=folder / "model.safetensors"):
        first.fit(x)
        _fit(network, x, y[:, None], nn.BCEWithLogitsLoss(), epochs, weight_decay=1e-2)
        safetensors.torch.save_file(network.state_dict(), folder / "model.safetensors")


def train_cnn(folder: Path, train: pd.DataFrame, epochs: int = 15) -> None:
    """model.safetensors and training.json: a small convolutional network over the digits."""
    torch.manual_seed(SEED)
    x = torch.tensor(train.filter(like="pixel_").to_numpy(np.float32)).reshape(-1, 1, 8, 8)
    y = torch.tensor(train["digit"].to_numpy(np.int64))
    network = digits_cnn()
    with track(folder / "training.json", samples=len(x) * epochs, model=folder / "model.safetensors"):
        _fit(network, x, y, nn.CrossEntropyLoss(), epochs, weight_decay=1e-4)
        safetensors.torch.save_file(network.state_dict(), folder / "model.safetensors")


def _fit(network: nn.Module, x: torch.Tensor, y: torch.Tensor, loss: Loss, epochs: int, *, weight_decay: float) -> None:
    """Adam over shuffled batches of 64; the order of the rows is seeded, so two runs give the same weights."""
    order = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=weight_decay)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=order).split(64):
            optimiser.zero_grad()
            loss(network(x[rows]), y[rows]).backward()
            optimiser.step()
    network.eval()
