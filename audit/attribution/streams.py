"""The global random streams, which belong to the caller."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import numpy as np


def remember_random_streams(on_cuda: bool = False) -> Callable[[], None]:
    """What puts the streams of Python, NumPy and torch (where it is loaded) back to where they are now."""
    own, numpy_state = random.getstate(), np.random.get_state()
    put_torch = _remember_torch(on_cuda) if "torch" in sys.modules else lambda: None

    def put() -> None:
        random.setstate(own)
        np.random.set_state(numpy_state)
        put_torch()

    return put


def _remember_torch(on_cuda: bool) -> Callable[[], None]:
    import torch  # loaded already: a model without it needs none of it

    state = torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if on_cuda else []

    def put() -> None:
        torch.set_rng_state(state)
        if devices:
            torch.cuda.set_rng_state_all(devices)

    return put
