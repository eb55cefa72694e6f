"""Beside a pass stand the comparisons that had too few rows to take part in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.cli.summary import screen
from audit.policy import Finding, Verdict
from audit.policy.listed import beside, beside_passes
from audit.wording import text
from reports import selection
from reports.html import page
from tests.policy.worlds import a_limit, an_omission, verdict_on
from tests.reports.runs import rich

Cells = dict[str | None, tuple[float, float]]
LARGE: Cells = {"f": (2500, 5000), "m": (2510, 5000)}


def gap(**more: Any) -> Finding:
    limit = a_limit(by=("sex",), compare="difference", max=0.1, underpowered="list")
    return verdict_on(limit, {**LARGE, "x": (18, 40)}, **more)


def value(x: tuple[float, float]) -> Finding:
    overall: Cells = {"": (960, 1035), "f": (465, 500), "m": (465, 500)}
    return verdict_on(a_limit(min=0.85, by=("sex",), underpowered="list"), {**overall, "x": x})


def test_a_pass_lists_the_comparisons_with_too_few_rows_and_the_rows_that_they_need() -> None:
    found = gap()
    assert (found.verdict, found.blocking) == (Verdict.PASS, ())
    assert [{dict(g)["sex"] for g in c.groups} for c in found.listed] == [{"x", "m"}, {"x", "f"}]
    assert all(not c.powered and c.needed_n is not None and c.needed_n > 40 for c in found.listed)
    assert beside(found) == (
        f"too few rows to tell: sex: m against x (5,000 and 40 rows, {found.listed[0].needed_n:,} a group needed); "
        f"sex: f against x (5,000 and 40 rows, {found.listed[1].needed_n:,} a group needed)"
    )


def test_only_a_pass_lists_and_only_what_had_too_few_rows() -> None:
    limit = a_limit(by=("sex",), compare="difference", max=0.1, underpowered="list")
    assert verdict_on(limit, LARGE).listed == ()
    assert beside(verdict_on(limit, LARGE)) == ""
    assert verdict_on(limit, {**LARGE, "x": (2, 40)}).listed == ()  # it fails, and says so in ``blocking``


@pytest.mark.parametrize("rows", [20, 35])
def test_a_small_group_beside_a_passing_value_is_listed_and_so_many_rows_take_part(rows: int) -> None:
    found = value((round(0.86 * rows), rows))
    (listed,) = found.listed
    assert (found.verdict, dict(listed.groups[0])) == (Verdict.PASS, {"sex": "x"})
    assert listed.needed_n is not None
    n = listed.needed_n
    assert n > rows
    assert value((0.93 * n, n)).assessed == 3
    assert n == 30 or value((0.93 * (n - 3), n - 3)).assessed == 2


@given(small=st.integers(1, 4), omitted=st.integers(0, 3))
@example(small=12, omitted=0)
def test_the_line_names_three_at_most_and_counts_the_rest(small: int, omitted: int) -> None:
    cells: Cells = {**LARGE, **{f"x{i}": (20, 40) for i in range(small)}}
    limit = a_limit(by=("sex",), compare="ratio", min=0.7, underpowered="list")
    found = verdict_on(limit, cells, [an_omission(f"o{i}") for i in range(omitted)])
    assert found.verdict is Verdict.PASS
    said, aside = beside(found), small * 2 + small * (small - 1) // 2
    assert said.count(" needed)") == min(3, aside)
    assert said.endswith(f"; and {aside - 3} more") == (aside > 3)


def test_one_line_of_the_screen_and_of_the_reports_verdict_says_who_was_set_aside() -> None:
    found, run = gap(), rich()
    assert beside_passes(run.findings) == ""
    assert "Set aside" not in screen(run, None)
    run = replace(run, findings=(*run.findings, found))
    line = beside_passes(run.findings)
    assert line.startswith(
        "Set aside in 1 limit that passes, with too few rows to tell: accuracy/difference@sex, sex: m"
    )
    assert line.endswith("; and 1 more")
    assert text(line) in " ".join(screen(run, None).split())
    assert f"{text(line)}." in selection.main_limits(run, run.findings)
    html = page.render(run)
    assert "Too few rows to tell: sex: m against x (5,000 and 40 rows" in html
    assert line.partition(":")[0] in html
