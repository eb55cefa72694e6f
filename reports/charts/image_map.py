"""An attribution map on an image: the input beside the signed overlay, with a scale, as one WebP."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit import wording
from audit.results import ImageMap
from reports.charts.theme import LIGHT, Palette

SMALL = 160  # px that a small image is enlarged to, pixel by pixel
LARGE = 256  # px that a large image is reduced to
_GAP = 8
_BAR = 10
_PERCENTILE = 99  # one hot pixel must not wash out the rest

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


def overlay(item: ImageMap, palette: Palette = LIGHT) -> bytes:
    """WebP bytes: input, overlay and a colour scale side by side, on a transparent ground.

    The opacity of the colour grows with |attribution| up to its 99th percentile, so that an area without attribution
    shows the picture itself. Orange raises the output, blue lowers it; an unsigned map is orange only.
    """
    pixels, values = _pixels(item), _attributions(item)
    limit = clip(item)
    side = _target(pixels.shape[0], pixels.shape[1])
    panels = [_resized(pixels, side), _resized(_tinted(pixels, values, limit, palette), side)]
    height, width = panels[0].shape[:2]
    canvas = np.zeros((height, 2 * width + 2 * _GAP + _BAR, 4), dtype=np.uint8)
    for index, panel in enumerate(panels):
        left = index * (width + _GAP)
        canvas[:, left : left + width] = np.dstack([panel, np.full((height, width), 255, dtype=np.uint8)])
    canvas[:, -_BAR:] = _scale_bar(height, palette, signed=item.signed)
    return _webp(canvas, lossless=max(pixels.shape[:2]) <= SMALL // 2)


def clip(item: ImageMap) -> float:
    """The |attribution| that is drawn in full colour: its 99th percentile, 0 for a map of zeros."""
    return float(np.percentile(np.abs(_attributions(item)), _PERCENTILE)) if item.attributions.data else 0.0


def describe(item: ImageMap) -> str:
    """Where the mass lies and what raises or lowers the output; stands as the alternative text."""
    values = _attributions(item)
    total = float(np.abs(values).sum())
    if total == 0:
        return f"No pixel contributed to {wording.label(item.target)} ({wording.short_method(item.method)})."
    ranked = np.sort(np.abs(values).ravel())[::-1]
    half = int(np.searchsorted(np.cumsum(ranked), 0.5 * total)) + 1
    raised = float(values[values > 0].sum()) / total
    sign = f"; {wording.share(raised)} of it raises the output" if item.signed else ""
    return (
        f"Attribution to {wording.label(item.target)} is strongest in the {_place(values)}: half of it lies in "
        f"{wording.share(half / values.size)} of the pixels{sign} ({wording.short_method(item.method)})."
    )


def scale_words(item: ImageMap) -> str:
    """What full colour stands for."""
    limit = wording.number(clip(item), "1")
    low = f"blue lowers the output (full colour: {wording.MINUS}{limit} a pixel), " if item.signed else ""
    return f"{low}orange raises it (full colour: +{limit} a pixel)"


def _place(values: Floats) -> str:
    weights = np.abs(values)
    rows, columns = np.indices(values.shape)
    down = float((rows * weights).sum() / weights.sum()) / max(values.shape[0] - 1, 1)
    across = float((columns * weights).sum() / weights.sum()) / max(values.shape[1] - 1, 1)
    vertical = "upper" if down < 0.42 else "lower" if down > 0.58 else ""
    horizontal = "left" if across < 0.42 else "right" if across > 0.58 else ""
    half = " half" if bool(vertical) != bool(horizontal) else ""
    return (" ".join(part for part in (vertical, horizontal) if part) or "middle") + half


def _pixels(item: ImageMap) -> Bytes:
    array = np.frombuffer(item.pixels.data, dtype=np.uint8).reshape(item.pixels.shape)
    array = array[:, :, None] if array.ndim == 2 else array
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def _attributions(item: ImageMap) -> Floats:
    return np.frombuffer(item.attributions.data, dtype="<f4").reshape(item.attributions.shape).astype(np.float64)


def _target(height: int, width: int) -> tuple[int, int]:
    longest = max(height, width, 1)
    factor = max(1, round(SMALL / longest)) if longest <= SMALL else min(1.0, LARGE / longest)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _resized(pixels: Bytes, size: tuple[int, int]) -> Bytes:
    enlarged = size[0] >= pixels.shape[1]
    # Nearest neighbour keeps the pixels that the model saw; smoothing would invent a finer map than there is.
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX
    return np.asarray(Image.fromarray(pixels).resize(size, how), dtype=np.uint8)


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def _tinted(pixels: Bytes, values: Floats, limit: float, palette: Palette) -> Bytes:
    """The picture in pale grey under the colour of the sign, as opaque as the attribution is strong."""
    grey = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    pale = np.repeat((150 + 105 * grey / 255)[:, :, None], 3, axis=2)
    alpha = np.clip(np.abs(values) / limit, 0, 1)[:, :, None] if limit > 0 else np.zeros((*values.shape, 1))
    colour = np.where(values[:, :, None] >= 0, _rgb(palette.positive), _rgb(palette.negative))
    return np.asarray(np.rint(pale * (1 - alpha) + colour * alpha), dtype=np.uint8)


def _scale_bar(height: int, palette: Palette, *, signed: bool) -> Bytes:
    """Full orange at the top, no colour in the middle (or at the foot, for an unsigned map), full blue below."""
    strength = np.linspace(1, -1 if signed else 0, height)[:, None]
    colour = np.where(strength >= 0, _rgb(palette.positive), _rgb(palette.negative))
    mixed = 235 * (1 - np.abs(strength)) + colour * np.abs(strength)
    column = np.concatenate([np.rint(mixed), np.full((height, 1), 255.0)], axis=1)
    return np.repeat(column[:, None, :], _BAR, axis=1).astype(np.uint8)


def _webp(canvas: Bytes, *, lossless: bool) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, "WEBP", lossless=lossless, quality=80, method=4)
    return buffer.getvalue()
