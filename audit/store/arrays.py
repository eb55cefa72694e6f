"""Pictures and maps beside result.json, in the safetensors format: numbers only, nothing that could run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from audit.errors import StoreError
from audit.results import Array


def write(arrays: Mapping[str, Array], path: Path) -> None:
    """Nothing is written when there is nothing to keep."""
    if not arrays:
        return
    from safetensors.numpy import save

    views = {k: np.frombuffer(a.data, dtype=a.dtype).reshape(a.shape) for k, a in sorted(arrays.items())}
    path.write_bytes(save(views))


def read(path: Path) -> Mapping[str, Array]:
    """StoreError when the file is absent or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if not path.exists():
        raise StoreError(f"{path} is missing: the run's pictures were kept there")
    try:
        loaded = load(path.read_bytes())
    except SafetensorError as error:
        raise StoreError(f"{path} is damaged: {error}") from error
    return {key: Array(shape=value.shape, dtype=_dtype(value), data=value.tobytes()) for key, value in loaded.items()}


def _dtype(value: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Literal["uint8", "float32"]:
    return "uint8" if value.dtype == np.uint8 else "float32"
