"""The operations of training are those counted, times the rows seen; without them there is a reason."""

from __future__ import annotations

import pytest

from audit.checks.energy.training_compute import training_compute
from audit.checks.energy.training_energy import training_energy
from audit.energy.training import Sources, Told, TrainingEvidence, gather
from audit.energy.work import Work
from audit.errors import Unavailable
from audit.results import Reason, Table
from tests.checks.energy.worlds import WORK, by_work, told


def test_the_measure_is_the_work_and_the_table_shows_operations_a_row() -> None:
    outcome = training_compute(by_work(), 0.95)
    assert outcome.measurements[0].value == WORK.flops
    (table,) = outcome.evidence
    assert isinstance(table, Table)
    assert table.rows[0] == (1e18, 1e6, 1e12, 25_000_000, 150_000_000)
    assert "validation not counted" in table.note


def test_without_a_network_or_rows_there_is_a_remedy() -> None:
    for sources, words in (
        (Sources(told=told(), count_work=lambda rows: WORK), "rows seen"),
        (Sources(told=told(), rows_seen=1e6), "torch networks alone"),
    ):
        (omission,) = training_compute(gather(sources), 0.95).omissions
        assert omission.reason is Reason.MISSING_INPUT
        assert words in omission.detail


def test_a_network_that_cannot_be_counted_says_why() -> None:
    def refuse(rows: float) -> Work:
        raise Unavailable("undefined", "it branches on values", "record the training")

    (omission,) = training_compute(gather(Sources(told=told(), rows_seen=1.0, count_work=refuse)), 0.95).omissions
    assert omission.detail == "it branches on values"


def gap_of(found: TrainingEvidence) -> str:
    return next(gap.why for gap in found.gaps if gap.rung == "flops")


@pytest.mark.parametrize("name", ["A100", "NVIDIA A100", "nvidia a100-sxm4-80gb", "AMD EPYC"])
def test_hardware_that_is_not_exactly_in_the_table_is_unknown_and_no_energy(name: str) -> None:
    found = by_work(hardware=name, hours=None)
    assert found.estimates == ()
    assert "is in no table of peak rates: unknown" in gap_of(found)
    assert training_energy(found, 0.95).measurements == ()


def test_a_tiny_network_has_a_floor_and_no_estimate_by_operations() -> None:
    tiny = Work(flops=1e9, parameters=1000, batch=32, precision="fp32", assumptions=())
    found = gather(Sources(told=Told(hardware="Tesla T4"), rows_seen=1e3, count_work=lambda rows: tiny))
    assert found.estimates == ()
    assert "operations give a floor" in gap_of(found)


def test_operations_and_hours_are_both_shown_and_held_against_each_other() -> None:
    outcome = training_energy(by_work(), 0.95)
    (rungs,) = [item for item in outcome.evidence if item.name == "training_energy_rungs"]
    assert isinstance(rungs, Table)
    assert [row[0] for row in rungs.rows] == ["duration_x_rating", "flops"]
    assert any(item.name == "training_energy_disagreement" for item in outcome.measurements)


def test_for_a_model_that_is_no_network_the_operations_are_not_applicable() -> None:
    (omission,) = training_compute(gather(Sources(told=told(), rows_seen=1e6, kind="sklearn")), 0.95).omissions
    assert omission.reason is Reason.NOT_APPLICABLE
