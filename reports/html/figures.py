"""A piece of evidence made ready for the page: picture, conclusion, reading help and the numbers behind it."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from audit import wording
from audit.results import Curve, Evidence, ImageMap, Measurement, Ranking, Scalar, Table, TextMap, Waterfall
from reports import charts, paired
from reports.charts import changes, energy, groups, image_map
from reports.charts.spec import Numbers, Spec
from reports.selection import FindingWords

MAX_TABLE_ROWS = 60

READING: dict[type, str] = {
    Ranking: "How to read: the further a dot from zero, the larger the {quantity} of that {what}; the line is its "
    "interval.",
    Waterfall: "How to read: from the base value down to the output, each bar is what one column added or took away.",
    ImageMap: "How to read: the input on the left; on the right its pixels, coloured where they moved the output.",
    TextMap: "How to read: a token with a solid line under it raised the output, with a dashed one lowered it.",
    Curve: "",
}
CAVEAT: dict[type, str] = {
    Ranking: "It does not show which way a {what} pushes, nor that it causes the outcome.",
    Waterfall: "It does not show what would have to change for another decision.",
    ImageMap: "It does not show that the model sees there what a person sees there.",
    TextMap: "It does not show what the model would say to another text.",
    Curve: "",
}

Drawn = Curve | Ranking | Waterfall | ImageMap | TextMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture with its words. ``picture`` is markup of our own making; all other fields are plain text."""

    id: str
    title: str
    picture: Markup
    description: str
    reading: str = ""
    numbers: Numbers | None = None
    judged: tuple[FindingWords, ...] = ()
    example: bool = False  # about a single row of the data
    scale: str = ""  # of an image map: what its full colours stand for
    note: str = ""  # of an image map: what it explains, and how far it can be trusted
    named: str = ""  # what no other part of the page is called, where the title is not

    @property
    def name(self) -> str:
        return self.named or self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A table of evidence as text."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    note: str = ""
    left_out: int = 0
    named: str = ""  # as of a figure

    @property
    def name(self) -> str:
        return self.named or self.title


@dataclass(slots=True)
class Anchors:
    """Ids and titles of one page: readable, the same for the same run, and no two alike."""

    taken: set[str] = field(default_factory=set)
    titles: dict[str, int] = field(default_factory=dict)

    def title(self, words: str) -> str:
        """The words, counted where they head something already: a reader of landmarks hears nothing else of them."""
        self.titles[words] = self.titles.get(words, 0) + 1
        return words if self.titles[words] == 1 else f"{words} ({self.titles[words]})"

    def new(self, *parts: str) -> str:
        base = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")[:40] or "x" for part in parts)
        anchor, number = base, 1
        while anchor in self.taken:
            number += 1
            anchor = f"{base}-{number}"
        self.taken.add(anchor)
        return anchor


def drawn(spec: Spec, title: str, description: str) -> Markup:
    # The only markup that is not escaped by the template: an SVG whose every text went through an XML writer.
    return Markup(charts.svg(spec, title, description))


def of_evidence(item: Evidence, check: str, anchors: Anchors) -> Figure | TableView:
    """The figure of a curve, ranking, waterfall or image map; the view of a table."""
    anchor = anchors.new("figure", check, item.name)
    title = anchors.title(wording.sentence(wording.label(item.title, 120)))
    if isinstance(item, Table):
        return replace(of_table(item, anchor), title=title)
    description = charts.describe(item)
    if isinstance(item, ImageMap):
        picture = _image(item, description)
    else:
        picture = drawn(charts.figure(item), title, description)
    return Figure(
        id=anchor,
        title=title,
        picture=picture,
        description=wording.sentence(description),
        reading=reading(item),
        numbers=charts.numbers(item),
        example=isinstance(item, Waterfall | TextMap),
        scale=wording.sentence(image_map.scale_words(item)) if isinstance(item, ImageMap) else "",
        note=wording.sentence(wording.text(item.note)) if isinstance(item, ImageMap) else "",
    )


def of_groups(
    measurements: Sequence[Measurement],
    lines: Sequence[charts.LimitLine],
    title: str,
    anchor: str,
    *,
    overall: Measurement | None,
    better: str,
    judged: tuple[FindingWords, ...],
    named: Collection[frozenset[tuple[str, str | None]]] = (),
) -> Figure:
    """The dot-and-interval chart of one measure over the groups of one set of columns; ``named`` ones are listed."""
    listed = groups.notable(measurements, overall=overall, better=better, named=named)
    description = groups.describe(measurements, title, overall=overall, better=better)
    spec = charts.figure_groups(measurements, lines, title, overall=overall, better=better)
    return Figure(
        id=anchor,
        title=wording.sentence(title),
        picture=drawn(spec, title, description),
        description=wording.sentence(description),
        numbers=groups.numbers(listed, len(measurements) - len(listed)),
        judged=judged,
    )


