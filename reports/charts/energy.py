"""Estimates of one quantity, each a dot with its range: how far the ways of knowing it agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from audit import wording
from audit.results import Measurement, Table
from reports.charts.spec import Numbers, Spec, data, distinct, finish
from reports.charts.theme import LIGHT, STEP, Palette

_COLUMNS = ("rung", "boundary", "kWh", "lower", "upper", "level")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with the range that its assumptions leave open, and how it is known."""

    label: str
    value: float
    lower: float
    upper: float
    level: float
    unit: str


def of_measurement(m: Measurement, label: str) -> Estimate:
    bounds = m.interval
    return Estimate(label=label, value=m.value, lower=bounds.lower, upper=bounds.upper, level=bounds.level, unit=m.unit)


def of_table(table: Table) -> tuple[Estimate, ...]:
    """The estimates in a table of rungs, best first; none where the table is of something else."""
    if not set(_COLUMNS) <= set(table.columns):
        return ()
    places = [table.columns.index(column) for column in _COLUMNS]
    result = []
    for row in table.rows:
        rung, boundary, *numbers = (row[place] for place in places)
        floats = [float(cell) for cell in numbers if isinstance(cell, int | float)]
        if len(floats) == len(_COLUMNS) - 2:
            value, lower, upper, level = floats
            label = f"{rung} ({boundary})"
            result.append(Estimate(label=label, value=value, lower=lower, upper=upper, level=level, unit="kWh"))
    return tuple(result)


def figure_estimates(estimates: Sequence[Estimate], title: str, palette: Palette = LIGHT) -> Spec:
    """Estimates of one unit in the order given, the best first. The axis starts at zero."""
    factor, symbol = _scale(estimates)
    names = distinct(wording.label(e.label, 36) for e in estimates)
    rows = [
        {"label": name, "value": e.value * factor, "lower": e.lower * factor, "upper": e.upper * factor}
        for name, e in zip(names, estimates, strict=True)
    ]
    base = alt.Chart(data(rows)).encode(y=alt.Y("label:N", sort=names, title=None, axis=alt.Axis(grid=False)))
    x = alt.X("lower:Q", title=f"{title} ({symbol})" if symbol else title, scale=alt.Scale(zero=True))
    chart = alt.layer(
        base.mark_rule(strokeWidth=4, opacity=0.45, color=palette.series1).encode(x=x, x2="upper:Q"),
        base.mark_point(filled=True, size=80, opacity=1, color=palette.series1).encode(x="value:Q"),
    )
    return finish(chart.properties(height=alt.Step(STEP)), describe(estimates, title), palette)


def describe(estimates: Sequence[Estimate], title: str) -> str:
    """The best estimate with its range, and how many others stand below it."""
    if not estimates:
        return f"{title}: nothing was estimated."
    best = estimates[0]
    by = f" by {wording.label(best.label)}" if best.label != title else ""
    others = f"; {wording.count(len(estimates) - 1, 'other estimate')} below" if len(estimates) > 1 else ""
    return f"{title}: {_value(best)} ({_range(best)}){by}{others}."


def numbers(estimates: Sequence[Estimate]) -> Numbers:
    rows = tuple((wording.label(e.label), _value(e), _range(e)) for e in estimates)
    return Numbers(columns=("estimate", "value", "range"), rows=rows)


def _scale(estimates: Sequence[Estimate]) -> tuple[float, str]:
    return wording.scale(max(abs(e.value) for e in estimates), estimates[0].unit) if estimates else (1.0, "")


def _value(e: Estimate) -> str:
    return wording.number(e.value, e.unit, (e.upper - e.lower) / 2)


def _range(e: Estimate) -> str:
    return f"{wording.level(e.level)} range {wording.span(e.lower, e.upper, e.unit, e.value)}"
