"""The palette, measured: contrast with the ground, and distance between colours for four kinds of vision."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.charts.theme import DARK, LIGHT, Palette

Floats = NDArray[np.float64]
# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Ottosson 2020, OKLab.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> Floats:
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    dark, light = sorted((float(linear(first) @ weights), float(linear(second) @ weights)))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, vision: Floats) -> Floats:
    seen = np.clip(vision @ linear(colour), 0, 1)
    return 100 * (TO_LAB @ np.cbrt(TO_CONES @ seen))


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("vision", VISION)
def test_any_two_series_colours_can_be_told_apart_by_everybody(palette: Palette, vision: str) -> None:
    seen = [lab(colour, VISION[vision]) for colour in palette.series]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 12


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("vision", VISION)
def test_raising_and_lowering_can_be_told_apart_by_everybody(palette: Palette, vision: str) -> None:
    pair = [lab(colour, VISION[vision]) for colour in (palette.positive, palette.negative)]
    assert float(np.linalg.norm(pair[0] - pair[1])) >= 12


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_marks_have_three_to_one_and_text_four_and_a_half_to_one_against_their_ground(palette: Palette) -> None:
    marks = (*palette.series, palette.positive, palette.negative, palette.line)
    assert min(contrast(colour, palette.background) for colour in marks) >= 3
    words = (palette.text, palette.muted, palette.passes, palette.fails, palette.waived, palette.unknown)
    assert min(contrast(colour, palette.background) for colour in words) >= 4.5
    assert min(contrast(colour, palette.surface) for colour in words) >= 4.5


def test_no_two_roles_share_a_light_colour_because_colours_become_variables() -> None:
    colours = [getattr(LIGHT, name) for name in LIGHT.__dataclass_fields__]
    assert len(set(colours)) == len(colours)
