"""What the chart files share: a finished spec out of an Altair chart, unique row labels, and prepared numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from audit import wording
from reports.charts.theme import LIGHT, WIDTH, Palette, config

Spec = dict[str, Any]
Row = Mapping[str, object]
Layer = alt.Chart | alt.LayerChart | alt.FacetChart


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers of a chart as a table, for readers who cannot or will not read the picture."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0  # groups that evidence/groups.parquet holds and this table does not


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Inline values. Names from the data are values only, never field names: a field name is a small language."""
    return alt.InlineData(values=[dict(row) for row in rows])


def finish(chart: alt.LayerChart | alt.Chart | alt.FacetChart, description: str, palette: Palette = LIGHT) -> Spec:
    """The Vega-Lite spec as a dict that stands alone: one width, our colours, and its conclusion in words."""
    # Validated where the charts are tested; here it would cost more than all the rest of a page.
    spec: Spec = chart.properties(description=description).to_dict(validate=False)
    if "facet" not in spec:
        spec.setdefault("width", WIDTH)
        spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    spec["config"] = config(palette)
    return spec


def distinct(labels: Iterable[str]) -> list[str]:
    """Labels that are all different: two long names may be equal once they are shortened."""
    seen: Counter[str] = Counter()
    result = []
    for label in labels:
        seen[label] += 1
        result.append(label if seen[label] == 1 else f"{label} #{seen[label]}")
    return result


def axis_title(unit: str, words: str = "") -> str:
    """``share selected``, ``energy used in training (Wh)``: a unit on every axis."""
    symbol = wording.scale(1.0, unit)[1]
    if not symbol:
        return words
    return f"{words} ({symbol})" if words else symbol
