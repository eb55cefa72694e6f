"""What changes against a baseline, as the report draws it."""

from __future__ import annotations

from dataclasses import replace

from audit.record import AuditRun
from audit.results import Measurement, MeasureNote, Omission, Outcome, Reason
from audit.stats import measured, paired_difference
from reports import paired
from reports.html import page
from tests.reports.runs import record, rich

ACCURACY = "accuracy_change_from_baseline"
NOTE = MeasureNote(unit="1", better="higher", words="change of accuracy from the baseline", check="baseline.decisions")


def change(gained: int, lost: int, n: int, about: dict[str, str] | None = None) -> Measurement:
    basis = paired_difference(n - gained - lost, gained, lost, 0)
    return measured(name=ACCURACY, basis=basis, level=0.95, n=n, unit="1", slice=about or {})


def compared(*changes: Measurement) -> AuditRun:
    run = rich()
    found = record("baseline.decisions", Outcome(measurements=changes))
    return replace(run, records=(*run.records, found), measures={**run.measures, ACCURACY: NOTE})


def test_a_run_without_a_baseline_has_no_section_on_it() -> None:
    missing = Omission(name="", reason=Reason.MISSING_INPUT, detail="no baseline was given", remedy="give one")
    run = rich()
    text = page.render(
        replace(run, records=(*run.records, record("baseline.decisions", Outcome(omissions=(missing,)))))
    )
    assert 'id="baseline"' not in text
    assert "No baseline was given" in text  # among all that was not measured


def test_the_section_draws_every_change_and_says_how_many_are_shown() -> None:
    text = page.render(compared(change(10, 40, 600), change(9, 6, 300, {"sex": "f"})))
    section = text[text.index('id="baseline"') : text.index('id="reliance"')]
    assert "1 of 2 intervals lies wholly on one side of zero" in section
    assert "<svg" in section


def test_groups_that_lose_most_stand_first_after_all_rows() -> None:
    groups = [change(*turned, 300, {"race": name}) for name, turned in (("a", (30, 0)), ("b", (0, 60)))]
    crossed = change(0, 15, 30, {"race": "a", "sex": "f"})
    found = paired.changes(compared(*groups, crossed, change(5, 5, 600)))
    assert [(d.label, d.shown) for d in found] == [
        ("accuracy", False),
        ("accuracy, race = b", True),
        ("accuracy, race = a", True),
    ]
