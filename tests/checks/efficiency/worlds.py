"""Small networks, and smaller forms of them that a team would ship."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pandas as pd
import torch

from audit.record import AuditRun
from audit.results import Measurement, Omission

N = 600


def table(n: int = N, seed: int = 3) -> pd.DataFrame:
    """Two features and a label; the rule differs for the small group b."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    group = np.where(rng.random(n) < 0.2, "b", "a")
    risk = 1 / (1 + np.exp(-2 * np.where(group == "b", z, x)))
    return pd.DataFrame({"x": x, "z": z, "group": group, "y": (rng.random(n) < risk).astype(int)})


def network(seed: int = 0, width: int = 16, steps: int = 60) -> torch.nn.Module:
    """Trained on the table's rule, more or less."""
    torch.manual_seed(seed)
    data = table(400, seed=9)
    inputs = torch.tensor(data[["x", "z"]].to_numpy(), dtype=torch.float32)
    labels = torch.tensor(data["y"].to_numpy(), dtype=torch.float32)
    module = torch.nn.Sequential(torch.nn.Linear(2, width), torch.nn.ReLU(), torch.nn.Linear(width, 1))
    optimiser = torch.optim.Adam(module.parameters(), lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(module(inputs)[:, 0], labels).backward()
        optimiser.step()
    return module.eval()


def quantised(module: torch.nn.Module) -> torch.nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eager quantisation is announced to leave torch
        return torch.ao.quantization.quantize_dynamic(module, {torch.nn.Linear}, dtype=torch.qint8)  # type: ignore[no-any-return]


def pruned(module: torch.nn.Module, share: float) -> torch.nn.Module:
    """The smallest weights of each layer are 0."""
    made = copy.deepcopy(module)
    for layer in made.modules():
        if isinstance(layer, torch.nn.Linear):
            size = layer.weight.detach().abs()
            layer.weight.data[size <= size.flatten().kthvalue(max(1, int(share * size.numel()))).values] = 0
    return made


def found(run: AuditRun, name: str, **params: Any) -> list[Measurement]:
    return [m for _, m in run.measurements() if m.name == name and dict(m.params) == params]


def overall(run: AuditRun, name: str, **params: Any) -> Measurement:
    """The one measurement over all rows."""
    (only,) = [m for m in found(run, name, **params) if not m.slice]
    return only


def omitted(run: AuditRun, name: str, **params: Any) -> Omission:
    (only,) = [o for _, o in run.omissions() if o.name == name and dict(o.params) == params and not o.slice]
    return only
