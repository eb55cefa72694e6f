"""Evidence drawn: a Vega-Lite spec dict out of each kind, its conclusion in words and its numbers as a table."""

from __future__ import annotations

from audit import wording
from audit.results import Curve, Evidence, ImageMap, Ranking, Table, TextMap, Waterfall
from reports.charts import curve, image_map, ranking, text_map, waterfall
from reports.charts.energy import Estimate, figure_estimates
from reports.charts.groups import LimitLine, figure_groups
from reports.charts.image_map import overlay
from reports.charts.render import svg
from reports.charts.spec import Numbers, Spec
from reports.charts.theme import DARK, LIGHT, Palette

__all__ = [
    "DARK",
    "LIGHT",
    "Estimate",
    "LimitLine",
    "Numbers",
    "Palette",
    "Spec",
    "describe",
    "figure",
    "figure_estimates",
    "figure_groups",
    "numbers",
    "overlay",
    "svg",
]


def figure(item: Evidence, palette: Palette = LIGHT) -> Spec:
    """The Vega-Lite spec of a curve, a ranking, a waterfall or a text.

    A table needs no chart and an image map is a picture (see :func:`overlay`): both raise ValueError.
    """
    match item:
        case Curve():
            return curve.figure(item, palette)
        case Ranking():
            return ranking.figure(item, palette)
        case Waterfall():
            return waterfall.figure(item, palette)
        case TextMap():
            return text_map.figure(item, palette)
    raise ValueError(f'evidence of kind "{item.kind}" has no chart: draw a curve, a ranking or a waterfall')


def describe(item: Evidence) -> str:
    """The conclusion of a piece of evidence in one or two sentences."""
    match item:
        case Curve():
            return curve.describe(item)
        case Ranking():
            return ranking.describe(item)
        case Waterfall():
            return waterfall.describe(item)
        case TextMap():
            return text_map.describe(item)
        case ImageMap():
            return image_map.describe(item)
        case Table():
            return (
                wording.count(len(item.rows), "row") + " of " + wording.listed(map(wording.label, item.columns)) + "."
            )


def numbers(item: Evidence) -> Numbers | None:
    """The numbers behind a chart; None where the evidence is a table already, or a picture."""
    match item:
        case Curve():
            return curve.numbers(item)
        case Ranking():
            return ranking.numbers(item)
        case Waterfall():
            return waterfall.numbers(item)
        case TextMap():
            return text_map.numbers(item)
    return None
