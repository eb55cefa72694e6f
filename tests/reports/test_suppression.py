"""One or two people: what is shown says nothing of them and says so; verdicts and result.json rest on every group."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from audit import store, writers
from audit.cli import main
from audit.cli.summary import screen
from audit.errors import CheckError
from audit.policy import Verdict
from audit.record import AuditRun
from audit.results import Measurement, Reason, Table
from audit.suppression import FEWEST_SHOWN, hides, shown, table
from reports import grids
from reports.html import page

SIZES = {"many": 300, "more": 300, "three": 3, "pair": 2, "lone": 1}
SMALL = ("pair", "lone")


SPEC = """schema = 1
name = "small"
use = []

[data.test]
path = "people.csv"
target = "y"
positive = "yes"
prediction = "d"
groups = ["g"]

[[limit]]
measure = "accuracy"
by = ["g"]
compare = "difference"
max = 0.2
why = "wrong decisions should be as rare in every group"

[evidence]
rows = "{rows}"
"""


@lru_cache(maxsize=2)
def run(rows: str) -> AuditRun:
    """Two large groups, one of three people and two of fewer; the lone person is decided wrongly."""
    rng = np.random.default_rng(3)
    group = [name for name, n in SIZES.items() for _ in range(n)]
    label = ["no" if i % 3 == 1 else "yes" for i in range(len(group))]
    decided = [y if rng.random() < 0.9 else "no" for y in label]
    decided[-1] = "no" if label[-1] == "yes" else "yes"
    lines = ["g,y,d", *(",".join(cells) for cells in zip(group, label, decided, strict=True))]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "audit.toml").write_text(SPEC.format(rows=rows), encoding="utf-8")
        main(["run", str(folder / "audit.toml"), "--out", str(folder / "out"), "--quiet"])
        return store.read(store.find_run(folder / "out"))


@pytest.fixture(name="kept")
def _kept() -> AuditRun:
    return run("none")


@pytest.fixture(name="seen")
def _seen() -> AuditRun:
    return shown(run("none"))


def about(found: AuditRun, name: str) -> list[Measurement]:
    return [m for _, m in found.measurements() if m.slice.get("g") == name]


def test_a_number_is_shown_if_it_is_about_three_people_or_more(kept: AuditRun, seen: AuditRun) -> None:
    assert all(about(kept, name) for name in SIZES)
    assert [about(seen, name) for name in SMALL] == [[], []]
    for name in set(SIZES) - set(SMALL):
        assert about(seen, name) == [m for m in about(kept, name) if not 0 < m.n < FEWEST_SHOWN]
    assert [m for _, m in seen.measurements() if not m.slice] == [m for _, m in kept.measurements() if not m.slice]


def test_what_is_not_shown_is_said_to_be_suppressed_and_why(kept: AuditRun, seen: AuditRun) -> None:
    for name in SMALL:
        told = [o for _, o in seen.omissions() if o.slice.get("g") == name]
        assert {o.reason for o in told} == {Reason.SUPPRESSED}
        assert {o.detail for o in told} == {"it is about one or two people"}
        assert {m.name for m in about(kept, name)} <= {o.name for o in told}
    assert "Too few people to show without naming them" in page.render(seen)


def test_the_verdict_rests_on_the_groups_that_are_not_shown(kept: AuditRun, seen: AuditRun) -> None:
    (before,), (after,) = kept.findings, seen.findings
    assert {"pair", "lone", "three"} & {str(g["g"]) for c in before.blocking for g in c.groups}
    assert (after.verdict, seen.exit_code, seen.id) == (before.verdict, kept.exit_code, kept.id)
    assert after.verdict is not Verdict.PASS
    assert {str(g["g"]) for c in after.blocking for g in c.groups}.isdisjoint(SMALL)
    gone = len(before.blocking) - len(after.blocking)
    assert gone > 0
    assert f"{gone} comparisons with one or two people not shown" in after.remedy
    assert after.comparison is None
    assert (
        after.message == "share decided correctly, gap by g: what decided is about one or two people and is not shown"
    )


def test_files_for_readers_hold_what_may_be_shown_and_the_result_holds_all(kept: AuditRun, tmp_path: Path) -> None:
    folder, written = store.write(kept, tmp_path, writers.of_a_run())
    assert store.read(folder).records == written.records
    for name in writers.FILES.values():
        text = (folder / name).read_text(encoding="utf-8")
        assert "pair (n" not in text, name
        assert not re.search(r"lone[^.;<\n]{0,40}0\.\d", text), name
    summary = (folder / "summary.md").read_text(encoding="utf-8") + screen(kept, None)
    assert "lone" not in summary
    assert store.read(folder).findings[0].comparison is not None
    assert store.verify_integrity(folder) == []


def test_an_audit_that_may_show_rows_shows_its_small_groups(kept: AuditRun) -> None:
    open_ = run("all")
    assert (hides(open_), hides(kept)) == (False, True)
    assert shown(open_) is open_


def test_no_chart_of_groups_has_a_dot_or_a_name_with_a_size_for_them(seen: AuditRun) -> None:
    drawn = [m.slice["g"] for grid in grids.grids(seen) for m in grid.cells]
    assert set(drawn) == set(SIZES) - set(SMALL)
    assert "pair (suppressed)" in grids.left_out(seen, ("g",))


@pytest.mark.parametrize(("n", "kept"), [(0, True), (1, False), (2, False), (3, True)])
def test_a_line_of_a_table_is_blank_where_it_counts_one_or_two_people(n: int, kept: bool) -> None:
    rows = (("a", "x", 40, 0.5), ("b", "y", n, 0.25))
    item = Table(name="t", title="t", columns=("group", "status", "rows", "rate"), rows=rows, people=("rows",))
    found = table(item)
    assert found.rows[0] == rows[0]
    assert found.rows[1] == (rows[1] if kept else ("b", None, "suppressed", None))
    assert ("1 line about one or two people suppressed." in found.note) is not kept
    assert table(replace(item, people=())).rows == rows


def test_a_table_counts_people_in_a_column_that_it_has() -> None:
    with pytest.raises(CheckError, match="people must name columns"):
        Table(name="t", title="t", columns=("group", "rows"), rows=(), people=("persons",))


def test_the_status_of_small_groups_is_suppressed_in_the_report(seen: AuditRun) -> None:
    (status,) = [e for r, e in seen.evidence() if r.check == "fairness.group_status" and isinstance(e, Table)]
    lines = {str(row[0]): row[1:] for row in status.rows}
    for name in SMALL:
        assert lines[f"g = {name}"] == (None, "suppressed", *[None] * 4)
    assert lines["g = three"][1] == 3
