"""A ranking: dots with intervals, the furthest from zero first."""

from __future__ import annotations

import altair as alt

from audit import wording
from audit.results import RankedItem, Ranking
from reports.charts.spec import Numbers, Spec, axis_title, data, distinct, finish
from reports.charts.theme import LIGHT, STEP, Palette

MAX_ROWS = 20


def figure(item: Ranking, palette: Palette = LIGHT) -> Spec:
    """The first 20 of the ranking."""
    shown = ranked(item)[:MAX_ROWS]
    names = distinct(wording.label(i.label, 30) for i in shown)
    rows = [
        {"label": name, "value": i.value, "lower": i.lower, "upper": i.upper}
        for name, i in zip(names, shown, strict=True)
    ]
    base = alt.Chart(data(rows)).encode(y=alt.Y("label:N", sort=names, title=None, axis=alt.Axis(grid=False)))
    x = alt.X("lower:Q", title=axis_title(item.unit, wording.label(item.quantity)), scale=alt.Scale(zero=True))
    chart = alt.layer(
        base.mark_rule(strokeWidth=2, color=palette.series1).encode(x=x, x2="upper:Q"),
        base.mark_point(filled=True, size=70, opacity=1, color=palette.series1).encode(x="value:Q"),
    )
    return finish(chart.properties(height=alt.Step(STEP)), describe(item), palette)


def ranked(item: Ranking) -> list[RankedItem]:
    """The furthest from zero first, on whichever side: what pulls down counts as much as what pushes up."""
    return sorted(item.items, key=lambda i: (-abs(i.value), i.label))


def describe(item: Ranking) -> str:
    """The three largest, each with its interval, over how many rows and how measured."""
    top = [
        f"{wording.label(i.label)} {wording.number(i.value, item.unit, _half(i))}"
        f" ({wording.level(item.level)} interval {wording.span(i.lower, i.upper, item.unit, i.value)})"
        for i in ranked(item)[:3]
    ]
    left_out = len(item.items) - MAX_ROWS
    more = f" The largest {MAX_ROWS} of {len(item.items):,} are drawn." if left_out > 0 else ""
    return f"Largest: {wording.listed(top) or 'none'}; n = {item.n:,}, {wording.short_method(item.method)}.{more}"


def numbers(item: Ranking) -> Numbers:
    rows = tuple(
        (
            wording.label(i.label),
            wording.number(i.value, item.unit, _half(i)),
            f"{wording.level(item.level)} {wording.span(i.lower, i.upper, item.unit, i.value)}",
            f"{item.n:,}",
        )
        for i in ranked(item)
    )
    return Numbers(columns=(wording.label(item.what), "value", "interval", "n"), rows=rows[:100])


def _half(item: RankedItem) -> float:
    return (item.upper - item.lower) / 2
