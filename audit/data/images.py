"""Pictures from files or bytes, as the float32 arrays that a model takes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from audit.errors import DataError

_MOST = 65535  # of 16 bits


def read_images(cells: list[str | bytes | None], *, root: str | None, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Shape (n, channels, height, width) in 0..1. All pictures must have one size, or ``shape`` says C x H x W."""
    pictures = [_read(cell, i, root, shape) for i, cell in enumerate(cells)]
    sizes = {picture.shape for picture in pictures}
    if len(sizes) > 1:
        two = sorted(sizes)[:2]
        raise DataError(f"pictures of different sizes ({two[0]} and {two[1]}): give shape = [C, H, W] in [columns]")
    return np.stack(pictures)


def _read(cell: str | bytes | None, row: int, root: str | None, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if cell is None:
        raise DataError(f"row {row} has no picture: drop the row or give it one")
    try:
        with Image.open(io.BytesIO(cell) if isinstance(cell, bytes) else _inside(root, cell)) as picture:
            channels = shape[0] if shape else (1 if picture.mode in {"1", "L"} or picture.mode[0] in "IF" else 3)
            converted = _in_eight_bits(picture, row).convert("L" if channels == 1 else "RGB")
            if shape:
                converted = converted.resize((shape[2], shape[1]), Image.Resampling.BILINEAR)
            pixels = np.asarray(converted, dtype=np.float32) / 255.0
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(
            f"row {row}: the picture cannot be read: {error} (paths are relative to audit.toml or to root in [columns])"
        ) from error
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _in_eight_bits(picture: Image.Image, row: int) -> Image.Image:
    """A picture of 16 bits a pixel, which Pillow would cut off at 255, by its upper eight. DataError for fractions."""
    if picture.mode == "F":
        raise DataError(f"row {row}: the picture holds fractions, whose range nobody knows: store it as 8 or 16 bits")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture, dtype=np.int64)
    if values.min(initial=0) < 0 or values.max(initial=0) > _MOST:
        raise DataError(f"row {row}: the picture holds {values.min()} to {values.max()}: store it as 8 or 16 bits")
    return Image.fromarray(np.rint(values / _MOST * 255).astype(np.uint8))


def _inside(root: str | None, cell: str) -> Path:
    """The file that a cell names; it may not lie outside the column's root folder."""
    base = Path(root or ".").resolve()
    path = (base / cell).resolve()
    if not path.is_relative_to(base):
        raise DataError(f'picture "{cell}" lies outside the folder {root or "."}: set root in [columns]')
    return path
