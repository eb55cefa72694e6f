"""Specs, SVG and image maps: what is drawn is what was measured, small, named and inert."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from audit.results import Array, Contribution, Curve, ImageMap, Measurement, RankedItem, Ranking, Series, Waterfall
from reports import charts
from reports.charts import LimitLine, describe, figure_groups, groups, image_map, waterfall
from reports.html import figures
from tests.reports.evidence import attributions, curves, measurement
from tests.reports.evidence import image_map as digit
from tests.reports.hostile import HOSTILE
from tests.reports.runs import RACE, rates

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "g", "path", "line", "text", "defs", "clipPath", "rect"}
DRAWN = (*curves(), *attributions())


def rows_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that are drawn as dots, bars or lines, wherever in the spec they stand."""
    inline = [layer["data"]["values"] for layer in spec["layer"] if "values" in layer.get("data", {})]
    tables = [*spec.get("datasets", {}).values(), *inline]
    return next(rows for rows in tables if {"lower", "start", "order"} & set(rows[0]))


@pytest.mark.parametrize("item", DRAWN, ids=lambda item: item.name)
def test_every_chart_is_one_named_picture_without_labels_on_its_marks(item: Curve | Ranking | Waterfall) -> None:
    root = ET.fromstring(charts.svg(charts.figure(item), "a title", charts.describe(item)))
    assert root.get("role") == "img"
    names = {e.get("id"): e.text for e in root if e.tag in {f"{SVG}title", f"{SVG}desc"}}
    assert names[root.get("aria-labelledby")] == "a title"
    assert names[root.get("aria-describedby")] == charts.describe(item)
    inner = [e for e in root.iter() if e is not root]
    assert not [e for e in inner if any(key.startswith("aria") or key == "role" for key in e.attrib)]


@pytest.mark.parametrize("item", DRAWN, ids=lambda item: item.name)
def test_an_svg_is_small_rounded_and_follows_the_colour_scheme(item: Curve | Ranking | Waterfall) -> None:
    text = charts.svg(charts.figure(item), "t", "d")
    assert len(text) < 12_000
    assert not re.search(r'(?:transform|[ ]d|x|y|width|height)="[^"]*\d\.\d{2,}', text)
    assert "var(--" in text
    assert not re.search(r'(?:fill|stroke)="#', text)


def test_two_charts_on_one_page_share_no_id() -> None:
    ids = [i for item in DRAWN for i in re.findall(r'id="([^"]+)"', charts.svg(charts.figure(item), "t", "d"))]
    assert len(ids) == len(set(ids))


def test_an_svg_is_the_same_in_another_process() -> None:
    # A first render in the other process shifts the renderer's own id counter.
    code = (
        "from reports import charts; from tests.reports.evidence import attributions, curves;"
        "charts.svg(charts.figure(attributions()[0]), 'a', 'b');"
        "print(charts.svg(charts.figure(curves()[0]), 't', 'd'), end='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == charts.svg(charts.figure(curves()[0]), "t", "d")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_group_name_is_text_in_the_svg_and_nothing_else(name: str) -> None:
    m = measurement("x", 0.5, 0.1, 100, {name: name})
    text = charts.svg(figure_groups([m], [], name), name, name)
    root = ET.fromstring(text)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= ALLOWED
    assert not [key for e in root.iter() for key in e.attrib if key.startswith("on") or "href" in key]


def test_groups_are_sorted_carry_n_and_name_the_missing_one() -> None:
    cells = rates("rate", [({"sex": "f"}, 0.4, 50), ({"sex": None}, 0.7, 20), ({"sex": "m"}, 0.6, 1000)])
    labels = [row["label"] for row in rows_of(figure_groups(cells, [], "rate"))]
    assert labels == ["(missing) (n = 20)", "m (n = 1,000)", "f (n = 50)"]


def test_a_group_wholly_beyond_the_limit_is_marked_and_one_that_touches_it_is_not() -> None:
    cells = rates("rate", RACE)
    spec = figure_groups(cells, [LimitLine(value=0.7, side="min")], "rate")
    marked = {str(row["label"]).split(" ")[0]: row["breaks"] for row in rows_of(spec)}
    assert marked == {"white": False, "hispanic": False, "black": True}


def test_of_fifty_groups_the_forty_worst_are_drawn_and_the_description_says_so() -> None:
    cells = [measurement("rate", 0.01 * i, 0.005, 100, {"site": f"s{i:02}"}) for i in range(1, 51)]
    spec = figure_groups(cells, [], "rate", better="higher")
    assert len(rows_of(spec)) == groups.MAX_ROWS
    assert max(float(str(row["value"])) for row in rows_of(spec)) == pytest.approx(0.40)
    assert "The 40 lowest of 50 groups are drawn." in spec["description"]
    by_gap = figure_groups(cells, [], "rate", overall=measurement("rate", 0.5, 0.01, 5000))
    assert min(float(str(row["value"])) for row in rows_of(by_gap)) == pytest.approx(0.01)
    assert "furthest" in by_gap["description"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.floats(0, 1)), min_size=1, max_size=60))
