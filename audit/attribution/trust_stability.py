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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stable:
    """One entry a row, (n,): Spearman's rho with a noisy map, and the relative change of the map."""

    correlation: Floats
    change: Floats


def stable(subject: Subject, method: Method, own: Floats, seed: int) -> Stable:
    """Of ``own`` unit values (n, units) against those of noisy rows; NaN where a map is flat."""
    stream = torch.Generator().manual_seed(seed % 2**63)
    noise = torch.randn(subject.inputs.shape, generator=stream, dtype=torch.float64).to(subject.inputs)
    noisy = subject.by_unit(method.make(replace(subject, inputs=subject.inputs + NOISE * subject.spread * noise)))
    size, step = np.linalg.norm(own, axis=1), np.linalg.norm(noisy - own, axis=1)
    change = np.divide(step, size, out=np.full(len(size), np.nan), where=size > 0)
    return Stable(correlation=likeness(subject, own, noisy), change=change)
