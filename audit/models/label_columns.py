"""Answers with one column a label, as models of several labels give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError


def of_labels(found: NDArray[Any], labels: Sequence[str], name: str) -> NDArray[Any]:
    """``found`` if it has one column a label, else ModelError."""
    if found.ndim != 2 or found.shape[1] != len(labels):
        outputs = found.shape[1] if found.ndim == 2 else 1
        raise ModelError(
            f"{name} returns {outputs} outputs for {len(labels)} labels ({', '.join(labels[:12])}): target names one "
            "column an output, in the model's order, or classes in [model] gives its order"
        )
    return found


def indicator(found: NDArray[Any], labels: Sequence[str], name: str) -> NDArray[np.bool_]:
    """Decisions of 0 and 1, (n, labels), as truths. ModelError for anything else."""
    try:
        held = of_labels(found, labels, name).astype(np.float64)
    except ValueError as error:
        raise ModelError(f"{name} must decide 0 or 1 for each label, and it returns words ({error})") from error
    return np.asarray(held > 0)
