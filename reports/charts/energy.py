"""Estimates of one quantity, each a dot with its range: how the rungs of the ladder agree."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from audit import wording
from audit.results import Measurement
from reports.charts.spec import Numbers, Spec, data, distinct, finish
from reports.charts.theme import LIGHT, STEP, Palette


def figure_estimates(estimates: Sequence[tuple[str, Measurement]], title: str, palette: Palette = LIGHT) -> Spec:
    """``(label, measurement)`` of one unit, in the order given: the best first. The axis starts at zero."""
    factor, symbol = wording.scale(max((abs(m.value) for _, m in estimates), default=0.0), _unit(estimates))
    names = distinct(wording.label(label, 36) for label, _ in estimates)
    rows = [
        {
            "label": name,
            "value": m.value * factor,
            "lower": m.interval.lower * factor,
            "upper": m.interval.upper * factor,
        }
        for name, (_, m) in zip(names, estimates, strict=True)
    ]
    base = alt.Chart(data(rows)).encode(y=alt.Y("label:N", sort=names, title=None, axis=alt.Axis(grid=False)))
    x = alt.X("lower:Q", title=f"{title} ({symbol})" if symbol else title, scale=alt.Scale(zero=True))
    chart = alt.layer(
        base.mark_rule(strokeWidth=4, opacity=0.45, color=palette.series1).encode(x=x, x2="upper:Q"),
        base.mark_point(filled=True, size=80, opacity=1, color=palette.series1).encode(x="value:Q"),
    )
    return finish(chart.properties(height=alt.Step(STEP)), describe(estimates, title), palette)


def describe(estimates: Sequence[tuple[str, Measurement]], title: str) -> str:
    if not estimates:
        return f"{title}: nothing was estimated."
    label, best = estimates[0]
    by = f" by {wording.label(label)}" if label != title else ""
    others = f"; {wording.count(len(estimates) - 1, 'other estimate')} drawn below" if len(estimates) > 1 else ""
    return f"{title}: {wording.measurement(best)}{by}{others}."


def numbers(estimates: Sequence[tuple[str, Measurement]]) -> Numbers:
    return Numbers(
        columns=("estimate", "value", "range", "n"),
        rows=tuple(
            (wording.label(label), wording.value(m), wording.interval(m.interval, m.unit, m.value), f"{m.n:,}")
            for label, m in estimates
        ),
    )


def _unit(estimates: Sequence[tuple[str, Measurement]]) -> str:
    return estimates[0][1].unit if estimates else "1"
