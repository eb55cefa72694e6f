"""T5: do maps survive noise that does not change what is shown? (Yeh et al., NeurIPS 2019, max-sensitivity.)

Noise of a tenth of each number's standard deviation over the background rows; the explained class stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from .subject import Floats, Method, Subject
from .trust_randomisation import likeness

NOISE = 0.1
DRAWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stable:
    """One entry a row, (n,): the least Spearman's rho with a noisy map, and the largest relative change of the map."""

    correlation: Floats
    change: Floats


def stable(subject: Subject, method: Method, seed: int) -> Stable:
    """NaN where a map is flat."""
    stream = torch.Generator().manual_seed(seed % 2**63)
    own = subject.by_unit(method.make(subject))
    found, changes = [], []
    for _ in range(DRAWS):
        noise = torch.randn(subject.inputs.shape, generator=stream, dtype=torch.float64).to(subject.inputs)
        noisy = subject.by_unit(method.make(replace(subject, inputs=subject.inputs + NOISE * subject.spread * noise)))
        found.append(likeness(subject, own, noisy))
        size = np.linalg.norm(own, axis=1)
        step = np.linalg.norm(noisy - own, axis=1)
        changes.append(np.divide(step, size, out=np.full(len(size), np.nan), where=size > 0))
    return Stable(correlation=np.min(found, axis=0), change=np.max(changes, axis=0))
