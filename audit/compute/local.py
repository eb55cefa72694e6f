"""Batches on the local machine, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns


def in_batches(call: Callable[[Columns], NDArray[Any]], columns: Columns, size: int) -> NDArray[Any]:
    """``call`` over all rows, ``size`` at a time, so that memory does not grow with the table."""
    n = len(next(iter(columns.values())))
    if n <= size:
        return call(columns)
    return np.concatenate([call({k: v[i : i + size] for k, v in columns.items()}) for i in range(0, n, size)])
