"""Pages have the colours of charts and can be read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import dashboard
from dashboard import widgets
from reports.charts.theme import DARK, LIGHT, Palette

THEME = tomllib.loads((Path(str(dashboard.__file__)).parent / "theme.toml").read_text())["theme"]


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("mode", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_theme_of_the_pages_is_the_palette_of_the_charts(mode: str, palette: Palette) -> None:
    colours = THEME[mode]
    assert colours["backgroundColor"] == palette.background
    assert colours["textColor"] == palette.text
    assert colours["redTextColor"] == palette.fails
    assert colours["greenTextColor"] == palette.passes
    assert colours["orangeTextColor"] == palette.waived
    assert colours["grayTextColor"] == palette.unknown


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", ["red", "green", "orange", "yellow", "violet", "blue", "gray"])
def test_a_verdict_can_be_read_on_the_page_and_in_its_box(mode: str, name: str) -> None:
    colours = THEME[mode]
    text = colours[f"{name}TextColor"]
    assert contrast(text, colours["backgroundColor"]) >= 4.5
    assert contrast(text, colours[f"{name}BackgroundColor"]) >= 4.5


def test_a_verdict_has_one_colour_on_the_dashboard_and_in_the_report() -> None:
    palette = {"pass": LIGHT.passes, "fail": LIGHT.fails, "inconclusive": LIGHT.waived, "waived": LIGHT.waived}
    for key, colour in palette.items():
        assert THEME["light"][f"{widgets.COLOURS[key]}TextColor"] == colour


def test_the_contrast_formula_gives_the_known_extremes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)
