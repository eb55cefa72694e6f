"""Colours of charts and pages, for light and dark screens, and the Vega-Lite configuration made of them.

The six categorical colours keep at least 3:1 against the background and an OKLab distance of 16 between any two, for
normal, protan, deutan and tritan vision; tests/reports/test_theme.py measures both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

CHARACTER = 6.4  # px of a character of a legend at 12 px, on average
SYMBOL = 34  # px of a legend's symbol with the room round it
WIDTH = 420  # px of a whole chart: two stand side by side on a desk, one fills a phone
STEP = 24  # px of one row of a dot plot


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """One colour a role, as ``#rrggbb``; no two roles share a colour, so that each can become a CSS variable."""

    background: str
    surface: str
    text: str
    muted: str
    line: str
    grid: str
    series1: str
    series2: str
    series3: str
    series4: str
    series5: str
    series6: str
    positive: str
    negative: str
    passes: str
    fails: str
    waived: str
    unknown: str

    @property
    def series(self) -> tuple[str, ...]:
        return (self.series1, self.series2, self.series3, self.series4, self.series5, self.series6)


LIGHT = Palette(
    background="#ffffff",
    surface="#f5f7fa",
    text="#1a1f27",
    muted="#4b5666",
    line="#8a94a3",
    grid="#e3e7ee",
    series1="#0b57d0",
    series2="#964b6e",
    series3="#671a19",
    series4="#a7932c",
    series5="#3a1c77",
    series6="#0a9ce5",
    positive="#b35400",
    negative="#1f63b5",
    passes="#116329",
    fails="#b3261e",
    waived="#7a4d00",
    unknown="#4a5568",
)
DARK = Palette(
    background="#12161c",
    surface="#1a2029",
    text="#e8ecf2",
    muted="#a9b4c2",
    line="#718096",
    grid="#2a323d",
    series1="#7cacf8",
    series2="#dad82c",
    series3="#a75172",
    series4="#6f60e6",
    series5="#68f8d9",
    series6="#db8e79",
    positive="#f0a04b",
    negative="#79b2ef",
    passes="#7ee2a0",
    fails="#ff9d94",
    waived="#f2c262",
    unknown="#b6c2d1",
)
DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 2])


def variables(palette: Palette) -> str:
    """The palette as CSS custom properties."""
    return ";".join(f"--{field.name}:{getattr(palette, field.name)}" for field in fields(palette))


def as_variables() -> Mapping[str, str]:
    """Each light colour and the CSS expression that follows the reader's colour scheme."""
    return {getattr(LIGHT, f.name): f"var(--{f.name},{getattr(LIGHT, f.name)})" for f in fields(Palette)}


def legend(labels: Iterable[str]) -> dict[str, Any]:
    """As many columns, three at most, as let every label stand inside the chart."""
    longest = max(map(len, labels), default=0)
    columns = max(1, min(3, int(WIDTH / (longest * CHARACTER + SYMBOL))))
    return {"columns": columns, "labelLimit": WIDTH // columns - SYMBOL}


def config(palette: Palette = LIGHT) -> dict[str, Any]:
    """The Vega-Lite configuration that every chart carries."""
    axis = {
        "labelColor": palette.text,
        "titleColor": palette.muted,
        "titleFontWeight": "normal",
        "gridColor": palette.grid,
        "domainColor": palette.line,
        "tickColor": palette.line,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelLimit": 240,
        "titleLimit": WIDTH - 40,
    }
    text = {"labelColor": palette.text, "titleColor": palette.muted, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": None,
        "font": "sans-serif",
        "padding": 4,
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"tickCount": 6, "labelFlush": False, "labelOverlap": True},
        "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
        "legend": {**text, "orient": "bottom", "title": None, "symbolType": "stroke", **legend(())},
        "header": {**text, "title": None},
        "text": {"color": palette.text, "fontSize": 12},
        "aria": False,
    }