def test_every_group_is_a_row_of_its_own_whatever_it_is_called(named: list[tuple[str, float]]) -> None:
    cells: list[Measurement] = [measurement("x", v, 0.05, 10, {"c": name}) for name, v in named]
    labels = [row["label"] for row in rows_of(figure_groups(cells, [], "x"))]
    assert len(set(labels)) == len(labels) == min(len(cells), groups.MAX_ROWS)


def test_a_waterfall_of_many_columns_still_adds_up() -> None:
    items = tuple(Contribution(label=f"c{i}", shown="1", value=(-1) ** i * i / 10) for i in range(30))
    total = sum(i.value for i in items)
    item = Waterfall(
        name="w", title="w", unit="1", base=1.0, output=1.0 + total, items=items, completeness=0.0, method="m"
    )
    assert len(waterfall.shown(item)) == waterfall.MAX_ROWS + 1
    assert sum(c.value for c in waterfall.shown(item)) == pytest.approx(total)
    rows = rows_of(charts.figure(item))
    assert rows[-2]["end"] == pytest.approx(item.output)


def test_a_gap_in_the_sum_is_said_and_a_closed_one_too() -> None:
    item = attributions()[1]
    assert isinstance(item, Waterfall)
    assert "add up to the output" in waterfall.describe(item)
    open_ = Waterfall(
        name="w", title="w", unit="1", base=0.0, output=1.0, items=item.items, completeness=0.2, method="m"
    )
    assert "miss the output by 0.2" in waterfall.describe(open_)


def test_a_long_curve_is_thinned_and_keeps_both_ends() -> None:
    x = tuple(i / 9999 for i in range(10_000))
    spec = charts.figure(Curve(name="c", title="c", x_label="x", y_label="y", series=(Series(label="a", x=x, y=x),)))
    points = rows_of(spec)
    assert len(points) <= 120
    assert (points[0]["x"], points[-1]["x"]) == (0.0, 1.0)


def test_more_than_six_lines_become_small_multiples_instead_of_more_colours() -> None:
    series = tuple(Series(label=f"g{i}", x=(0.0, 1.0), y=(0.0, 1.0)) for i in range(8))
    item = Curve(name="c", title="c", x_label="x", y_label="y", series=series, diagonal=True)
    spec = charts.figure(item)
    assert spec["facet"]["sort"] == [s.label for s in series]
    assert "<svg" in charts.svg(spec, "t", "d")


def test_the_ranking_is_largest_first_with_its_interval() -> None:
    items = tuple(RankedItem(label=n, value=v, lower=v - 1, upper=v + 1) for n, v in (("a", 1.0), ("b", 3.0)))
    item = Ranking(name="r", title="r", unit="log-odds", level=0.9, method="m", n=7, items=items)
    assert charts.describe(item).startswith("Largest: b 3.0")
    numbers = charts.numbers(item)
    assert numbers is not None
    assert [row[0] for row in numbers.rows] == ["b", "a"]


def test_the_words_about_a_ranking_fit_what_is_ranked() -> None:
    items = (RankedItem(label="text", value=0.7, lower=0.6, upper=0.8),)
    ranking = Ranking(name="r", title="r", unit="loss", level=0.95, method="m", n=7, items=items)
    other = replace(ranking, what="modality", quantity="mean increase")
    for item, what, quantity in ((ranking, "column", "mean contribution"), (other, "modality", "mean increase")):
        numbers = charts.numbers(item)
        assert numbers is not None
        assert numbers.columns[0] == what
        assert charts.figure(item)["layer"][0]["encoding"]["x"]["title"] == f"{quantity} (loss)"
        help_ = figures.reading(item)
        assert f"the larger the {quantity} of that {what};" in help_
        assert f"which way a {what} pushes" in help_
    assert "column" not in figures.reading(other)


def _ends(element: ET.Element, left: float = 0.0) -> dict[str, float]:
    """Of every text of a picture, where it ends at 6 px a character, in px from the left edge."""
    moved = re.match(r"translate\((-?[\d.]+)", element.get("transform", ""))
    left += float(moved.group(1)) if moved else 0.0
    found = {element.text: left + 6 * len(element.text)} if element.tag == f"{SVG}text" and element.text else {}
    for inner in element:
        found |= _ends(inner, left)
    return found


