"""Integrated gradients against default Captum on the same networks, and what the trust checks cost.

One thread, CPU seconds. "at the error that maps need" compares Captum's default of 50 nodes with the fewest nodes of
ours whose median L1 error, against 2,000 nodes, is at most 3.5 % for the CNN and 1 % for the others (Captum's own where
that is larger). "at the same nodes" is 50 on both sides, and so the same error to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from captum.attr import IntegratedGradients
from torch import nn

from audit.attribution.integrated_gradients import NESTED, Nested, integrated_gradients, refined
from audit.attribution.network import rows_per_call
from benchmarks._figures import Result, cpu_seconds, result

NODES = (6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 44, 50)
CAPTUM_NODES = 50
NEEDED = {"MLP": 0.01, "CNN": 0.035, "transformer": 0.01}
TARGETS = {"MLP": ">= 10", "CNN": ">= 8", "transformer": ">= 2"}
PASSES = 5  # T0 asks every row twice; T1 once more, and each of the two baselines


class Transformer(nn.Module):
    """Two layers over 32 embedded tokens and their places."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers = (nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True),) * 2
        self.layers, self.head = nn.ModuleList(layers), nn.Linear(width, 2)
        self.places = nn.Parameter(torch.randn(32, width) * 0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.places
        for layer in self.layers:
            x = layer(x)
        out: torch.Tensor = self.head(x.mean(dim=1))
        return out


def pictures(n: int) -> torch.Tensor:
    """Smooth colours with a texture, 32 x 32 pixels: neighbours in a picture are more alike than noise."""
    smooth = nn.functional.interpolate(torch.rand(n, 3, 6, 6), size=32, mode="bilinear")
    return 0.75 * smooth + 0.25 * torch.rand(n, 3, 32, 32)


def cnn() -> nn.Module:
    widths = (3, 32, 64, 64)
    blocks: list[nn.Module] = []
    for before, after in pairwise(widths):
        blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def trained(module: nn.Module, draw: Callable[[int], torch.Tensor], steps: int) -> nn.Module:
    """Fitted to whether the first half of the numbers is larger than the second: a task with structure."""
    optimiser = torch.optim.Adam(module.parameters(), lr=2e-3)
    for _ in range(steps):
        x = draw(64)
        flat = x.reshape(len(x), -1)
        half = flat.shape[1] // 2
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(x), (flat[:, :half].sum(1) > flat[:, half:].sum(1)).long()).backward()
        optimiser.step()
    return module.eval().requires_grad_(False)


def main() -> Result:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    worlds: dict[str, tuple[nn.Module, Callable[[int], torch.Tensor], int]] = {
        "MLP": (mlp(), lambda n: torch.randn(n, 12), 512),
        "CNN": (cnn(), pictures, 64),
        "transformer": (Transformer(), lambda n: torch.randn(n, 32, 64) * 0.5, 32),
    }
    figures: dict[str, float] = {}
    targets: dict[str, str] = {}
    for name, (module, draw, rows) in worlds.items():
        figures |= compared(name, trained(module, draw, 60), draw(rows))
        targets[f"{name}: ratio at the error that maps need"] = TARGETS[name]
    targets["T0 to T2, share of the maps' seconds"] = "<= 0.1"
    figures["T0 to T2, share of the maps' seconds"] = overhead(worlds["CNN"][0], pictures(16))
    return result("attribution_gradients", figures, targets)


def compared(name: str, module: nn.Module, x: torch.Tensor) -> dict[str, float]:
    targets = torch.zeros(len(x), dtype=torch.long)
    laid = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
    baseline = torch.zeros_like(laid)

    def scalar(inputs: tuple[torch.Tensor, ...], rows: torch.Tensor) -> torch.Tensor:
        return module(inputs[0])[:, 0]  # type: ignore[no-any-return]

    def ours(nodes: int, some: torch.Tensor = laid) -> torch.Tensor:
        n = len(some)
        return integrated_gradients(scalar, (some,), (baseline[:n],), targets[:n], nodes)[0]

    peer = IntegratedGradients(module)
    theirs_s = cpu_seconds(lambda: peer.attribute(x, target=targets), 2)
    theirs = peer.attribute(x, target=targets)
    few = min(len(x), 16)
    truth = ours(2000, laid[:few])
    error = float(_error(theirs[:few].double(), truth))
    allowed = max(error, NEEDED[name])
    nodes = next(n for n in NODES if float(_error(ours(n, laid[:few]), truth)) <= allowed or n == NODES[-1])
    ours_s, same_s = (cpu_seconds(lambda n=n: ours(n), 2) for n in (nodes, CAPTUM_NODES))  # type: ignore[misc]
    return {
        f"{name}: Captum, samples/s": len(x) / theirs_s,
        f"{name}: ours, samples/s": len(x) / ours_s,
        f"{name}: median L1 error of Captum": error,
        f"{name}: median L1 error of ours": float(_error(ours(nodes, laid[:few]), truth)),
        f"{name}: nodes of ours": nodes,
        f"{name}: ratio at the error that maps need": theirs_s / ours_s,
        f"{name}: ratio at the same nodes": theirs_s / same_s,
    }


def _error(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    gap, size = ((t.abs().reshape(len(t), -1).sum(dim=1)) for t in (found - truth, truth))
    return (gap / size).median()


def overhead(module: nn.Module, x: torch.Tensor) -> float:
    """Seconds of the forward passes that T0 to T2 add, over those of the maps from two baselines."""
    x = x.contiguous(memory_format=torch.channels_last)
    baseline, rows = torch.zeros_like(x), torch.arange(len(x))

    def scalar(inputs: tuple[torch.Tensor, ...], _: torch.Tensor) -> torch.Tensor:
        return module(inputs[0])[:, 0]  # type: ignore[no-any-return]

    with torch.no_grad():
        change = (scalar((x,), rows) - scalar((baseline,), rows)).double()
    typical = change.abs().median().expand(len(x))

    def passes() -> None:
        with torch.no_grad():
            for part in x.split(rows_per_call((x,))):
                for _ in range(PASSES):
                    module(part)

    def maps() -> None:
        for _ in range(2):
            refined(Nested(scalar, (x,), (baseline,)), change, typical, levels=NESTED)

    return cpu_seconds(passes, 3) / cpu_seconds(maps, 3)
