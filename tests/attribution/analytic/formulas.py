"""Contributions by hand, for rows X (n, d) over background rows B (m, d)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]
Truth = Callable[[Floats, Floats], Floats]


def additive(*parts: Function) -> tuple[Function, Truth]:
    """f = sum of g_j(x_j): phi_j = g_j(x_j) - mean of g_j over the background."""

    def function(x: Floats) -> Floats:
        return np.sum([g(x[:, j]) for j, g in enumerate(parts)], axis=0)

    def truth(x: Floats, b: Floats) -> Floats:
        return np.column_stack([g(x[:, j]) - g(b[:, j]).mean() for j, g in enumerate(parts)])

    return function, truth


def of_two(pair: Callable[[Floats, Floats], Floats], d: int = 3) -> tuple[Function, Truth]:
    """f = g(x_0, x_1): half of what each brings first, and half of what it brings last."""

    def function(x: Floats) -> Floats:
        return pair(x[:, 0], x[:, 1])

    def truth(x: Floats, b: Floats) -> Floats:
        phi = np.zeros((len(x), d))
        for row, (p, q) in enumerate(x[:, :2]):
            one, two = pair(np.full(len(b), p), b[:, 1]), pair(b[:, 0], np.full(len(b), q))
            none, both = function(b), pair(np.array([p]), np.array([q]))
            phi[row, 0] = ((one - none) + (both - two)).mean() / 2
            phi[row, 1] = ((two - none) + (both - one)).mean() / 2
        return phi

    return function, truth


def product_of_all(x: Floats) -> Floats:
    return np.prod(x, axis=1)


def alike(x: Floats, b: Floats) -> Floats:
    """From a background of zeros no factor of a product is worth anything alone: all share alike."""
    return np.repeat(product_of_all(x)[:, None] / x.shape[1], x.shape[1], axis=1)


def gloves(x: Floats) -> Floats:
    """One left glove and two right ones: a pair is worth 1."""
    return x[:, 0] * np.maximum(x[:, 1], x[:, 2])


def gloves_truth(x: Floats, b: Floats) -> Floats:
    return np.tile([4 / 6, 1 / 6, 1 / 6], (len(x), 1))


COSTS = np.array([1.0, 3.0, 6.0])


def airport(x: Floats) -> Floats:
    """A runway as long as the largest aeroplane needs (Littlechild & Owen 1973)."""
    return (x * COSTS).max(axis=1)


def airport_truth(x: Floats, b: Floats) -> Floats:
    return np.tile([1 / 3, 1 / 3 + 2 / 2, 1 / 3 + 2 / 2 + 3], (len(x), 1))


def majority(x: Floats) -> Floats:
    """Votes 3, 2 and 1 of which 4 are needed: the first is in every winning side."""
    return (x @ np.array([3.0, 2.0, 1.0]) >= 4).astype(float)


def majority_truth(x: Floats, b: Floats) -> Floats:
    return np.tile([4 / 6, 1 / 6, 1 / 6], (len(x), 1))