@pytest.mark.parametrize("length", [3, 16, 27, 40])
def test_no_name_of_a_line_stands_outside_the_picture_however_long_it_is(length: int) -> None:
    names = [f"{i} {'x' * (length - 2)}" for i in range(6)]
    lines = tuple(Series(label=name, x=(0.0, 1.0), y=(0.0, 1.0)) for name in names)
    drawn = charts.svg(charts.figure(Curve(name="c", title="c", x_label="x", y_label="y", series=lines)), "t", "d")
    root = ET.fromstring(drawn)
    width = float(root.get("viewBox", "").split()[2])
    ends = {text: end for text, end in _ends(root).items() if text in names}
    assert set(ends) == set(names)
    assert max(ends.values()) <= width


def test_a_single_point_is_seen_beside_a_long_line() -> None:
    long = tuple(i / 99 for i in range(100))
    lines = (Series(label="best", x=long, y=long), Series(label="own", x=(0.25,), y=(0.5,)))
    item = Curve(name="c", title="c", x_label="x", y_label="y", series=lines)
    alone = ET.fromstring(charts.svg(charts.figure(item), "t", "d"))
    without = ET.fromstring(charts.svg(charts.figure(replace(item, series=lines[:1])), "t", "d"))
    paths = [[e.get("d", "").count("A") for e in root.iter(f"{SVG}path")] for root in (alone, without)]
    assert (sum(map(bool, paths[0])), sum(map(bool, paths[1]))) == (1, 0)


def test_lines_that_differ_little_are_not_drawn_flat_and_a_diagonal_keeps_its_corner() -> None:
    line = Series(label="a", x=(0.0, 1.0), y=(0.93, 0.95))
    item = Curve(name="c", title="c", x_label="x", y_label="y", series=(line,))
    texts = [
        {e.text for e in ET.fromstring(charts.svg(charts.figure(c), "t", "d")).iter(f"{SVG}text")}
        for c in (item, replace(item, diagonal=True))
    ]
    assert "0.94" in "".join(sorted(filter(None, texts[0])))
    assert "0.94" not in "".join(sorted(filter(None, texts[1])))


def test_a_table_and_a_picture_have_no_spec() -> None:
    with pytest.raises(ValueError, match="has no chart"):
        charts.figure(digit())


# Image maps


def picture(values: list[list[float]], shade: int = 0) -> ImageMap:
    array = np.array(values, dtype="<f4")
    shape = (*array.shape, 1)
    return ImageMap(
        name="m",
        title="m",
        pixels=Array(shape=shape, dtype="uint8", data=np.full(shape, shade, dtype=np.uint8).tobytes()),
        attributions=Array(shape=array.shape, dtype="float32", data=array.tobytes()),
        method="m",
        target="3",
        completeness=None,
    )


def pixels(item: ImageMap) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(image_map.overlay(item))).convert("RGBA"))


def test_eight_by_eight_becomes_160_pixels_by_repeating_pixels() -> None:
    shown = pixels(digit())
    assert shown.shape == (160, 160 * 2 + 26, 4)
    block = shown[:20, :20, :3]
    assert (block == block[0, 0]).all()


def test_orange_raises_blue_lowers_and_nothing_leaves_the_picture() -> None:
    shown = pixels(picture([[1.0, -1.0], [0.0, 0.0]], shade=255))
    panel = shown[:, 168:328, :3].astype(int)
    up, down, none = panel[10, 10], panel[10, 150], panel[150, 10]
    assert up[0] > up[2] + 60
    assert down[2] > down[0] + 60
    assert (none == 255).all()


def test_a_map_of_zeros_is_drawn_without_a_division() -> None:
    item = picture([[0.0, 0.0], [0.0, 0.0]])
    assert pixels(item).shape[0] == 160
    assert "No pixel contributed" in image_map.describe(item)


def test_the_words_say_where_the_mass_lies() -> None:
    values = np.zeros((8, 8))
    values[0, 0] = 2.0
    assert "upper left" in image_map.describe(picture(values.tolist()))


def test_a_large_picture_stays_under_its_budget() -> None:
    noise = np.random.default_rng(0).normal(size=(224, 224))
    assert len(image_map.overlay(picture(noise.tolist(), shade=90))) < 30_000


def test_a_spec_is_plain_json_so_that_any_page_can_draw_it() -> None:
    for item in DRAWN:
        json.dumps(charts.figure(item), allow_nan=False)


def test_a_ranking_begins_with_what_is_furthest_from_zero_on_either_side() -> None:
    items = tuple(RankedItem(label=n, value=v, lower=v - 0.1, upper=v + 0.1) for n, v in (("up", 0.2), ("down", -0.9)))
    ranking = Ranking(name="gap", title="t", unit="log-odds", level=0.95, method="m", n=9, items=items)
    assert describe(ranking).startswith("Largest: down")
