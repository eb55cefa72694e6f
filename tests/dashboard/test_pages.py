"""Each page on stored runs, as Streamlit runs it, without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from audit import store
from audit.policy import Verdict
from audit.results import Outcome, Table
from dashboard import app
from tests.dashboard.conftest import Page, written
from tests.reports.evidence import measurement
from tests.reports.runs import rates, record, rich
from tests.reports.test_paired import ACCURACY, NOTE, change

PAGES = tuple(app.PAGES)


def texts(test: AppTest) -> str:
    """All that a page writes, but for charts, with what makes it inert taken away."""
    return (
        "\n".join([*_markdown(test), *(element.value for element in (*test.text, *test.code))])
        .replace("\\", "")
        .replace("\u2060", "")
    )


def charts(test: AppTest) -> list[list[dict[str, Any]]]:
    """The rows that each chart draws."""
    return [
        [row for named in chart.proto.datasets for row in pa.ipc.open_stream(named.data.data).read_all().to_pylist()]
        for chart in test.get("vega_lite_chart")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_draws_a_rich_run_without_an_error(page: Page, one_run: Path, name: str) -> None:
    test = page(one_run, name)
    assert not test.exception
    assert len(test.title) == 1


@pytest.mark.parametrize("name", PAGES)
def test_every_chart_and_table_of_a_page_has_a_text_alternative(page: Page, one_run: Path, name: str) -> None:
    test = page(one_run, name)
    for kind in ("vega_lite_chart", "table"):
        for element in test.get(kind):
            assert element.proto.alt.strip()


@pytest.mark.parametrize("name", PAGES)
def test_hostile_names_stay_text_on_every_page(page: Page, hostile_runs: Path, name: str) -> None:
    test = page(hostile_runs, name)
    assert not test.exception
    for markdown in _markdown(test):
        assert "![x](" not in markdown
        assert "https://" not in markdown
        assert "www.evil" not in markdown


def _markdown(test: AppTest) -> Iterator[str]:
    for kind in (test.markdown, test.caption, test.title, test.header, test.subheader):
        yield from (element.value for element in kind)
    for alerts in (test.error, test.warning, test.success, test.info):
        yield from (element.value for element in alerts)
    for table in test.table:
        yield from (str(cell) for row in table.value.to_numpy() for cell in row)
        yield from map(str, table.value.columns)


def test_the_overview_says_the_verdict_the_worst_finding_and_what_crashed(page: Page, one_run: Path) -> None:
    test = page(one_run, "overview")
    assert len(test.error) == 1
    assert not test.success
    said = texts(test)
    assert "Exit code 1: 1 limit is not met." in said
    assert "drift.population: ZeroDivisionError" in said
    assert "0.269" in said
    assert len(test.get("download_button")) == 1


def test_a_run_that_passes_is_green_and_still_names_the_check_that_crashed(page: Page, tmp_path: Path) -> None:
    run = rich()
    passing = tuple(f for f in run.findings if f.verdict is Verdict.PASS)
    written(replace(run, findings=passing, verdict=Verdict.PASS, exit_code=0, exit_reason="2 pass"), tmp_path)
    test = page(tmp_path, "overview")
    assert len(test.success) == 1
    assert len(test.warning) == 1
    assert "drift.population" in texts(test)


def test_a_damaged_run_is_listed_with_its_fault_beside_the_good_one(page: Page, one_run: Path, tmp_path: Path) -> None:
    shutil.copytree(one_run, tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "result.json").write_text('{"id": ')
    test = page(tmp_path, "overview")
    assert not test.exception
    assert "Cannot be read" in [header.value for header in test.header]
    assert "cannot be read: Expecting value" in texts(test)
    assert "mortgage" in texts(test)


def test_a_run_that_lists_but_does_not_read_is_a_fault_and_not_a_crash(
    page: Page, one_run: Path, tmp_path: Path
) -> None:
    shutil.copytree(one_run, tmp_path / "runs")
    result = next((tmp_path / "runs").glob("*/result.json"))
    result.write_text(result.read_text().replace('"purpose"', '"purposes"', 1))
    test = page(tmp_path / "runs", "overview")
    assert not test.exception
    assert test.title[0].value == "This run cannot be read"


def test_only_damaged_runs_is_a_page_that_says_so(page: Page, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "result.json").write_text("[]")
    test = page(tmp_path, "groups")
    assert test.title[0].value == "No run to show"
    assert "does not hold a run" in texts(test)


def test_findings_are_filtered_by_the_url(page: Page, one_run: Path) -> None:
    every = page(one_run, "findings")
    fails = page(one_run, "findings", show="Fails")
    assert len(every.table[0].value) == len(rich().findings)
    assert len(fails.table[0].value) == 1
    assert "Fails" in str(fails.table[0].value.to_numpy()[0][0])


def test_a_link_to_one_finding_opens_it(page: Page, one_run: Path) -> None:
    wanted = "selection_rate/ratio@sex"
    test = page(one_run, "findings", finding=wanted)
    assert test.selectbox(key="finding").value == wanted
    assert "the four-fifths rule" in texts(test)


def test_the_comparisons_of_a_finding_are_drawn_against_its_limit(page: Page, one_run: Path) -> None:
    test = page(one_run, "findings", finding="selection_rate/difference@race")
    drawn = charts(test)[0]
    assert {row["value"] for row in drawn if str(row.get("label")).startswith("black vs white")} == {0.269}
    assert [row["at"] for row in drawn if row.get("words") == "limit"] == [0.10]


def test_the_chart_of_groups_holds_the_measured_numbers(page: Page, one_run: Path) -> None:
    test = page(one_run, "groups", by="race", measure="Share selected")
    found = {row["label"]: row["value"] for row in charts(test)[0] if row.get("label")}
    assert found == {"white (n = 1,681)": 0.893, "hispanic (n = 108)": 0.751, "black (n = 197)": 0.624}


def test_every_group_is_listed_though_the_result_keeps_the_extreme_ones(page: Page, tmp_path: Path) -> None:
    groups = rates("selection_rate", [({"branch": f"b{i}"}, 0.3 + i / 10_000, 900) for i in range(2_100)])
    overall = measurement("selection_rate", 0.4, 0.01, 1_890_000)
    outcome = Outcome(measurements=(overall, *groups))
    folder = written(rich(records=(record("fairness.group_rates", outcome),), findings=()), tmp_path)
    kept = [m for _, m in store.read(folder).measurements() if m.slice]
    assert len(kept) < 2_100
    test = page(tmp_path, "groups", groups_rows="2071 to 2100")
    assert test.selectbox(key="groups_rows").label == "Rows, of 2,100"
    assert len(test.table[0].value) == 30


def test_intersections_are_shown_only_when_asked_for(page: Page, one_run: Path) -> None:
    single, crossed = page(one_run, "groups"), page(one_run, "groups", crossed="true")
    assert "race × sex" not in single.selectbox(key="by").options
    assert crossed.selectbox(key="by").options == ["race × sex"]


def test_after_a_control_has_changed_the_page_shows_what_its_link_shows(page: Page, one_run: Path) -> None:
    clicked = page(one_run, "groups").toggle(key="crossed").set_value(True).run()
    linked = page(one_run, "groups", crossed="true")
    assert not clicked.exception
    assert clicked.selectbox(key="measure").value == linked.selectbox(key="measure").value
    assert charts(clicked) == charts(linked)


def test_a_choice_is_kept_while_it_can_be(page: Page, one_run: Path) -> None:
    test = page(one_run, "groups", measure="Share selected", by="sex")
    test.selectbox(key="by").set_value("race").run()
    assert test.selectbox(key="measure").value == "Share selected"


def test_attributions_show_ranking_waterfall_and_maps(page: Page, one_run: Path) -> None:
    test = page(one_run, "attributions")
    assert len(charts(test)) == 2
    assert len(test.get("image")) == 3
    assert "does not show" in texts(test)


def test_energy_names_what_would_give_the_carbon(page: Page, one_run: Path) -> None:
    said = texts(page(one_run, "energy"))
    assert "no region is given" in said
    assert "90\u00a0% range" in said


def test_energy_stands_against_other_runs_of_the_name_and_no_others(page: Page, tmp_path: Path) -> None:
    written(rich(), tmp_path, "2026-11-20T10:00:00Z")
    written(rich(), tmp_path, "2026-11-22T10:00:00Z")
    written(rich(name="another"), tmp_path, "2026-11-21T10:00:00Z")
    test = page(tmp_path, "energy")
    assert not test.exception
    labels = [row["label"] for row in charts(test)[-1] if "label" in row]
    assert labels == ["22 Nov 2026, 10:00 UTC (this run)", "20 Nov 2026, 10:00 UTC"]


def test_one_run_alone_cannot_be_compared(page: Page, one_run: Path) -> None:
    assert "one run only" in texts(page(one_run, "compare"))


def test_a_comparison_with_the_baseline_is_drawn_though_there_is_one_run_only(page: Page, tmp_path: Path) -> None:
    measured = [change(10, 40, 600), change(2, 30, 200, {"race": "black"})]
    counts = Table(name="baseline", title="The baseline", columns=("what", "is"), rows=(("baseline", "old.skops"),))
    found = record("baseline.decisions", Outcome(measurements=tuple(measured), evidence=(counts,)))
    run = rich()
    written(replace(run, records=(*run.records, found), measures={**run.measures, ACCURACY: NOTE}), tmp_path)
    test = page(tmp_path, "compare")
    assert not test.exception
    assert "Against the model now in use, on the same rows" in texts(test)
    labels = {row["label"] for row in charts(test)[0] if "label" in row}
    assert labels == {"accuracy", "accuracy, race = black"}


def test_provenance_shows_hashes_omissions_and_that_nothing_was_changed(page: Page, one_run: Path) -> None:
    said = texts(page(one_run, "provenance"))
    assert "ab" * 32 in said
    assert "as it was written" in said
    assert "collect 4 more rows" in said.lower()


def test_a_result_that_was_edited_is_said_to_be(page: Page, one_run: Path, tmp_path: Path) -> None:
    shutil.copytree(one_run, tmp_path / "runs")
    result = next((tmp_path / "runs").glob("*/result.json"))
    result.write_text(result.read_text().replace("Decide on home-loan applications", "Decide on nothing at all", 1))
    test = page(tmp_path / "runs", "provenance")
    assert "was edited" in texts(test)
