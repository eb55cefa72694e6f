"""Differences between two runs, each a dot with its interval, against the rule of no change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from audit import wording
from reports.charts.spec import Spec, data, distinct, finish
from reports.charts.theme import LIGHT, STEP, Palette

MAX_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """After minus before, in the measure's own unit."""

    label: str
    value: float
    lower: float
    upper: float
    shown: bool  # the interval lies on one side of zero


def figure_changes(differences: Sequence[Difference], title: str, palette: Palette = LIGHT) -> Spec:
    """The first 20 in the order given; ``title`` names the axis, so all of them are of one unit."""
    rows = differences[:MAX_ROWS]
    names = distinct(wording.label(d.label, 40) for d in rows)
    values = [
        {"label": name, "value": d.value, "lower": d.lower, "upper": d.upper, "shown": d.shown}
        for name, d in zip(names, rows, strict=True)
    ]
    base = alt.Chart(data(values)).encode(y=alt.Y("label:N", sort=names, title=None, axis=alt.Axis(grid=False)))
    x = alt.X("lower:Q", title=title, scale=alt.Scale(zero=True, nice=True))
    colour = alt.condition("datum.shown", alt.value(palette.series1), alt.value(palette.muted))
    shape = alt.condition("datum.shown", alt.value("circle"), alt.value("diamond"))
    none = alt.Chart(data([{"at": 0.0}])).mark_rule(color=palette.line, strokeDash=[4, 3], strokeWidth=1.5)
    chart = alt.layer(
        none.encode(x="at:Q"),
        base.mark_rule(strokeWidth=2).encode(x=x, x2="upper:Q", color=colour),
        base.mark_point(filled=True, size=70, opacity=1).encode(x="value:Q", color=colour, shape=shape),
    )
    return finish(chart.properties(height=alt.Step(STEP)), describe(differences), palette)


def describe(differences: Sequence[Difference]) -> str:
    """How many intervals lie on one side of zero, and the first of them."""
    shown = [d for d in differences if d.shown]
    lie = "lies" if len(shown) == 1 else "lie"
    said = f"{len(shown):,} of {wording.count(len(differences), 'interval')} {lie} wholly on one side of zero"
    if shown:
        first = shown[0]
        half = (first.upper - first.lower) / 2
        span = wording.span(first.lower, first.upper, "1", first.value)
        said += f"; {wording.label(first.label)} changed by {wording.number(first.value, '1', half)} ({span})"
    return f"{said}."
