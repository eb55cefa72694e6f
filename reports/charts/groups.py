"""One measure over the groups of one set of columns: a dot and an interval a group, the whole as a rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt

from audit import wording
from audit.results import Measurement
from reports.charts.spec import Layer, Numbers, Spec, axis_title, data, distinct, finish
from reports.charts.theme import LIGHT, STEP, Palette

MAX_ROWS = 40
MAX_NUMBERS = 60  # groups of one measure that a page holds; of more only those that a reader must see
MAX_LARGEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """A bound to draw. ``side`` says which side of it is refused: above a ``max``, below a ``min``."""

    value: float
    side: Literal["min", "max"]

    def breaks(self, m: Measurement) -> bool:
        """Whether the whole interval lies beyond the line."""
        return m.interval.upper < self.value if self.side == "min" else m.interval.lower > self.value


def figure_groups(
    measurements: Sequence[Measurement],
    limit_lines: Sequence[LimitLine],
    title: str,
    *,
    overall: Measurement | None = None,
    better: str = "none",
    palette: Palette = LIGHT,
) -> Spec:
    """The Vega-Lite spec of the chart. ``measurements`` are of one measure, one a group; ``title`` names the measure.

    The groups are sorted by their value; with more than 40 of them only the 40 worst are drawn and the description
    says so. What is worst follows from ``better`` ("higher", "lower"), else it is the distance from ``overall``.
    """
    shown = _ordered(worst(measurements, overall, better))
    factor, unit = _scale(shown)
    title, rows = wording.label(title, 60), _rows(shown, limit_lines, factor)
    order = [row["label"] for row in rows]
    base = alt.Chart(data(rows)).encode(y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(grid=False)))
    x = alt.X("lower:Q", title=_axis(title, unit), scale=alt.Scale(zero=False, nice=True))
    colour = alt.condition("datum.breaks", alt.value(palette.fails), alt.value(palette.series1))
    layers: list[Layer] = [
        base.mark_rule(strokeWidth=2).encode(x=x, x2="upper:Q", color=colour),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x="value:Q", color=colour, shape=alt.condition("datum.breaks", alt.value("square"), alt.value("circle"))
        ),
    ]
    if overall is not None:
        layers.insert(0, _rule(overall.value * factor, "overall", palette.muted, [4, 3], -16))
    layers += [_rule(line.value * factor, "limit", palette.fails, [1, 0], -4) for line in limit_lines]
    chart = alt.layer(*layers).properties(height=alt.Step(STEP))
    return finish(chart, describe(measurements, title, overall=overall, better=better), palette)


def worst(measurements: Sequence[Measurement], overall: Measurement | None, better: str) -> list[Measurement]:
    """At most 40 of them, those that a reader must see."""
    if better == "higher":
        key = {id(m): m.value for m in measurements}
    elif better == "lower" or overall is None:
        key = {id(m): -m.value for m in measurements}
    else:
        key = {id(m): -abs(m.value - overall.value) for m in measurements}
    return sorted(measurements, key=lambda m: (key[id(m)], _name(m)))[:MAX_ROWS]


def notable(
    measurements: Sequence[Measurement],
    *,
    overall: Measurement | None = None,
    better: str = "none",
    named: Collection[frozenset[tuple[str, str | None]]] = (),
) -> list[Measurement]:
    """All of them, or of more than 60 the worst, the largest and those whose slice is ``named`` by a verdict."""
    if len(measurements) <= MAX_NUMBERS:
        return list(measurements)
    largest = sorted(measurements, key=lambda m: (-m.n, _name(m)))[:MAX_LARGEST]
    kept = {id(m) for m in (*worst(measurements, overall, better), *largest)}
    return [m for m in measurements if id(m) in kept or frozenset(m.slice.items()) in named]


def describe(
    measurements: Sequence[Measurement], title: str, *, overall: Measurement | None = None, better: str = "none"
) -> str:
    """The conclusion in words: who is highest, who is lowest, each with its interval."""
    if not measurements:
        return f"{title}: no group could be measured."
    ranked = _ordered(measurements)
    high, low = ranked[0], ranked[-1]
    said = f"{title}: highest for {_name(high)}, {wording.measurement(high)}"
    if len(ranked) > 1:
        said += f"; lowest for {_name(low)}, {wording.measurement(low)}"
    if overall is not None:
        said += f"; all rows {wording.measurement(overall)}"
    left_out = len(measurements) - MAX_ROWS
    worst_words = {"higher": "lowest", "lower": "highest"}.get(better, "furthest")
    return said + (
        f". The {MAX_ROWS} {worst_words} of {len(measurements):,} groups are drawn." if left_out > 0 else "."
    )


def numbers(measurements: Sequence[Measurement], left_out: int = 0) -> Numbers:
    """Group, value, interval and n, in the order of the chart; ``left_out`` says how many more there are."""
    return Numbers(
        columns=("group", "value", "interval", "n"),
        rows=tuple(
            (_name(m), wording.value(m), wording.interval(m.interval, m.unit, m.value), f"{m.n:,}")
            for m in _ordered(measurements)
        ),
        left_out=left_out,
    )


def _ordered(measurements: Sequence[Measurement]) -> list[Measurement]:
    return sorted(measurements, key=lambda m: (-m.value, _name(m)))


def _name(m: Measurement) -> str:
    return wording.group_words(m.slice)


def _scale(shown: Sequence[Measurement]) -> tuple[float, str]:
    if not shown:
        return 1.0, ""
    return wording.scale(max(abs(m.value) for m in shown), shown[0].unit)


def _axis(title: str, symbol: str) -> str:
    return f"{title} ({symbol})" if symbol else axis_title("1", title)


def _rows(shown: Sequence[Measurement], lines: Sequence[LimitLine], factor: float) -> list[dict[str, Any]]:
    names = distinct(f"{wording.label(_name(m), 24)} (n = {m.n:,})" for m in shown)
    return [
        {
            "label": name,
            "value": m.value * factor,
            "lower": m.interval.lower * factor,
            "upper": m.interval.upper * factor,
            "breaks": any(line.breaks(m) for line in lines),
        }
        for name, m in zip(names, shown, strict=True)
    ]


def _rule(value: float, words: str, colour: str, dash: list[int], dy: int) -> Layer:
    base = alt.Chart(data([{"at": value, "words": words}]))
    rule = base.mark_rule(color=colour, strokeDash=dash, strokeWidth=1.5).encode(x="at:Q")
    text = base.mark_text(color=colour, dy=dy, baseline="bottom", fontSize=11).encode(
        x="at:Q", y=alt.value(0), text="words:N"
    )
    return alt.layer(rule, text)
