"""Layers that do something hostile."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

D, HIDDEN = 4, 8


class Calls(nn.Module):
    """A two-layer network whose forward pass is given as a function of (module, x)."""

    def __init__(self, forward: Callable[[Calls, torch.Tensor], object], outputs: int = 1) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(D, HIDDEN), nn.Linear(HIDDEN, outputs)
        self.act = nn.ReLU()
        self.how = forward

    def forward(self, x: torch.Tensor) -> object:
        return self.how(self, x)


def seeded(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(11)
            return make()

    return build


def calls(forward: Callable[[Calls, torch.Tensor], object], outputs: int = 1) -> Callable[[], nn.Module]:
    return seeded(lambda: Calls(forward, outputs))


def stack(*layers: Callable[[], nn.Module], mode: bool = False) -> Callable[[], nn.Module]:
    """A sequence of layers, in evaluation mode unless ``mode``."""
    return seeded(lambda: nn.Sequential(*(layer() for layer in layers)).train(mode))


def plain(activation: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return stack(lambda: nn.Linear(D, HIDDEN), activation, lambda: nn.Linear(HIDDEN, 1))


class Recurrent(nn.Module):
    """Columns read one after the other."""

    def __init__(self, kind: type[nn.RNNBase], layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.cells = kind(1, 6, num_layers=layers, batch_first=True, dropout=dropout)
        self.head = nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cells(x[:, :, None])[0][:, -1])


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(D, D), nn.Linear(D, D)
        self.two.weight = self.one.weight
        self.head = nn.Linear(D, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tanh(self.two(torch.tanh(self.one(x)))))


class Attends(nn.Module):
    def __init__(self, layer: bool) -> None:
        super().__init__()
        self.up = nn.Linear(1, 8)
        self.mix = (
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            if layer
            else nn.MultiheadAttention(8, 2, batch_first=True)
        )
        self.head = nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.up(x[:, :, None])
        h = self.mix(h) if isinstance(self.mix, nn.TransformerEncoderLayer) else self.mix(h, h, h)[0]
        return self.head(h.mean(dim=1))


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(2, 3), nn.Linear(2, 3)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (torch.tanh(self.left(a)) * torch.tanh(self.right(b))).sum(dim=1, keepdim=True)


class Whole(nn.Module):
    """Takes whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(8, 3)
        self.head = nn.Linear(3 * D, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(x).reshape(len(x), -1))


class Counts(nn.Module):
    """Another answer at every call."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x.sum(dim=1, keepdim=True) * self.calls


class Learns(nn.Module):
    """Changes its own weights when it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(D, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            self.head.weight.mul_(1.0000001)
        return self.head(x)


class Square(torch.autograd.Function):
    """x^2 with its true gradient."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad):
        return 2 * ctx.saved_tensors[0] * grad


class Wrong(Square):
    """x^2 with a gradient that is not its own."""

    @staticmethod
    def backward(ctx, grad):
        return grad * 3.0


class Raises(Square):
    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError("no backward here")


class Nan(Square):
    @staticmethod
    def backward(ctx, grad):
        return grad * float("nan")


def with_hook(kind: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        module = Calls(lambda s, x: s.two(s.act(s.one(x))))
        if kind == "forward":
            module.one.register_forward_hook(lambda _m, _i, out: out * 2)
        else:
            module.act.register_full_backward_hook(lambda _m, grads, _o: (grads[0] * 0.5,))
        return module

    return seeded(make)


def checkpointed(module: Calls, x: torch.Tensor) -> torch.Tensor:
    from torch.utils.checkpoint import checkpoint

    return module.two(checkpoint(lambda y: torch.tanh(module.one(y)), x, use_reentrant=False))


def overwrites_input(module: Calls, x: torch.Tensor) -> torch.Tensor:
    x.mul_(0.5).add_(1.0)
    return module.two(torch.tanh(module.one(x)))


def overwrites_hidden(module: Calls, x: torch.Tensor) -> torch.Tensor:
    h = module.one(x)
    h.add_(1.0)
    functional.relu_(h)
    return module.two(h)


def spoils_backward(module: Calls, x: torch.Tensor) -> torch.Tensor:
    h = torch.exp(module.one(x))
    out = module.two(h)
    h.add_(1.0)  # exp's backward pass needs the value that is overwritten here
    return out


def by_row(module: Calls, x: torch.Tensor) -> torch.Tensor:
    """Another branch for each row, with a jump between them that no gradient sees."""
    return module.two(torch.tanh(module.one(torch.where(x.sum(dim=1, keepdim=True) > 0, x, 2 * x))))
