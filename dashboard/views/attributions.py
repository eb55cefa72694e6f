"""What moves the model's output: over all rows, for single rows, and on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from audit import wording
from audit.results import Curve, Evidence, ImageMap, Ranking, Table, TextMap, Waterfall
from dashboard import runs, widgets
from dashboard.safe import inert
from reports import charts
from reports.charts import image_map
from reports.charts.spec import distinct
from reports.html import figures

FAMILIES = ("attribution", "shortcuts")
MAPS_A_ROW = 3
Kind = TypeVar("Kind", Curve, Ranking, TextMap, Waterfall)


def show(state: runs.Runs) -> None:
    """Rankings, single rows, pictures, tables, and what could not be had."""
    run = state.run
    widgets.title("Attributions")
    records = [record for record in run.records if record.family in FAMILIES]
    items = [item for record in records for item in record.outcome.evidence]
    if not items:
        st.markdown("Nothing was explained: no attribution check gave evidence.")
    else:
        widgets.note("What moves the output of this model. None of it shows what causes what in the world.")
        _pictured(items)
        for view in (figures.of_table(item, item.name) for item in items if isinstance(item, Table)):
            widgets.table_view(view)
    widgets.omissions(records, run)


def _pictured(items: Sequence[Evidence]) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _one_of(items, Ranking, "Over all rows", "Explanation", "ranking")
    with right:
        _one_of(items, Waterfall, "Single rows", "Row", "row")
    maps = [item for item in items if isinstance(item, ImageMap)]
    if maps:
        _maps(maps)
    _one_of(items, TextMap, "On texts", "Text", "text")
    for curve in (item for item in items if isinstance(item, Curve)):
        widgets.evidence(curve)


def _one_of(items: Sequence[Evidence], kind: type[Kind], heading: str, label: str, key: str) -> None:
    """The chosen one of all evidence of a kind."""
    found = [item for item in items if isinstance(item, kind)]
    if not found:
        return
    widgets.heading(heading)
    names = distinct(wording.label(item.title, 100) for item in found)
    chosen = widgets.pick(label, names, key) if len(names) > 1 else names[0]
    widgets.evidence(found[names.index(chosen)])


def _maps(maps: Sequence[ImageMap]) -> None:
    widgets.heading("On pictures")
    methods = list(dict.fromkeys(wording.short_method(item.method) for item in maps))
    method = widgets.pick("Method", methods, "method") if len(methods) > 1 else methods[0]
    shown = [item for item in maps if wording.short_method(item.method) == method]
    for start in range(0, len(shown), MAPS_A_ROW):
        for column, item in zip(st.columns(MAPS_A_ROW), shown[start : start + MAPS_A_ROW], strict=False):
            with column:
                _map(item)
    widgets.note(" ".join(dict.fromkeys(figures.reading(item) for item in shown)))


def _map(item: ImageMap) -> None:
    conclusion = charts.describe(item)
    st.markdown(f"**{inert(wording.label(item.title, 120))}**")
    # As bytes: a string would be taken for an address.
    st.image(charts.overlay(item, widgets.palette()), alt=conclusion)
    widgets.note(f"{conclusion} {wording.sentence(image_map.scale_words(item))}.")
