"""Tiny models and tables with known answers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from audit.data import Columns, Dataset
from audit.data.dataset import Column, Roles
from audit.models.torch import TorchClassifier, TorchModel, TorchRegressor, adapt


@dataclass
class Value:
    """A regressor from a function of columns; counts the rows of its calls."""

    function: Callable[[Columns], NDArray[Any]]
    kind: str = "callable"
    name: str = "value"
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None
    largest_call: int = 0

    def predict_value(self, columns: Columns) -> NDArray[np.float64]:
        out = np.asarray(self.function(columns), dtype=np.float64)
        self.largest_call = max(self.largest_call, len(out))
        return out


@dataclass
class Classes:
    """A classifier from a function that gives probabilities."""

    function: Callable[[Columns], NDArray[Any]]
    classes: tuple[str, ...] = ("no", "yes")
    kind: str = "callable"
    name: str = "classes"
    features: tuple[str, ...] | None = None

    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        return np.asarray(self.function(columns), dtype=np.float64)


def table(columns: Mapping[str, Any], *, name: str = "test", roles: Roles | None = None) -> Dataset:
    """A data set whose columns are all features."""
    arrays = {key: pa.array(list(v) if np.asarray(v).dtype == object else v) for key, v in columns.items()}
    kinds = {
        key: Column(name=key, kind="category" if pa.types.is_string(array.type) else "number")
        for key, array in arrays.items()
    }
    return Dataset(
        name=name, table=pa.table(arrays), columns=kinds, roles=roles or Roles(features=tuple(columns)), path="t.csv"
    )


def numbers(n: int, d: int, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    draws = np.random.default_rng(seed).normal(size=(n, d))
    return {f"x{j}": draws[:, j] for j in range(d)}


def matrix(columns: Columns) -> NDArray[np.float64]:
    return np.column_stack([np.asarray(v, dtype=np.float64) for v in columns.values()])


def slow_shapley(function: Callable[[Columns], NDArray[Any]], row: Columns, background: Columns) -> NDArray[np.float64]:
    """The definition: every coalition of every column, the others taken from every background row."""
    names = list(background)
    m = len(background[names[0]])

    def worth(coalition: frozenset[str]) -> float:
        mixed = {n: np.repeat(row[n], m) if n in coalition else background[n] for n in names}
        return float(np.mean(function(mixed)))

    phi = np.zeros(len(names))
    for j, name in enumerate(names):
        others = [n for n in names if n != name]
        for size in range(len(names)):
            weight = math.factorial(size) * math.factorial(len(names) - size - 1) / math.factorial(len(names))
            for inside in itertools.combinations(others, size):
                phi[j] += weight * (worth(frozenset({*inside, name})) - worth(frozenset(inside)))
    return phi


def network(module: torch.nn.Module, **options: Any) -> TorchClassifier | TorchRegressor:
    """An adapter on the CPU; logits of "no" and "yes" unless said otherwise."""
    return adapt(TorchModel(module, **{"classes": ["no", "yes"], "output": "logit", **options}), device="cpu")


def mlp(d: int, outputs: int = 1, seed: int = 0, activation: type[torch.nn.Module] = torch.nn.Tanh) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(d, 16), activation(), torch.nn.Linear(16, outputs)).eval()


def images(n: int, *, size: int = 8, channels: int = 1, seed: int = 0, classes: int = 3) -> Dataset:
    """Random pictures as one image column "scan" of stored pixels."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((n, channels * size * size)).astype(np.float32)
    sources = tuple(f"p{j}" for j in range(pixels.shape[1]))
    stored = pa.table({**{s: pixels[:, j] for j, s in enumerate(sources)}, "label": rng.integers(0, classes, n)})
    columns = {
        "scan": Column(name="scan", kind="image", sources=sources, shape=(channels, size, size)),
        "label": Column(name="label", kind="category"),
    }
    return Dataset(name="test", table=stored, columns=columns, roles=Roles(target="label", features=("scan",)))


def cnn(channels: int = 1, classes: int = 3, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 6, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(6, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, classes),
    ).eval()
