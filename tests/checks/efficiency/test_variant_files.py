"""Variants from files: weights with a factory of their own, and what cannot be loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from audit.cli.auditing import Options, measured
from audit.engine import Silent
from audit.errors import ModelError
from audit.record import AuditRun
from tests.checks.efficiency.worlds import network, overall, pruned, table

FACTORY = """import torch


def build():
    return torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))


class Int8(torch.nn.Module):
    def __init__(self, rows, columns):
        super().__init__()
        self.register_buffer("weight", torch.zeros(rows, columns, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(rows, 1))
        self.register_buffer("bias", torch.zeros(rows))

    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight * self.scale, self.bias)


def build_int8():
    return torch.nn.Sequential(Int8(16, 2), torch.nn.ReLU(), Int8(1, 16))
"""
TOML = """name = "edge"
use = []
[model]
path = "model.safetensors"
factory = "net.py:build"
output = "logit"
classes = [0, 1]
[model.variants]
pruned = "pruned.safetensors"
int8 = { path = "int8.safetensors", factory = "net.py:build_int8" }
[data.test]
path = "test.parquet"
target = "y"
features = ["x", "z"]
groups = ["group"]
cluster = "person"
[[limit]]
measure = "variant_accuracy_change"
params = { variant = "int8" }
by = ["group"]
min = -0.25
why = "no group may lose more than a reviewer would notice"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("edge")
    model = network()
    state = model.state_dict()
    int8: dict[str, torch.Tensor] = {}
    for at in ("0", "2"):
        weight = state[f"{at}.weight"]
        scale = weight.abs().amax(1, keepdim=True) / 127
        int8 |= {f"{at}.weight": (weight / scale).round().to(torch.int8), f"{at}.scale": scale,
                 f"{at}.bias": state[f"{at}.bias"]}  # fmt: skip
    safetensors.torch.save_file(state, made / "model.safetensors")
    safetensors.torch.save_file(pruned(model, 0.5).state_dict(), made / "pruned.safetensors")
    safetensors.torch.save_file(int8, made / "int8.safetensors")
    data = table()
    data["person"] = np.arange(len(data)) // 3
    data.to_parquet(made / "test.parquet")
    (made / "net.py").write_text(FACTORY)
    (made / "audit.toml").write_text(TOML)
    return made


def measure(folder: Path) -> AuditRun:
    return measured(folder / "audit.toml", Options(out=folder, allow_code=True), Silent())


def test_variants_load_from_files_with_factories_of_their_own_and_limits_judge_them(folder: Path) -> None:
    run = measure(folder)
    assert overall(run, "model_parameters", variant="int8").value == 65
    assert overall(run, "relative_model_size", variant="pruned").value == pytest.approx(1.0, abs=0.05)
    assert overall(run, "variant_churn", variant="int8").value < 0.05
    unmoved, moved = (overall(run, "variant_accuracy_change", variant=name) for name in ("int8", "pruned"))
    assert moved.interval.method != "Tango"  # rows come in clusters
    assert unmoved.interval.upper > 0.01  # 200 clusters without a change are no proof that there is none
    assert [str(f.verdict) for f in run.findings] == ["pass"]


def test_a_variant_that_is_not_there_or_does_not_fit_ends_the_audit_by_its_name(folder: Path) -> None:
    text = (folder / "audit.toml").read_text()
    for old, new, words in (
        ('"pruned.safetensors"', '"gone.safetensors"', 'variants, "pruned": .*does not exist'),
        ("net.py:build_int8", "net.py:build", 'variants, "int8": .*does not fit'),
        ('"pruned.safetensors"', '"pruned.pt"', 'variants, "pruned": .*would run code'),
    ):
        (folder / "audit.toml").write_text(text.replace(old, new))
        with pytest.raises(ModelError, match=words):
            measure(folder)
    (folder / "audit.toml").write_text(text)
