"""Networks over four columns, each with what must come of it.

``gradients`` and ``shapley``: explained, by that method, and right. ``refused``: an Unavailable with a remedy.
``error``: a ModelError that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from audit.data import Columns

from .parts import (
    HIDDEN,
    Attends,
    Calls,
    Counts,
    D,
    Learns,
    Nan,
    Raises,
    Recurrent,
    Square,
    Tied,
    TwoInputs,
    Whole,
    Wrong,
    by_row,
    calls,
    checkpointed,
    overwrites_hidden,
    overwrites_input,
    plain,
    seeded,
    spoils_backward,
    stack,
    with_hook,
)

Expect = Literal["gradients", "shapley", "refused", "error"]


@dataclass(frozen=True)
class Animal:
    name: str
    build: Callable[[], nn.Module]
    expect: Expect
    options: dict[str, Any] = field(default_factory=dict)


def stacked(columns: Columns) -> torch.Tensor:
    return torch.from_numpy(np.column_stack(list(columns.values())).astype(np.float32))


def pair(columns: Columns) -> tuple[torch.Tensor, ...]:
    x = stacked(columns)
    return x[:, :2], x[:, 2:]


def strided(columns: Columns) -> torch.Tensor:
    return stacked(columns).T.contiguous().T


def whole(columns: Columns) -> torch.Tensor:
    return (stacked(columns).round().long() + 4).clamp(0, 7)


def mixed(columns: Columns) -> torch.Tensor:
    x = stacked(columns)
    return torch.cat([x[:, :1] + x[:, 1:2], x[:, 1:]], dim=1)


def missing(columns: Columns) -> torch.Tensor:
    x = stacked(columns)
    return torch.where(x > 1.0, torch.nan, x)


def no_grad(module: Calls, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return module.two(torch.tanh(module.one(x)))


def inference(module: Calls, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return module.two(torch.tanh(module.one(x)))


def quantised(activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Module:
    return quantised_dynamic(plain(activation)(), {nn.Linear})


def quantised_dynamic(module: nn.Module, kinds: set[type[nn.Module]]) -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(module.eval(), kinds, dtype=torch.qint8)


def compiled() -> nn.Module:
    module = torch.compile(plain(nn.ReLU)(), backend="eager")
    module(torch.zeros(2, D))  # once run, hooks on it are ignored
    return module


def between(how: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[], nn.Module]:
    return calls(lambda s, x: s.two(how(s.one(x))))


def batchnorm(**options: Any) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        module = nn.Sequential(nn.Linear(D, HIDDEN), nn.BatchNorm1d(HIDDEN, **options), nn.Tanh(), nn.Linear(HIDDEN, 1))
        module.train()
        module(torch.randn(64, D))
        return module

    return seeded(make)


def half(dtype: torch.dtype) -> Animal:
    def encode(columns: Columns) -> torch.Tensor:
        return stacked(columns).to(dtype)

    return Animal(f"{dtype}", lambda: plain(nn.Tanh)().to(dtype), "gradients", {"encode": encode})


def uncopyable() -> nn.Module:
    module = Calls(lambda s, x: s.two(s.one(x).tanh()))
    module.cache = (i for i in range(3))  # type: ignore[assignment]
    return module


THREE = {"classes": ["a", "b", "c"]}
PROBABILITY = {"output": "probability"}
VALUE = {"output": "value", "classes": []}

ANIMALS = (
    Animal("functional relu", between(functional.relu), "gradients"),
    Animal("functional gelu", between(functional.gelu), "gradients"),
    Animal("functional silu", between(functional.silu), "gradients"),
    Animal("module gelu", plain(nn.GELU), "gradients"),
    Animal("elu", plain(nn.ELU), "gradients"),
    Animal("hardswish", plain(nn.Hardswish), "gradients"),
    Animal("softplus", plain(nn.Softplus), "gradients"),
    Animal("reused relu", calls(lambda s, x: s.two(s.act(s.act(s.one(x)) - 0.2))), "gradients"),
    Animal("in-place relu", plain(lambda: nn.ReLU(inplace=True)), "gradients"),
    Animal("overwrites hidden values", calls(overwrites_hidden), "gradients"),
    Animal("overwrites its input", calls(overwrites_input), "gradients"),
    Animal("overwrites what backward needs", calls(spoils_backward), "shapley"),
    Animal("compiled", compiled, "gradients"),
    Animal("int8 with scales of the batch", quantised, "shapley"),
    Animal("int8 of a tanh", lambda: quantised(nn.Tanh), "shapley"),
    Animal("int8 recurrence", lambda: quantised_dynamic(Recurrent(nn.LSTM), {nn.LSTM, nn.Linear}), "shapley"),
    Animal("batch norm in train mode", batchnorm(), "gradients"),
    Animal("batch norm without statistics", batchnorm(track_running_stats=False), "refused"),
    Animal(
        "dropout in train mode",
        stack(lambda: nn.Linear(D, 8), nn.Tanh, nn.Dropout, lambda: nn.Linear(8, 1), mode=True),
        "gradients",
    ),
    Animal("dropout always on", between(lambda h: functional.dropout(h, 0.5, training=True)), "refused"),
    Animal("noise", between(lambda h: h + torch.randn_like(h)), "refused"),
    Animal("draws and does not use", between(lambda h: h + 0 * torch.rand_like(h)), "gradients"),
    Animal("softmax said to be logits", calls(lambda s, x: s.two(s.one(x).tanh()).softmax(1), 3), "refused", THREE),
    Animal("softmax", calls(lambda s, x: s.two(s.one(x).tanh()).softmax(1), 3), "gradients", {**THREE, **PROBABILITY}),
    Animal("sigmoid", calls(lambda s, x: s.two(s.one(x).tanh()).sigmoid()), "gradients", PROBABILITY),
    Animal("two softmax outputs", calls(lambda s, x: s.two(s.one(x).tanh()).softmax(1), 2), "gradients", PROBABILITY),
    Animal("two logits", calls(lambda s, x: s.two(s.one(x).tanh()), 2), "gradients"),
    Animal("three logits", calls(lambda s, x: s.two(s.one(x).tanh()), 3), "gradients", THREE),
    Animal("log-softmax", calls(lambda s, x: s.two(s.one(x).tanh()).log_softmax(1), 3), "gradients", THREE),
    Animal("nan outputs", calls(lambda s, x: s.two(s.one(x)) * float("nan")), "refused"),
    Animal("infinite outputs", calls(lambda s, x: s.two(s.one(x)) / 0), "refused"),
    Animal("log of a negative for some rows", calls(lambda s, x: x.sum(1, keepdim=True).log()), "refused"),
    Animal("nan inputs", plain(nn.Tanh), "refused", {"encode": missing}),
    Animal("infinite gradient", calls(lambda s, x: (x - x).sum(1, keepdim=True).sqrt() + s.two(s.one(x))), "shapley"),
    Animal("two inputs", seeded(TwoInputs), "gradients", {"encode": pair}),
    Animal("whole numbers", seeded(Whole), "shapley", {"encode": whole}),
    Animal("encode mixes columns", plain(nn.Tanh), "shapley", {"encode": mixed}),
    Animal("strided input", plain(nn.Tanh), "gradients", {"encode": strided}),
    Animal("lstm", seeded(lambda: Recurrent(nn.LSTM)), "gradients"),
    Animal("gru", seeded(lambda: Recurrent(nn.GRU)), "gradients"),
    Animal("lstm with dropout in train mode", seeded(lambda: Recurrent(nn.LSTM, 2, 0.5).train()), "gradients"),
    Animal("attention", seeded(lambda: Attends(False).eval()), "gradients"),
    Animal("transformer layer", seeded(lambda: Attends(True).eval()), "gradients"),
    Animal("tied weights", seeded(Tied), "gradients"),
    half(torch.float16),
    half(torch.bfloat16),
    Animal("float64", lambda: plain(nn.Tanh)().double(), "gradients", {"encode": lambda c: stacked(c).double()}),
    Animal("no_grad", calls(no_grad), "shapley"),
    Animal("inference_mode", calls(inference), "shapley"),
    Animal("detached", between(lambda h: h.detach().tanh()), "shapley"),
    Animal("detached in part", between(lambda h: h.tanh() + 2 * h.detach().tanh()), "shapley"),
    Animal("a true gradient of its own", between(Square.apply), "gradients"),
    Animal("a false gradient of its own", between(Wrong.apply), "shapley"),
    Animal("a gradient that raises", between(Raises.apply), "shapley"),
    Animal("a gradient that is nan", between(Nan.apply), "shapley"),
    Animal("rounded", between(torch.round), "shapley"),
    Animal("straight-through rounding", between(lambda h: h + (h.round() - h).detach()), "shapley"),
    Animal("step", between(lambda h: (h > 0).float()), "shapley"),
    Animal("huge logits", calls(lambda s, x: 1e4 * s.two(s.one(x).tanh())), "gradients", VALUE),
    Animal("tiny logits", calls(lambda s, x: 1e-3 * s.two(s.one(x).tanh())), "gradients"),
    Animal("constant", calls(lambda s, x: 0 * s.two(s.one(x)) + 1.0), "gradients"),
    Animal("value", plain(nn.Tanh), "gradients", VALUE),
    Animal("a flat output", calls(lambda s, x: s.two(s.one(x).tanh())[:, 0]), "gradients"),
    Animal("outputs with more axes", calls(lambda s, x: s.two(s.one(x).tanh())[:, :, None]), "gradients"),
    Animal("returns a tuple", calls(lambda s, x: (s.two(s.one(x)), x)), "error"),
    Animal("returns a dict", calls(lambda s, x: {"logits": s.two(s.one(x))}), "error"),
    Animal("one number a batch", calls(lambda s, x: s.two(s.one(x)).mean()), "error"),
    Animal("rows meet", calls(lambda s, x: s.two((s.one(x) - s.one(x).mean(0)).tanh())), "refused"),
    Animal("rows meet in a branch", calls(lambda s, x: s.two(s.one(x if x.sum() > 0 else 2 * x).tanh())), "refused"),
    Animal("a branch a row, with a jump", calls(by_row), "shapley"),
    Animal("counts its calls", Counts, "refused"),
    Animal("learns while asked", seeded(Learns), "error"),
    Animal("hook that doubles", with_hook("forward"), "gradients"),
    Animal("hook that halves gradients", with_hook("backward"), "shapley"),
    Animal("checkpointed", calls(checkpointed), "gradients"),
    Animal(
        "weight norm",
        seeded(
            lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(D, 8)), nn.Tanh(), nn.Linear(8, 1))
        ),
        "gradients",
    ),
    Animal(
        "spectral norm in train mode",
        seeded(
            lambda: nn.Sequential(
                nn.utils.parametrizations.spectral_norm(nn.Linear(D, 8)), nn.Tanh(), nn.Linear(8, 1)
            ).train()
        ),
        "gradients",
    ),
    Animal("frozen parameters", lambda: plain(nn.Tanh)().requires_grad_(False), "gradients"),
    Animal(
        "layer norm",
        stack(lambda: nn.Linear(D, 8), lambda: nn.LayerNorm(8), nn.Tanh, lambda: nn.Linear(8, 1)),
        "gradients",
    ),
    Animal("sorted", between(lambda h: h.sort(dim=1).values.tanh()), "gradients"),
    Animal("fourier", between(lambda h: torch.fft.rfft(h).abs()[:, :1].expand(-1, HIDDEN).tanh()), "gradients"),
    Animal("complex outputs", calls(lambda s, x: torch.complex(s.two(s.one(x)), s.two(s.one(x)))), "error"),
    Animal("data parallel", lambda: nn.DataParallel(plain(nn.Tanh)()), "gradients"),
    Animal("cannot be copied", seeded(uncopyable), "gradients"),
    Animal("wrong number of columns", stack(lambda: nn.Linear(9, 1)), "error"),
)
