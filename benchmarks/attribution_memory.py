"""How much memory attributions take beyond the model: ours, and Captum's default of 50 nodes in one batch.

Each piece of work runs in a process of its own. After a small run that loads all that it needs, the kernel's high-water
mark of resident memory is set back; printed is how far it rises over the whole work (Linux only). One thread; pictures
of 3 x 32 x 32, with and without their trust checks, large ones of 3 x 224 x 224, a table of 60 columns, series of
256 x 16, and a layer of a network of pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from captum.attr import IntegratedGradients
from torch import nn

from audit.attribution import explain
from audit.attribution.trust_grades import read_rules
from audit.data import Dataset
from audit.data.dataset import Column, ColumnKind, Roles
from audit.models.torch import TorchClassifier, TorchModel, TorchRegressor, adapt
from benchmarks._figures import Result, result

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
BOUND = "<= 256"


def arrays(kind: ColumnKind, n: int, shape: tuple[int, ...]) -> Dataset:
    """Smooth random numbers as one column."""
    coarse = torch.rand(n, *shape, generator=torch.Generator().manual_seed(n)).numpy()
    if kind == "image":
        stored = {f"p{j}": column for j, column in enumerate(coarse.reshape(n, -1).T)}
        column = Column(name="x", kind=kind, sources=tuple(stored), shape=shape)
    else:
        stored = {"x": pa.array(list(coarse.reshape(n, -1)))}
        column = Column(name="x", kind=kind, shape=shape)
    return Dataset(name="test", table=pa.table(stored), columns={"x": column}, roles=Roles(features=("x",)))


def rows(n: int, columns: int) -> Dataset:
    draws = np.random.default_rng(n).normal(size=(n, columns))
    names = tuple(f"x{j}" for j in range(columns))
    table = pa.table({name: draws[:, j] for j, name in enumerate(names)})
    kinds = {name: Column(name=name, kind="number") for name in names}
    return Dataset(name="test", table=table, columns=kinds, roles=Roles(features=names))


def convolutions(widths: tuple[int, ...] = (3, 32, 64, 64)) -> nn.Module:
    torch.manual_seed(0)
    blocks: list[nn.Module] = []
    for before, after in pairwise(widths):
        blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 2)).eval()


def wrapped(module: nn.Module) -> TorchClassifier | TorchRegressor:
    found = adapt(TorchModel(module, classes=["no", "yes"], output="logit"), device="cpu")
    if not isinstance(found, TorchClassifier | TorchRegressor):
        raise TypeError("the benchmark explains one class")
    return found


def small(n: int) -> Dataset:
    return arrays("image", n, (3, 32, 32))


def table_net() -> nn.Module:
    return nn.Sequential(nn.Linear(60, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))


def series_net() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(4096, 64), nn.Tanh(), nn.Linear(64, 2))


WORKS: Mapping[str, tuple[int, Callable[[int], object]]] = {
    "64 pictures": (64, lambda n: explain(wrapped(convolutions()), small(n))),
    "64 pictures, Captum": (
        64,
        lambda n: IntegratedGradients(convolutions()).attribute(torch.rand(n, 3, 32, 32), target=0),
    ),
    "8 pictures and their trust checks": (
        8,
        lambda n: explain(wrapped(convolutions()), small(n), rules=read_rules()),
    ),
    "4 large pictures": (
        4,
        lambda n: explain(wrapped(convolutions((3, 32, 64, 128))), arrays("image", n, (3, 224, 224))),
    ),
    "256 rows of a table": (256, lambda n: explain(wrapped(table_net()), rows(n, 60))),
    "32 series": (32, lambda n: explain(wrapped(series_net()), arrays("series", n, (256, 16)))),
    "a layer of 64 pictures": (64, lambda n: explain(wrapped(convolutions()), small(n), layer="3")),
}


def rise(name: str) -> float:
    """MB by which the resident memory of this process rose over the work, at its highest."""
    torch.set_num_threads(1)
    size, task = WORKS[name]
    task(2)
    CLEAR.write_text("5")
    before = _resident("VmRSS")
    task(size)
    return (_resident("VmHWM") - before) / 1024


def _resident(key: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key))
    return float(line.split()[1])


def main() -> Result:
    if not CLEAR.exists():
        raise SystemExit("attribution_memory reads /proc/self, which only Linux has")
    figures = {}
    for name in WORKS:
        with get_context("spawn").Pool(1) as alone:
            figures[f"{name}: peak beyond the model, MB"] = alone.apply(rise, (name,))
    targets = {key: BOUND for key in figures if "Captum" not in key}
    return result("attribution_memory", figures, targets)
