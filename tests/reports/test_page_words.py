"""What stands on the page in words: landmarks by name, one and several, sections that hold something, units."""

from __future__ import annotations

import re
from dataclasses import replace

from audit.results import Outcome, Table
from reports import markdown
from reports.html import page
from reports.html.figures import of_table
from tests.reports.evidence import measurement
from tests.reports.runs import RACE, rates, record, rich
from tests.reports.test_html import Reader, bare

ONE = re.compile(r"(?<![\d.,])1[ \u00a0](?:more )?(?:rows|groups|comparisons|measures|values|charts|limits|columns)\b")


def test_one_of_a_kind_is_never_written_as_several() -> None:
    run = rich()
    lone = measurement("duplicate_rows", 1, 0, 1, unit="rows")
    records = (*run.records, record("data.lone", Outcome(measurements=(lone,))))
    alone = replace(
        run,
        records=records,
        data=tuple(replace(data, rows=1) for data in run.data),
        findings=tuple(replace(f, comparisons=1, assessed=0) for f in run.findings),
    )
    for text in (bare(page.render(alone)), markdown.render(alone)):
        assert "0 of 1 comparison" in text or "1\u00a0row" in text or "1 row" in text
        assert ONE.findall(text) == []


def landmarks(text: str) -> list[str]:
    """The names of all regions of a page, navigation among them."""
    reader = Reader(text)
    headings = {a["id"]: "" for tag, a in reader.tags if tag in {"h1", "h2"} and "id" in a}
    for found in re.finditer(r'<h[12] id="([^"]+)">(.*?)</h[12]>', text, re.DOTALL):
        headings[found.group(1)] = bare(found.group(2)).strip()
    named = [a for tag, a in reader.tags if tag in {"section", "nav"} or a.get("role") == "region"]
    return [a.get("aria-label") or headings[a["aria-labelledby"]] for a in named]


def test_every_landmark_of_a_page_has_a_name_of_its_own() -> None:
    both = [({"race": race, "sex": sex}, 0.5, 40) for race in ("a", "b") for sex in ("f", "m")]
    more = rates("accuracy", [*RACE, *both, ({"sex": "f"}, 0.5, 40), ({"sex": "m"}, 0.6, 40)])
    twice = [
        Table(name=name, title="What the model relies on", columns=("a",), rows=(("b",),)) for name in ("one", "two")
    ]
    extra = record("fairness.more", Outcome(measurements=tuple(more), evidence=tuple(twice)))
    names = landmarks(page.render(rich(records=(*rich().records, extra))))
    assert all(names)
    assert [name for name in names if names.count(name) > 1] == []
    assert {"Numbers: Accuracy, by race", "Accuracy, by race and sex"} <= set(names)


def test_a_section_without_anything_is_left_out_and_nothing_links_to_it() -> None:
    text = page.render(rich(records=tuple(r for r in rich().records if r.family == "performance")))
    assert 'id="performance"' in text
    for gone in ("energy", "reliance", "fairness"):
        assert f'id="{gone}"' not in text
        assert f'href="#{gone}"' not in text
    assert "Nothing was measured" not in text


def test_a_range_in_a_table_bears_the_unit_of_its_heading_and_no_heading_that_is_none() -> None:
    columns = ("way", "kWh", "lower", "upper", "accuracy given up", "lower", "upper")
    item = Table(name="t", title="t", columns=columns, rows=(("a", 2.0, 1.0, 4.0, -0.04, -0.07, -0.02),))
    (row,) = of_table(item, "t").rows
    assert row[1].replace("\u00a0", " ") == "2.0 kWh (1.0 to 4.0 kWh)"
    assert row[2].replace("\u00a0", " ") == "−0.040 (−0.070 to −0.020)"
