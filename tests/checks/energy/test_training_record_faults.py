"""Faults of another tracker's file are counted, named, and say what they do to the energy."""

from __future__ import annotations

from dataclasses import replace

from audit.checks.energy.training_energy import training_energy
from audit.checks.energy.training_record_faults import training_record_faults
from audit.energy.training import Sources, gather
from audit.results import Outcome, Reason, Table
from tests.checks.energy.worlds import by_work, logged
from tests.energy.trees import a_record


def table(outcome: Outcome, name: str) -> Table | None:
    return next((item for item in outcome.evidence if isinstance(item, Table) and item.name == name), None)


def test_an_honest_file_has_no_fault_and_its_figures_are_shown_as_stated() -> None:
    found = logged()
    outcome = training_record_faults(found, 0.95)
    assert outcome.measurements[0].value == 0
    assert table(outcome, "training_record_faults") is None
    figures = table(outcome, "training_record_figures")
    assert figures is not None
    assert found.log is not None
    assert figures.rows[0][:2] == ("total", found.log.kwh)


def test_a_fault_is_counted_and_says_what_follows() -> None:
    outcome = training_record_faults(logged("quebec"), 0.95)
    faults = table(outcome, "training_record_faults")
    assert faults is not None
    assert outcome.measurements[0].value == len(faults.rows) >= 1
    row = next(row for row in faults.rows if row[0] == "default_country")
    assert row[2] == "carbon is taken from this audit's own table"


def test_a_file_whose_energy_cannot_be_told_gives_none_and_says_why() -> None:
    outcome = training_energy(logged("total x1000"), 0.95)
    withheld = {item.name: item for item in outcome.omissions if item.reason is Reason.WITHHELD}
    assert set(withheld) == {"training_energy", "training_carbon"}
    assert "times the sum of its parts" in withheld["training_energy"].detail


def test_carbon_is_that_of_the_region_and_never_that_of_the_file() -> None:
    right, wrong = (training_energy(logged(defect, region="DE"), 0.95) for defect in (None, "grams"))
    carbons = [next(m.value for m in o.measurements if m.name == "training_carbon") for o in (right, wrong)]
    assert carbons[0] == carbons[1] > 0


def test_without_a_record_there_is_nothing_to_hold() -> None:
    (omission,) = training_record_faults(by_work(), 0.95).omissions
    assert omission.reason is Reason.NOT_APPLICABLE


def test_a_record_of_our_own_is_held_against_what_its_machine_can_draw() -> None:
    honest = training_record_faults(gather(Sources(record=a_record())), 0.95)
    assert honest.measurements[0].value == 0
    found = gather(Sources(record=replace(a_record(wall_s=16.0, cpu_s=16.0), meter_kwh=5.0)))
    outcome = training_record_faults(found, 0.95)
    assert outcome.measurements[0].value == 1
    faults = table(outcome, "training_record_faults")
    assert faults is not None
    assert "meter_kwh: 1.8e+07 J in 16 s are 1.125e+06 W" in str(faults.rows[0][1])
    assert all(item.rung == "utilisation" for item in found.estimates)
