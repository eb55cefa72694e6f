"""The page: complete, inert, self-contained, the same every time, and never a number without what belongs to it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import wording
from audit.errors import StoreError
from audit.policy import Verdict
from audit.record import Record
from audit.results import Measurement, Outcome, Reason, Table
from reports import junit, markdown, selection
from reports.charts import groups
from reports.html import page
from reports.html.docs import blocks
from reports.html.figures import Anchors, of_table
from reports.html.sections import MIN_GROUP_CHARTS, of_families, of_groups
from tests.reports.evidence import image_map, measurement
from tests.reports.hostile import HOSTILE, hostile
from tests.reports.runs import DOC, RACE, rates, rich

VOID = {"meta", "img", "br", "line", "path", "rect", "link", "input", "hr"}


class Reader(HTMLParser):
    """Every tag with its attributes, the text by tag, and whether all tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.path: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.path.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.path.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self.path), data))

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(d for path, d in self.texts if "style" not in path))


def bare(markup: str) -> str:
    """The text of a piece of the page, in which tags may be cut."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", markup)))


def assert_inert(text: str) -> None:
    """No script, no handler, nothing that leaves the page, and the policy that would stop it all the same."""
    reader = Reader(text)
    assert reader.path == []
    assert "script" not in {tag for tag, _ in reader.tags}
    assert {tag for tag, _ in reader.tags}.isdisjoint({"iframe", "object", "embed", "link", "base", "form", "video"})
    for tag, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:image/webp;base64,")), (tag, name)
        # Colours are the only styles that a chart sets, and only a clip path may name an address: one in this page.
        assert "style" not in attributes
        assert all(re.fullmatch(r"url\(#c[0-9a-f]+-\d+\)", v) for k, v in attributes.items() if k == "clip-path")
    style = "".join(d for path, d in reader.texts if "style" in path)
    assert "url(" not in style
    assert "@import" not in style
    policies = [a["content"] for tag, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    text.encode("utf-8")


def test_the_rich_page_is_inert(rich_page: str) -> None:
    assert_inert(rich_page)


def test_the_hostile_page_is_inert_and_shows_the_names_as_text(hostile_page: str) -> None:
    assert_inert(hostile_page)
    shown = Reader(hostile_page).text
    for name in ("<script>alert(1)</script>", "![x](https://evil.example/leak.png)", "{{ 7 * 7 }}{% raw %}"):
        assert name in shown
    assert not re.search("[\x00-\x08\x1b\u202e\ud800-\udfff]", hostile_page)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=40), min_size=3, max_size=4, unique=True))
def test_any_names_at_all_are_inert(names: list[str]) -> None:
    assert_inert(page.render(hostile(tuple(names))))


def test_the_title_is_the_verdict(rich_page: str) -> None:
    reader = Reader(rich_page)
    title = "".join(d for path, d in reader.texts if path[-1:] == ("title",) and "svg" not in path)
    assert title == "Fails: 1 of 6 limits not met – mortgage"


def test_the_first_screen_says_what_fails_for_whom_by_how_much_and_what_is_waived(rich_page: str) -> None:
    box = rich_page[rich_page.index('id="verdict"') : rich_page.index('id="findings"')]
    shown = bare(box)
    for words in ("race: black against white", "0.269", "0.198 to 0.340", "1,878", "At most 0.1", "credit policy 4.2"):
        assert words in shown
    assert "waived until 2027-02-28 by Kim Okafor" in shown
    assert "Exit code 1" in shown


def test_findings_stand_worst_first_and_passes_are_folded(rich_page: str) -> None:
    ids = [a["id"] for tag, a in Reader(rich_page).tags if tag == "tr" and "id" in a]
    assert ids[:2] == ["selection_rate/difference@race", "true_positive_rate/difference@race*sex"]
    assert set(ids[-2:]) == {"roc_auc", "selection_rate/ratio@sex"}
    folded = rich_page[rich_page.index('<details class="passes">') :]
    assert 'id="roc_auc"' in folded


def test_every_link_leads_somewhere_and_no_id_is_used_twice(rich_page: str, hostile_page: str) -> None:
    for text in (rich_page, hostile_page):
        tags = Reader(text).tags
        ids = [a["id"] for _, a in tags if "id" in a]
        assert len(ids) == len(set(ids))
        links = {a["href"][1:] for tag, a in tags if tag == "a"}
        assert links <= set(ids)


def test_every_measured_value_has_its_interval_and_n_beside_it(rich_page: str) -> None:
    cells = re.split(r'class="value(?: big)?"', rich_page)[1:]
    assert len(cells) >= 15
    for cell in cells:
        beside = re.sub(r"<[^>]+>|\s|&nbsp;|\u00a0", " ", cell[:500])
        assert re.search(r"n += +[\d,]+", re.sub(r" +", " ", beside)), beside
        assert re.search(r"CI|range|exact", beside), beside


def test_every_omission_is_listed_with_its_remedy(rich_page: str) -> None:
    part = rich_page[rich_page.index('id="not-measured"') : rich_page.index('id="methods"')]
    shown = bare(part)
    for _, omission in rich().omissions():
        assert omission.detail[1:] in shown
        assert omission.remedy[1:] in shown
    for reason in (Reason.ERROR, Reason.INSUFFICIENT_DATA, Reason.MISSING_INPUT):
        assert reason in {o.reason for _, o in rich().omissions()}


def test_provenance_gives_every_hash_the_seed_and_the_command(rich_page: str) -> None:
    run = rich()
    hashes = (run.id, run.model.sha256, run.spec_sha256, *run.packs.values(), *(d.sha256 for d in run.data))
    for fact in (*hashes, str(run.seed), run.machine.command, *run.notices):
        assert fact in rich_page


def test_a_picture_is_never_alone(rich_page: str) -> None:
    reader = Reader(rich_page)
    assert all(a.get("alt") for tag, a in reader.tags if tag == "img")
    svgs = [a for tag, a in reader.tags if tag == "svg"]
    assert svgs
    assert all(a.get("role") == "img" and a.get("aria-labelledby") for a in svgs)
    assert rich_page.count('<details class="numbers">') >= len(svgs)


def test_the_reliance_section_says_what_each_picture_does_not_show(rich_page: str) -> None:
    part = rich_page[rich_page.index('<section id="reliance"') : rich_page.index('<section id="energy"')]
    readings = re.findall(r'<p class="reading">(.*?)</p>', part)
    assert sum("not show" in text for text in readings) >= 3


def test_each_image_map_bears_its_own_trust_and_the_reading_of_all_maps_stands_once() -> None:
    notes = ("Explains the logit. Trust A.", "Explains the logit. Trust C: stability 0.3, A asks at least 0.7 (T5).")
    maps = tuple(replace(image_map(3), name=f"digit_{i}", title=f"Map {i}", note=note) for i, note in enumerate(notes))
    run = rich()
    only = tuple(
        replace(r, outcome=replace(r.outcome, evidence=maps)) if r.check == "attribution.image_maps" else r
        for r in run.records
    )
    text = page.render(replace(run, records=only))
    cards = re.findall(r'<figure id="[^"]*" class="card">(.*?)</figure>', text, re.DOTALL)
    assert [[note for note in notes if note in unescape(card)] for card in cards] == [[notes[0]], [notes[1]]]
    assert text.count("the input on the left") == 1


def test_headings_never_skip_a_level(rich_page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Reader(rich_page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_page_without_images_is_small() -> None:
    run = rich()
    plain = replace(run, records=tuple(r for r in run.records if r.check != "attribution.image_maps"))
    assert len(page.render(plain).encode()) < 400_000


def test_the_page_is_the_same_bytes_in_processes_with_other_hash_seeds(tmp_path: Path) -> None:
    code = (
        "import hashlib; from reports.html import page; from tests.reports.runs import rich;"
        "print(hashlib.sha256(page.render(rich()).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    digests.add(hashlib.sha256(page.render(rich()).encode()).hexdigest() + "\n")
    assert len(digests) == 1


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_run_with_nothing_in_it_still_makes_a_page(verdict: Verdict) -> None:
    empty = rich(findings=(), records=(), data=(), docs={}, notices=(), packs={}, verdict=verdict, exit_code=2)
    text = page.render(empty)
    assert_inert(text)
    assert "no limit of this audit decides" in text


def test_writing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    page.write(rich(findings=(), records=()), target)
    assert target.read_text(encoding="utf-8").endswith("</html>\n")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(StoreError, match=r"missing.*cannot be written"):
        page.write(rich(findings=(), records=()), tmp_path / "missing" / "report.html")


def test_a_docstring_keeps_its_headings_lists_and_paragraphs() -> None:
    parsed = blocks(DOC)
    headings = [b.lines[0] for b in parsed if b.kind == "heading"]
    assert headings == ["Why it matters", "How it is measured", "How to reduce the risk", "Sources"]
    assert [b.lines for b in parsed if b.kind == "list"] == [
        ("n of a rate is its denominator", "a missing value is a group of its own")
    ]


def test_a_heading_in_running_text_is_found_too() -> None:
    parsed = blocks("One line.\n\nWhy it matters: it does.\nAnd more.\n\n*How it is measured*\nBy counting.")
    assert [(b.kind, b.lines[0]) for b in parsed] == [
        ("paragraph", "One line."),
        ("heading", "Why it matters"),
        ("paragraph", "it does. And more."),
        ("heading", "How it is measured"),
        ("paragraph", "By counting."),
    ]


def test_a_name_of_ten_thousand_letters_does_not_swell_the_page(hostile_page: str) -> None:
    assert max(map(len, HOSTILE)) == 10_000
    assert len(hostile_page) < 400_000
    assert "x" * 4_001 not in hostile_page


def test_a_value_and_its_bounds_are_one_cell_in_the_unit_of_their_column() -> None:
    table = Table(
        name="t",
        title="t",
        columns=("rung", "kWh", "lower", "upper", "level", "method"),
        rows=(("counter", 0.0004, 0.0002, 0.0006, 0.9, "RAPL"),),
    )
    view = of_table(table, "t")
    assert view.columns == ("rung", "kWh (range)", "method")
    assert view.rows[0][1].replace("\u00a0", " ") == "0.40 Wh (90 % range 0.20 to 0.60 Wh)"


def test_one_measure_for_many_columns_is_folded_and_a_few_are_not() -> None:
    many = [replace(measurement("auc_of_one", 0.5, 0.1, 50), params={"feature": f"f{i}"}) for i in range(5)]
    record = Record(check="data.x", family="data", on="test", cost="instant", outcome=Outcome(measurements=tuple(many)))
    data = next(s for s in of_families(rich(records=(record,)), Anchors()) if s.id == "data")
    assert (len(data.measured), [len(rows) for _, rows in data.listed]) == (0, [5])
    few = replace(record, outcome=Outcome(measurements=tuple(many[:3])))
    data = next(s for s in of_families(rich(records=(few,)), Anchors()) if s.id == "data")
    assert (len(data.measured), data.listed) == (3, ())


def test_judged_measures_are_drawn_first_and_the_rest_is_still_there() -> None:
    cells = [measurement(f"m{i:02}", 0.5, 0.1, 50, {"race": g}) for i in range(12) for g in ("a", "b")]
    judged = rates("selection_rate", RACE)
    outcome = Outcome(measurements=(*cells, *judged))
    record = Record(check="fairness.x", family="fairness", on="test", cost="instant", outcome=outcome)
    (block,) = of_groups(rich(records=(record,)), Anchors())
    assert block.figures[0].title == "Share selected"
    assert len(block.figures) == MIN_GROUP_CHARTS
    assert len(block.figures) + len(block.tables) == 13


def test_an_open_limit_that_only_warns_is_not_counted_in_the_headline() -> None:
    finding = next(f for f in rich().findings if f.verdict is Verdict.INCONCLUSIVE)
    warns = replace(finding, limit=replace(finding.limit, inconclusive="warn"))
    run = rich(findings=(finding, warns), verdict=Verdict.INCONCLUSIVE, exit_code=3)
    assert selection.headline(run) == "Inconclusive: 1 of 2 limits not decided by this data"


def test_what_the_rows_could_have_shown_stands_beside_every_verdict_in_report_summary_and_log() -> None:
    run = rich()
    seen = [wording.sight(f.smallest_gap, "1", f.limit.compare) for f in run.findings if f.smallest_gap is not None]
    assert len(seen) >= 2
    for words in seen:
        assert wording.sentence(words) in page.render(run)
        assert words in markdown.render(run)
        assert words in junit.render(run)


def test_curves_and_tables_about_all_groups_stand_in_the_report_and_their_rates_are_not_repeated() -> None:
    table = Table(name="lists", title="The lists that are ranked", columns=("what", "number"), rows=(("lists", 12),))
    index = measurement("differential_fairness", 0.4, 0.1, 900, method="x")
    rate = measurement("selection_rate", 0.3, 0.1, 900, method="x")
    run = rich()
    record = Record(check="fairness.x", family="fairness", on="test", cost="instant",
                    outcome=Outcome(measurements=(index, rate), evidence=(table,)))  # fmt: skip
    sections = {s.id: s for s in of_families(replace(run, records=(*run.records, record)), Anchors())}
    assert "The lists that are ranked" in [t.title for t in sections["fairness"].tables]
    assert len(sections["fairness"].measured) == 1


def test_of_very_many_groups_the_worst_the_largest_and_those_a_verdict_names_are_listed_and_the_rest_counted() -> None:
    def group(i: int) -> Measurement:
        return measurement(
            "selection_rate", 0.3 + 0.0001 * i, 0.1, 20 + (1000 if i == 500 else 0), {"site": f"s{i:04}"}
        )

    run = rich(records=(replace(rich().records[0], outcome=Outcome(measurements=tuple(map(group, range(1000))))),))
    judged = next(f for f in run.findings if f.limit.measure == "selection_rate")
    c = next(f.comparison for f in run.findings if f.comparison is not None)
    named = replace(c, groups=({"site": "s0300"}, {"site": "s0301"}))
    finding = replace(judged, limit=replace(judged.limit, by=("site",)), subject=group(302), blocking=(named,))
    (block,) = of_groups(replace(run, findings=(finding,)), Anchors())
    numbers = block.figures[0].numbers
    assert numbers is not None
    shown = {row[0] for row in numbers.rows}
    assert {"s0300", "s0301", "s0302", "s0500", "s0999"} <= shown
    assert len(shown) <= groups.MAX_ROWS + groups.MAX_LARGEST + 3
    assert len(shown) + numbers.left_out == 1000
    assert f"And {numbers.left_out} more groups, in evidence/groups.parquet." in page.render(
        replace(run, findings=(finding,))
    )
