"""Slow definitions in float64, written without the code under test."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import combinations
from math import comb

import numpy as np
import torch

STEPS = 2000

Scalar = Callable[[tuple[torch.Tensor, ...]], torch.Tensor]


def double(module: torch.nn.Module) -> torch.nn.Module:
    """A copy in float64 and evaluation mode, without what torch.compile wraps round it."""
    return copy.deepcopy(getattr(module, "_orig_mod", module)).double().eval()


def expected_gradients(scalar: Scalar, x: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> list[np.ndarray]:
    """(x - b) times the mean gradient at 2,000 midpoints, averaged over the rows of b, for one row x (1, ...)."""
    at = (torch.arange(STEPS, dtype=torch.float64) + 0.5) / STEPS
    total = [np.zeros(part.shape[1:]) for part in x]
    for k in range(len(b[0])):
        ends = [(xi.double(), bi[k : k + 1].double()) for xi, bi in zip(x, b, strict=True)]
        points = [(lo + at.reshape(-1, *[1] * (hi.ndim - 1)) * (hi - lo)).requires_grad_() for hi, lo in ends]
        out = scalar(tuple(p * 1.0 for p in points))
        gradients = torch.autograd.grad(out.sum(), points, allow_unused=True)
        for part, gradient, (hi, lo) in zip(total, gradients, ends, strict=True):
            if gradient is not None:
                np.add(part, ((hi - lo) * gradient.mean(dim=0, keepdim=True))[0].numpy() / len(b[0]), out=part)
    return total


def shapley(worth: Callable[[np.ndarray], np.ndarray], d: int) -> np.ndarray:
    """From the values of all 2^d coalitions, asked as a boolean matrix (2^d, d)."""
    coalitions = np.array([[i >> j & 1 for j in range(d)] for i in range(2**d)], dtype=bool)
    values = worth(coalitions)
    place = {tuple(c): v for c, v in zip(coalitions.tolist(), values, strict=True)}
    phi = np.zeros(d)
    for j in range(d):
        others = [k for k in range(d) if k != j]
        for size in range(d):
            for inside in combinations(others, size):
                without = [k in inside for k in range(d)]
                with_j = [k in inside or k == j for k in range(d)]
                phi[j] += (place[tuple(with_j)] - place[tuple(without)]) / (d * comb(d - 1, size))
    return phi
