"""A declared energy is held against every bound that there is, and is unverifiable without one."""

from __future__ import annotations

import pytest

from audit.checks.energy.declared_energy import declared_energy
from audit.energy.claims import Claim
from audit.energy.training import Sources, Told, TrainingEvidence, gather
from audit.results import Outcome, Reason, Table
from tests.checks.energy.worlds import by_work, claimed


def miss(found: TrainingEvidence) -> float:
    (measurement,) = declared_energy(found, 0.95).measurements
    return measurement.value


def title(outcome: Outcome) -> str:
    (table,) = outcome.evidence
    assert isinstance(table, Table)
    return table.title


def test_a_figure_within_all_bounds_is_consistent_and_misses_by_nothing() -> None:
    found = claimed(0.6)
    assert miss(found) == 1.0
    assert title(declared_energy(found, 0.95)).endswith("0.6 kWh declared, system boundary: consistent")


@pytest.mark.parametrize("factor", [5.0, 20.0])
def test_a_figure_far_above_the_ceiling_is_implausible_by_that_factor(factor: float) -> None:
    ceiling = min(bound.upper for bound in claimed(0.6).bounds)
    assert miss(claimed(ceiling * factor)) == pytest.approx(factor)
    assert title(declared_energy(claimed(ceiling * factor), 0.95)).endswith("implausible")


def test_a_figure_below_the_floor_of_the_work_is_implausible() -> None:
    floor = next(bound.lower for bound in claimed(0.6).bounds if bound.name == "floor of the work")
    assert miss(claimed(floor / 5)) >= 5


def test_emissions_that_do_not_fit_the_energy_are_implausible() -> None:
    fitting = Claim(kwh=0.6, boundary="system", kgco2e=0.6 * 0.33)
    torn = Claim(kwh=0.6, boundary="system", kgco2e=60.0)
    assert miss(by_work(claim=fitting, region="DE")) == 1.0
    assert miss(by_work(claim=torn, region="DE")) > 50


def test_a_figure_that_nothing_bounds_is_unverifiable_and_no_pass() -> None:
    found = gather(Sources(told=Told(claim=Claim(kwh=1.0, boundary="system"))))
    outcome = declared_energy(found, 0.95)
    assert outcome.measurements == ()
    assert outcome.omissions[0].reason is Reason.MISSING_INPUT
    assert "unverifiable" in outcome.omissions[0].detail
    assert title(outcome).endswith("unverifiable")


def test_nothing_declared_is_nothing_to_test() -> None:
    (omission,) = declared_energy(by_work(), 0.95).omissions
    assert (omission.name, omission.reason) == ("declared_energy_miss", Reason.NOT_APPLICABLE)
