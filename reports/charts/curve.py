"""A curve: lines over a common axis with pointwise bounds; small multiples once there are more than six."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from audit import wording
from audit.results import Curve, Series
from reports.charts.spec import Layer, Numbers, Spec, data, distinct, finish
from reports.charts.theme import DASHES, LIGHT, Palette, legend

MAX_POINTS = 120  # of one line: more cannot be told apart at this width
MAX_COLOURS = 6
MAX_PANELS = 12
FEW_ROWS = 11
FEW_POINTS = 25  # of one line: few enough for a dot and a rule each
_HEIGHT = 260


def figure(item: Curve, palette: Palette = LIGHT) -> Spec:
    """Lines with their bounds: points with rules where there are few, a band where there are many."""
    series = item.series[:MAX_PANELS]
    names = distinct(wording.label(s.label, 40) for s in series)
    points = [row for name, s in zip(names, series, strict=True) for row in _rows(name, s)]
    single_colour = len(series) > MAX_COLOURS
    chart = alt.layer(*_layers(item, points, names, palette, single_colour)).properties(height=_HEIGHT)
    if single_colour:
        panels = alt.layer(*_layers(item, points, names, palette, True), data=data(points)).properties(
            width=120, height=110
        )
        facet = panels.facet(facet=alt.Facet("series:N", sort=names, header=alt.Header(labelLimit=120)), columns=3)
        return finish(facet, describe(item), palette)
    spec = finish(chart, describe(item), palette)
    spec["config"]["legend"] |= legend(names)
    return spec


def describe(item: Curve) -> str:
    """Where each line starts and ends, and what the chart is about."""
    ends = "; ".join(
        f"{wording.label(s.label)} from {wording.number(s.y[0], '1')} at {wording.number(s.x[0], '1')}"
        f" to {wording.number(s.y[-1], '1')} at {wording.number(s.x[-1], '1')}"
        for s in item.series[:MAX_COLOURS]
        if s.x
    )
    more = len(item.series) - MAX_COLOURS
    said = f"{wording.label(item.y_label)} over {wording.label(item.x_label)}: {ends or 'no points'}"
    return said + (f"; and {wording.count(more, 'more line')}." if more > 0 else ".")


def numbers(item: Curve) -> Numbers:
    """Points of each line, at most 25 with bounds and 11 without; a line has a column for n only if it has n."""
    bounded = any(s.lower and s.upper for s in item.series)
    counted = any(s.n for s in item.series)
    rows = [
        _point(s, i, bounded, counted)
        for s in item.series[:MAX_PANELS]
        for i in _kept(len(s.x), FEW_POINTS if bounded else FEW_ROWS)
    ]
    more = (*(("interval",) if bounded else ()), *(("n",) if counted else ()))
    return Numbers(columns=("line", wording.label(item.x_label), wording.label(item.y_label), *more), rows=tuple(rows))


def _point(s: Series, i: int, bounded: bool, counted: bool) -> tuple[str, ...]:
    half = (s.upper[i] - s.lower[i]) / 2 if s.lower and s.upper else None
    cells = [wording.label(s.label), wording.number(s.x[i], "1"), wording.number(s.y[i], "1", half)]
    if bounded:
        cells.append("" if half is None else wording.span(s.lower[i], s.upper[i], "1", s.y[i]))
    if counted:
        cells.append(f"{s.n[i]:,}" if s.n else "")
    return tuple(cells)


def _kept(length: int, most: int) -> Sequence[int]:
    """Indices spread evenly over a line, its first and last point among them."""
    if length <= most:
        return range(length)
    return sorted({round(i * (length - 1) / (most - 1)) for i in range(most)})


def _rows(name: str, series: Series) -> list[dict[str, Any]]:
    bounded = bool(series.lower and series.upper)
    return [
        {"series": name, "order": i, "x": series.x[i], "y": series.y[i], "dot": len(series.x) <= FEW_POINTS}
        | ({"lower": series.lower[i], "upper": series.upper[i]} if bounded else {})
        for i in _kept(len(series.x), MAX_POINTS)
    ]


def _layers(
    item: Curve, points: list[dict[str, Any]], names: Sequence[str], palette: Palette, single_colour: bool
) -> list[Layer]:
    """Reference, bounds and lines; in a facet the rows come from the facet, else from each layer itself."""
    base = alt.Chart() if single_colour else alt.Chart(data(points))
    base = base.encode(x=alt.X("x:Q", title=wording.label(item.x_label, 60)), **_colours(names, palette, single_colour))
    y_title = wording.label(item.y_label, 60)
    scale = alt.Scale(zero=item.diagonal)  # a line is read by its course: from zero, accuracies would all look flat
    few = max((len(s.x) for s in item.series), default=0) <= FEW_POINTS
    layers: list[Layer] = _reference(item, palette) if item.diagonal else []
    if any("lower" in row for row in points):
        bounds = base.mark_rule(strokeWidth=1.5) if few else base.mark_area(opacity=0.15, strokeWidth=0)
        layers.append(bounds.encode(y=alt.Y("lower:Q", title=y_title, scale=scale), y2="upper:Q"))
    y = alt.Y("y:Q", title=y_title, scale=scale)
    layers.append(base.mark_line(strokeWidth=2).encode(y=y, order="order:Q", **_dashes(names, single_colour)))
    if any(row["dot"] for row in points):
        dots = base.mark_point(filled=True, size=45, opacity=1).encode(y=y)
        layers.append(dots.transform_filter("datum.dot"))  # a single point has no line that could be seen
    return layers


def _colours(names: Sequence[str], palette: Palette, single_colour: bool) -> dict[str, Any]:
    if single_colour or len(names) < 2:
        return {"color": alt.value(palette.series1)}
    return {"color": alt.Color("series:N", scale=_scale(names, palette.series))}


def _dashes(names: Sequence[str], single_colour: bool) -> dict[str, Any]:
    """A dash pattern beside the colour: colour alone tells nothing to some readers."""
    if single_colour or len(names) < 2:
        return {}
    return {"strokeDash": alt.StrokeDash("series:N", scale=_scale(names, DASHES))}


def _scale(names: Sequence[str], values: Sequence[Any]) -> alt.Scale:
    return alt.Scale(domain=list(names), range=list(values[: len(names)]))


def _reference(item: Curve, palette: Palette) -> list[Layer]:
    """y = x over the range of the points."""
    xs = [x for s in item.series for x in s.x] or [0.0, 1.0]
    rows = [{"x": end, "y": end} for end in (min(xs), max(xs))]
    line = alt.Chart(data(rows)).mark_line(color=palette.line, strokeDash=[4, 3], strokeWidth=1)
    return [line.encode(x="x:Q", y="y:Q")]
