"""Random streams keyed by the audit's seed and a name, so that adding a check never moves another's numbers."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_for(seed: int, name: str) -> int:
    """A seed of 64 bits from the audit's seed and a name, the same on every machine (SHA-256)."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")


def generator(seed: int, name: str) -> np.random.Generator:
    """numpy's generator for that name."""
    return np.random.default_rng(seed_for(seed, name))
