"""Whether what a model calls probabilities are some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models.base import Model

TOLERANCE = 1e-4
"""How far probabilities may leave 0..1 before they are none: half-precision models reach 1e-4."""


def checked(probability: NDArray[np.float64], model: Model) -> NDArray[np.float64]:
    """``probability`` if it is one. ModelError when finite rows leave 0..1 or do not sum to 1."""
    finite = probability[np.isfinite(probability).all(axis=1)]
    if len(finite) and (finite.min() < -TOLERANCE or finite.max() > 1 + TOLERANCE):
        raise ModelError(
            f"{model.name} returns probabilities from {finite.min():.3g} to {finite.max():.3g}: they must lie in 0..1; "
            'if they are logits, say output = "logit" in [model]'
        )
    if len(finite) and np.abs(finite.sum(axis=1) - 1).max() > TOLERANCE * 10:
        raise ModelError(
            f"{model.name} returns probabilities whose sum is {finite.sum(axis=1).max():.3g}: they must sum to 1; "
            'if they are logits, say output = "logit" in [model]'
        )
    return probability
