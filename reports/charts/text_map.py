"""A text with its tokens coloured and underlined by what they did: solid where they raised the output, dashed where
they lowered it, so that the sign can be read without colour."""

from __future__ import annotations

from typing import Any

import altair as alt

from audit import wording
from audit.results import TextMap
from reports.charts.spec import Numbers, Spec, data, finish
from reports.charts.theme import LIGHT, WIDTH, Palette

CHARACTER = 7  # px of one character at 12 px in a monospaced font
LINE = 24
MOST_TOKENS = 160  # of one picture: a longer text shows the stretch round its strongest token
NAMED = 3


def figure(item: TextMap, palette: Palette = LIGHT) -> Spec:
    """Lines of tokens; the opacity grows with |weight| up to the strongest token."""
    rows = _rows(item)
    lines = 1 + max((row["line"] for row in rows), default=0)
    sign = alt.Color(
        "sign:N", scale=alt.Scale(domain=["+", "-"], range=[palette.positive, palette.negative]), legend=None
    )
    down = alt.Scale(domain=[0, lines * LINE], nice=False, reverse=True)
    top, low = (alt.Y(f"{name}:Q", axis=None, scale=down) for name in ("top", "low"))
    base = alt.Chart(data(rows)).encode(
        x=alt.X("left:Q", axis=None, scale=alt.Scale(domain=[0, WIDTH - 20], nice=False)), y=top
    )
    strength = alt.Opacity("strength:Q", scale=None, legend=None)
    under = base.encode(x2="right:Q", y=low, color=sign)
    chart = alt.layer(
        base.mark_rect().encode(x2="right:Q", y2="low:Q", color=sign, opacity=strength),
        under.mark_rule(strokeWidth=2).transform_filter("datum.sign == '+' && datum.strength > 0.06"),
        under.mark_rule(strokeWidth=2, strokeDash=[2, 2]).transform_filter(
            "datum.sign == '-' && datum.strength > 0.06"
        ),
        base.mark_text(align="left", baseline="top", dy=3, color=palette.text, font="monospace", fontSize=11).encode(
            text="token:N"
        ),
    )
    return finish(chart.properties(height=lines * LINE), describe(item), palette)


def describe(item: TextMap) -> str:
    """The strongest words for and against the class."""
    target, method = wording.label(item.target), wording.short_method(item.method)
    if not any(item.weights):
        return f"No token contributed to {target} ({method})."
    ranked = sorted(zip(item.tokens, item.weights, strict=True), key=lambda pair: -abs(pair[1]))
    up = [f"“{wording.label(token, 24)}”" for token, weight in ranked if weight > 0][:NAMED]
    down = [f"“{wording.label(token, 24)}”" for token, weight in ranked if weight < 0][:NAMED]
    return (
        f"For {target}: {wording.listed(up) or 'nothing'}; against it: {wording.listed(down) or 'nothing'} ({method})."
    )


def numbers(item: TextMap) -> Numbers:
    """Every token with its weight, in the order of the text."""
    step = max((abs(weight) for weight in item.weights), default=0.0) / 10
    rows = tuple(
        (str(i + 1), wording.label(token, 40), wording.number(weight, "1", step))
        for i, (token, weight) in enumerate(_stretch(item))
    )
    return Numbers(columns=("place", "token", "contribution"), rows=rows)


def _stretch(item: TextMap) -> list[tuple[str, float]]:
    pairs = list(zip(item.tokens, item.weights, strict=True))
    if len(pairs) <= MOST_TOKENS:
        return pairs
    strongest = max(range(len(pairs)), key=lambda i: abs(pairs[i][1]))
    start = min(max(0, strongest - MOST_TOKENS // 2), len(pairs) - MOST_TOKENS)
    return pairs[start : start + MOST_TOKENS]


def _rows(item: TextMap) -> list[dict[str, Any]]:
    largest = max((abs(weight) for weight in item.weights), default=0.0) or 1.0
    rows: list[dict[str, Any]] = []
    at, line = 0, 0
    for token, weight in _stretch(item):
        shown = wording.label(token, 40)
        width = (len(shown) + 1) * CHARACTER
        if at and at + width > WIDTH - 20:
            at, line = 0, line + 1
        rows.append(
            {
                "token": shown,
                "line": line,
                "left": at,
                "right": at + width - CHARACTER // 2,
                "top": line * LINE,
                "low": line * LINE + LINE - 5,
                "sign": "+" if weight >= 0 else "-",
                "strength": round(0.55 * abs(weight) / largest, 3),
            }
        )
        at += width
    return rows