def of_estimates(estimates: Sequence[charts.Estimate], title: str, anchor: str) -> Figure:
    """Estimates of one quantity with their ranges."""
    description = energy.describe(estimates, title)
    picture = drawn(charts.figure_estimates(estimates, title), title, description)
    return Figure(
        id=anchor,
        title=wording.sentence(title),
        picture=picture,
        description=wording.sentence(description),
        reading="How to read: the bar is the range that the assumptions leave open; it is no sampling interval.",
        numbers=energy.numbers(estimates),
    )


def of_changes(found: Sequence[changes.Difference], anchor: str) -> Figure:
    """The changes against the baseline with their intervals; the numbers stand in the table below."""
    title, description = "What changes against the baseline", changes.describe(found)
    return Figure(
        id=anchor,
        title=title,
        picture=drawn(changes.figure_changes(found, paired.AXIS), title, description),
        description=description,
        reading=paired.READING,
    )


def of_table(item: Table, anchor: str) -> TableView:
    """At most 60 rows, a value and its bounds as one cell; the view says how many rows were left out."""
    groups = _cells(item.columns)
    shown = item.rows[:MAX_TABLE_ROWS]
    return TableView(
        id=anchor,
        title=wording.sentence(wording.label(item.title, 120)),
        columns=tuple(_heading(item.columns, group) for group in groups),
        rows=tuple(tuple(_cell(item.columns, row, group) for group in groups) for row in shown),
        numeric=tuple(len(group) == 1 and _numeric([row[group[0]] for row in item.rows]) for group in groups),
        note=wording.text(item.note),
        left_out=len(item.rows) - len(shown),
    )


def _cells(columns: Sequence[str]) -> list[range]:
    """Which columns make one cell: a value and the lower bound, upper bound and level that follow it."""
    groups, at = [], 0
    while at < len(columns):
        bounded = tuple(columns[at + 1 : at + 3]) == ("lower", "upper")
        size = (4 if tuple(columns[at + 3 : at + 4]) == ("level",) else 3) if bounded else 1
        groups.append(range(at, at + size))
        at += size
    return groups


def _heading(columns: Sequence[str], group: range) -> str:
    return wording.label(columns[group[0]], 60) + (" (range)" if len(group) > 1 else "")


def _cell(columns: Sequence[str], row: Sequence[Scalar | None], group: range) -> str:
    numbers = [cell for cell in (row[at] for at in group) if isinstance(cell, int | float)]
    if len(group) == 1 or len(numbers) < len(group):
        return ", ".join(filter(None, (wording.cell(row[at]) for at in group)))
    value, lower, upper, *level = numbers
    unit = columns[group[0]] if wording.is_unit(columns[group[0]]) else "1"
    label = f"{wording.level(level[0])} range " if level else ""
    ends = f"({label}{wording.span(lower, upper, unit, value)})".replace(" ", "\u00a0")  # a range stays on one line
    return f"{wording.number(value, unit, (upper - lower) / 2)} {ends}"


def _numeric(cells: Sequence[Scalar | None]) -> bool:
    filled = [cell for cell in cells if cell is not None]
    return bool(filled) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in filled)


def reading(item: Drawn) -> str:
    """The reading help, the check's own note, and what the picture does not show unless the note says it.

    The note of an image map, its grade in it, stands with the map: one reading serves all maps of a section.
    """
    note = "" if isinstance(item, ImageMap) else wording.text(item.note)
    caveat = "" if "not show" in note else _of(item, CAVEAT)
    return " ".join(part for part in (_of(item, READING), note, caveat) if part)


def _of(item: Evidence, words: Mapping[type, str]) -> str:
    """The words for this kind of evidence; those of a ranking say what is ranked."""
    if not isinstance(item, Ranking):
        return words[type(item)]
    return words[Ranking].format(what=wording.label(item.what), quantity=wording.label(item.quantity))


def _image(item: ImageMap, description: str) -> Markup:
    encoded = base64.b64encode(charts.overlay(item)).decode("ascii")
    return Markup('<img class="map" alt="{}" src="data:image/webp;base64,{}">').format(description, encoded)
