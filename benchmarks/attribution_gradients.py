"""Integrated gradients against default Captum at equal error, on networks that have learnt something.

One thread, CPU seconds, the same rows. A row's error is sum |found - true| / sum |true| with 2,000 nodes as the truth.
Captum runs with its defaults (50 nodes). Ours is the rule that maps are made with, whole: nodes for each row, error
estimates and sums checked. "At equal error" is the loosest accuracy asked for whose 99th percentile of errors is no
larger than Captum's (0.1 % where Captum's is smaller: nobody sees that in a map); "at 3.5 %" is the loosest whose 99th
percentile is within that; "as maps are made" is the default.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from captum.attr import IntegratedGradients

from audit.attribution.integrated_gradients import NESTED, Integral, Nested, Scalar, integrated_gradients, refined
from audit.attribution.kinked import ACCURACY, has_kinks, midpoints
from audit.attribution.network import rows_per_call
from benchmarks._figures import Result, cpu_seconds, result
from benchmarks._networks import World, worlds

ACCURACIES = (0.05, 0.03, 0.02, 0.016, 0.013, 0.0115, 0.01, 0.008, 0.006, 0.004, 0.003, 0.002, 0.001, 0.0005)
SEEN = 1e-3
COARSE = 0.035
JUDGED = 24  # rows whose errors are known: 2,000 nodes of each take their time
TARGETS = {"MLP": ">= 10", "CNN": ">= 8", "transformer": ">= 2"}
PASSES = 5  # T0 asks every row twice; T1 once more, and each of the two baselines

Rule = Callable[[float], Integral]


def main() -> Result:
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    targets = {f"{name}: times Captum's speed at equal error": target for name, target in TARGETS.items()}
    found = {world.name: world for world in worlds()}
    for world in found.values():
        figures |= compared(world)
    targets["T0 to T2, share of the maps' seconds"] = "<= 0.1"
    figures["T0 to T2, share of the maps' seconds"] = overhead(found["CNN"])
    return result("attribution_gradients", figures, targets)


def compared(world: World) -> dict[str, float]:
    name, peer = world.name, IntegratedGradients(world.module)
    targets = world.answers.argmax(dim=1)
    theirs_s = cpu_seconds(lambda: peer.attribute(world.rows, target=targets), 2)
    theirs = peer.attribute(world.rows, target=targets).double()
    scalar, ends, rule, default = ours(world, targets)
    first, last = ends[0][0][:JUDGED], ends[1][0][:JUDGED]
    truth = integrated_gradients(scalar, (first,), (last,), torch.arange(len(first)), 2000)[0]
    allowed = _p99(theirs, truth)
    asked, coarse = (_loosest(rule, truth, most) for most in (max(allowed, SEEN), COARSE))
    same, usual = rule(asked), rule(default)
    same_s, coarse_s, usual_s = (cpu_seconds(partial(rule, accuracy), 2) for accuracy in (asked, coarse, default))
    return {
        f"{name}: Captum, rows/s": len(targets) / theirs_s,
        f"{name}: Captum, 99th percentile of errors": allowed,
        f"{name}: ours at equal error, rows/s": len(targets) / same_s,
        f"{name}: ours at equal error, 99th percentile": _p99(same.values[0], truth),
        f"{name}: ours at equal error, gradients a row": same.evaluations / len(targets),
        f"{name}: times Captum's speed at equal error": theirs_s / same_s,
        f"{name}: at 3.5 %, 99th percentile": _p99(rule(coarse).values[0], truth),
        f"{name}: at 3.5 %, times Captum's speed": theirs_s / coarse_s,
        f"{name}: as maps are made, 99th percentile": _p99(usual.values[0], truth),
        f"{name}: as maps are made, times Captum's speed": theirs_s / usual_s,
    }


def ours(
    world: World, targets: torch.Tensor
) -> tuple[Scalar, tuple[tuple[torch.Tensor], tuple[torch.Tensor]], Rule, float]:
    """The scalar, both ends of the paths, and the rule that fits the network by the accuracy asked of it."""
    laid = world.rows.contiguous(memory_format=torch.channels_last) if world.rows.ndim == 4 else world.rows
    ends = (laid,), (torch.zeros_like(laid),)

    def scalar(inputs: tuple[torch.Tensor, ...], rows: torch.Tensor) -> torch.Tensor:
        return world.module(inputs[0]).gather(1, targets[rows][:, None])[:, 0]  # type: ignore[no-any-return]

    with torch.no_grad():
        every = torch.arange(len(targets))
        change = (scalar(ends[0], every) - scalar(ends[1], every)).double()
    typical = change.abs().median().expand(len(change))

    def rule(accuracy: float) -> Integral:
        if has_kinks(scalar, ends[0]):
            return midpoints(scalar, *ends, change, typical, accuracy)
        return refined(Nested(scalar, *ends), change, typical, accuracy, levels=NESTED)

    return scalar, ends, rule, ACCURACY if has_kinks(scalar, ends[0]) else 0.05


def _loosest(rule: Rule, truth: torch.Tensor, most: float) -> float:
    """Of the accuracies that can be asked for, the loosest whose 99th percentile of errors is at most ``most``."""
    return next(a for a in ACCURACIES if a == ACCURACIES[-1] or _p99(rule(a).values[0], truth) <= most)


def _p99(found: torch.Tensor, truth: torch.Tensor) -> float:
    gap, size = ((t.abs().reshape(len(t), -1).sum(dim=1)) for t in (found[: len(truth)] - truth, truth))
    return float(np.quantile((gap / size).numpy(), 0.99))


def overhead(world: World) -> float:
    """Seconds of the forward passes that T0 to T2 add, over those of the maps from two baselines."""
    targets = world.answers.argmax(dim=1)
    _, (laid, _), rule, default = ours(world, targets)

    def passes() -> None:
        with torch.no_grad():
            for part in laid[0].split(rows_per_call(laid)):
                for _ in range(PASSES):
                    world.module(part)

    return cpu_seconds(passes, 3) / (2 * cpu_seconds(lambda: rule(default), 3))
