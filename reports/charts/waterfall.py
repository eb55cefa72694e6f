"""A waterfall: from the base value to one output, contribution by contribution."""

from __future__ import annotations

from typing import Any

import altair as alt

from audit import wording
from audit.results import Contribution, Waterfall
from reports.charts.spec import Numbers, Spec, axis_title, data, distinct, finish
from reports.charts.theme import LIGHT, STEP, Palette

MAX_ROWS = 10


def figure(item: Waterfall, palette: Palette = LIGHT) -> Spec:
    """The ten largest contributions in order of size, the others as one bar, between base and output."""
    rows = _rows(item)
    order = [row["label"] for row in rows]
    base = alt.Chart(data(rows)).encode(y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(grid=False)))
    fill = alt.Color(
        "sign:N",
        scale=alt.Scale(domain=["+", "-", "="], range=[palette.positive, palette.negative, palette.muted]),
        legend=None,
    )
    x = alt.X("start:Q", title=axis_title(item.unit, "output"), scale=alt.Scale(zero=False, padding=34))
    chart = alt.layer(
        base.mark_bar(height=14).encode(x=x, x2="end:Q", color=fill),
        base.mark_tick(thickness=3, size=16).encode(x=x, color=fill).transform_filter("datum.sign == '='"),
        base.mark_text(align="left", dx=4, color=palette.text, fontSize=11).encode(x="right:Q", text="words:N"),
    )
    return finish(chart.properties(height=alt.Step(STEP)), describe(item), palette)


def shown(item: Waterfall) -> list[Contribution]:
    """Largest first; what is left over is one contribution, so that the sum stays visible."""
    ranked = sorted(item.items, key=lambda c: (-abs(c.value), c.label))
    rest = ranked[MAX_ROWS:]
    if not rest:
        return ranked
    error = sum(c.error**2 for c in rest) ** 0.5
    label, value = wording.count(len(rest), "other"), sum(c.value for c in rest)
    others = Contribution(label=label, shown="", value=value, error=error)
    return [*ranked[:MAX_ROWS], others]


def describe(item: Waterfall) -> str:
    """From which base to which output, what pushed most each way, and how well the sum closes."""
    ranked = sorted(item.items, key=lambda c: (-abs(c.value), c.label))
    up = [_named(c, item) for c in ranked if c.value > 0][:2]
    down = [_named(c, item) for c in ranked if c.value < 0][:2]
    return (
        f"From the base {_number(item.base, item)} to the output {_number(item.output, item)}. "
        f"Raised most by {wording.listed(up) or 'nothing'}; lowered most by {wording.listed(down) or 'nothing'}. "
        f"{_closes(item)} ({wording.short_method(item.method)})."
    )


def numbers(item: Waterfall) -> Numbers:
    rows = tuple(
        (
            wording.label(c.label),
            wording.label(c.shown) if c.shown else "",
            _signed(c, item, item.unit),
            "no sampling error" if c.error == 0 else f"standard error {wording.number(c.error, item.unit)}",
        )
        for c in shown(item)
    )
    ends = (("base", "", _number(item.base, item), ""), ("output", "", _number(item.output, item), ""))
    return Numbers(
        columns=("column", "its value", "contribution", "error of computation"), rows=(ends[0], *rows, ends[1])
    )


def _closes(item: Waterfall) -> str:
    if abs(item.completeness) <= 1e-6 * max(abs(item.output - item.base), 1e-9):
        return "The contributions add up to the output"
    return f"The contributions miss the output by {wording.number(abs(item.completeness), item.unit)}"


def _named(c: Contribution, item: Waterfall) -> str:
    return f"{_label(c, 60)} ({_signed(c, item, item.unit)})"


def _number(value: float, item: Waterfall) -> str:
    return wording.number(value, item.unit)


def _signed(c: Contribution, item: Waterfall, unit: str) -> str:
    # Their errors are small or nought and would leave many decimals: a tenth of the largest limits them alike.
    step = max(c.error, max((abs(other.value) for other in item.items), default=0.0) / 10)
    words = wording.number(c.value, unit, step)
    return f"+{words}" if c.value > 0 and words[0].isdigit() else words


def _label(c: Contribution, length: int) -> str:
    return wording.label(f"{wording.label(c.label, 28)} = {wording.label(c.shown, 20)}" if c.shown else c.label, length)


def _rows(item: Waterfall) -> list[dict[str, Any]]:
    contributions = shown(item)
    names = distinct(["base", *(_label(c, 32) for c in contributions), "output"])
    rows: list[dict[str, Any]] = [_end(names[0], item.base)]
    at = item.base
    for name, c in zip(names[1:-1], contributions, strict=True):
        ends = (at, at + c.value)
        rows.append(
            {
                "label": name,
                "start": ends[0],
                "end": ends[1],
                "right": max(ends),
                "sign": "+" if c.value >= 0 else "-",
                "words": _signed(c, item, "1"),
            }
        )
        at += c.value
    return [*rows, _end(names[-1], item.output)]


def _end(name: str, value: float) -> dict[str, Any]:
    """A base or an output: a mark at its place, not a bar from zero that would dwarf the contributions."""
    words = wording.number(value, "1")
    return {"label": name, "start": value, "end": value, "right": value, "sign": "=", "words": words}
