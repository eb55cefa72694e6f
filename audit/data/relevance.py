"""The target of a ranking: how relevant each row is to its query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.data.dataset import Dataset
from audit.errors import DataError


def relevance(data: Dataset, column: str) -> NDArray[np.float64]:
    """Shape (n,), at least 0, NaN where it is missing. DataError for words, infinite and negative numbers."""
    found = data.numbers(column)
    wrong = (found < 0) | np.isinf(found)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(
            f'target "{column}" of {data.path or data.name} holds {found[first]:g} in row {first + 1} and '
            f"{int(wrong.sum())} such values: relevance is a finite number of at least 0, 0 for a row that is no answer"
        )
    return found
