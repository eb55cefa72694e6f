"""Differences of two runs: value, interval and reading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audit.policy import Verdict
from audit.record import AuditRun
from audit.results import Basis, Measurement, Outcome, RankedItem, Ranking
from audit.stats import difference, interval, measured, rate
from dashboard import comparing
from tests.dashboard.conftest import Page, written
from tests.dashboard.test_pages import texts
from tests.reports.evidence import attributions
from tests.reports.runs import record, rich


def share(name: str, k: int, n: int, level: float = 0.95) -> Measurement:
    return measured(name=name, basis=rate(k, n), level=level, n=n, unit="1")


def run_of(*measurements: Measurement, **changes: object) -> AuditRun:
    records = (record("performance.classification", Outcome(measurements=measurements)),)
    return rich(records=records, **changes)


def test_a_difference_has_the_interval_of_its_two_bases() -> None:
    old, new = share("accuracy", 800, 1000), share("accuracy", 860, 1000)
    (change,) = comparing.changes(run_of(old), run_of(new), 0.95)
    expected = interval(difference(new.basis, old.basis), 0.95)
    assert change.value == pytest.approx(0.06)
    assert change.interval is not None
    assert (change.interval.lower, change.interval.upper) == pytest.approx((expected.lower, expected.upper))


@pytest.mark.parametrize(
    ("measure", "k", "reading"),
    [
        ("accuracy", 900, "better"),
        ("accuracy", 700, "worse"),
        ("accuracy", 801, "no change shown"),
        ("selection_rate", 900, "higher"),
        ("selection_rate", 700, "lower"),
    ],
)
def test_a_change_is_read_by_what_is_better(measure: str, k: int, reading: str) -> None:
    (change,) = comparing.changes(run_of(share(measure, 800, 1000)), run_of(share(measure, k, 1000)), 0.95)
    assert change.reading == reading


def test_swapping_the_runs_turns_every_interval_round() -> None:
    one = run_of(share("accuracy", 800, 1000), share("selection_rate", 10, 900))
    two = run_of(share("accuracy", 860, 1000), share("selection_rate", 40, 900))
    forth = {c.measure: c.interval for c in comparing.changes(one, two, 0.95)}
    back = {c.measure: c.interval for c in comparing.changes(two, one, 0.95)}
    for name, there in forth.items():
        here = back[name]
        assert there is not None
        assert here is not None
        assert (there.lower, there.upper) == pytest.approx((-here.upper, -here.lower))


def test_a_basis_that_this_version_does_not_know_gives_no_interval_and_no_reading() -> None:
    odd = replace(share("accuracy", 800, 1000), basis=Basis(method="from_the_future", numbers={"k": 1.0}))
    (change,) = comparing.changes(run_of(odd), run_of(odd), 0.95)
    assert change.interval is None
    assert change.reading == "unknown"
    assert not change.shown


def test_what_only_one_run_measured_is_not_compared() -> None:
    assert comparing.changes(run_of(share("accuracy", 1, 2)), run_of(share("roc_auc", 1, 2)), 0.95) == ()


def test_a_run_against_itself_shows_no_change_and_no_turned_finding() -> None:
    run = run_of(share("accuracy", 800, 1000), share("selection_rate", 10, 900))
    assert not any(change.shown for change in comparing.changes(run, run, 0.95))
    assert comparing.turned(run, run) == ()


def test_a_finding_that_turned_and_one_that_went_are_both_told() -> None:
    before = rich()
    worse = replace(before.findings[0], verdict=Verdict.FAIL)
    after = replace(before, findings=(worse, *before.findings[2:]))
    found = {t.id: t for t in comparing.turned(before, after)}
    assert set(found) == {before.findings[0].id, before.findings[1].id}
    turned, gone = found[before.findings[0].id], found[before.findings[1].id]
    assert (turned.before and turned.before.key, turned.after and turned.after.key) == ("pass", "fail")
    assert gone.after is None


def test_a_strong_pull_down_ranks_before_a_weak_push_up_as_it_does_in_the_chart() -> None:
    items = tuple(RankedItem(label=n, value=v, lower=v - 0.1, upper=v + 0.1) for n, v in (("up", 0.2), ("down", -0.9)))
    ranking = Ranking(
        name="r", title="r", unit="1", level=0.95, method="m", n=9, items=items, what="unit", quantity="part"
    )
    run = rich(records=(record("attribution.x", Outcome(evidence=(ranking,))),))
    (drift,) = comparing.drifts(run, run)
    assert drift.what == "unit"
    assert {label: rank for label, rank, *_ in drift.rows} == {"down": "1", "up": "2"}


def test_drift_counts_what_the_first_ranks_share() -> None:
    ranking = attributions()[0]
    assert isinstance(ranking, Ranking)
    upside_down = replace(
        ranking,
        items=tuple(replace(i, label=o.label) for i, o in zip(ranking.items, reversed(ranking.items), strict=True)),
    )
    sides = [rich(records=(record("attribution.x", Outcome(evidence=(item,))),)) for item in (ranking, upside_down)]
    (drift,) = comparing.drifts(sides[0], sides[1], top=3)
    assert drift.common == 0
    assert {row[0]: (row[1], row[3]) for row in drift.rows}["credit history"] == ("1", "7")


def test_the_page_compares_the_newer_with_the_older_run(page: Page, tmp_path: Path) -> None:
    written(run_of(share("accuracy", 800, 1000)), tmp_path, "2026-11-20T10:00:00Z")
    written(run_of(share("accuracy", 900, 1000)), tmp_path, "2026-11-22T10:00:00Z")
    test = page(tmp_path, "compare")
    assert not test.exception
    said = texts(test)
    assert "0.800, n = 1,000" in said or "0.800" in said
    assert "better" in said
    assert "every finding has the verdict that it had" in said
