"""No energy and no carbon leaves a check without its rung, its boundary and a range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from audit.checks.energy.training_energy import training_energy
from audit.checks.energy.training_replay import training_replay
from audit.energy.estimate import BOUNDARIES
from audit.energy.evidence import RUNGS
from audit.energy.ranges import Range
from audit.energy.replay import Replay, replayed
from audit.energy.training import Sources, Told, gather
from audit.inputs.training_replay import TrainingReplay
from audit.results import Outcome, Table
from tests.checks.energy.worlds import by_work, claimed, logged
from tests.energy.trees import HOST, VM, a_record

PART = Replay(record=a_record(host=HOST), scale=10.0, range=Range(lower=0.75, upper=1.3), method="steps run again")
OUTCOMES: dict[str, Callable[[], Outcome]] = {
    "a record of a virtual machine": lambda: training_energy(
        gather(Sources(told=Told(region="FR"), record=a_record(host=VM))), 0.95
    ),
    "a record with a meter": lambda: training_energy(
        gather(Sources(told=Told(region="FR"), record=replace(a_record(host=HOST), meter_kwh=1.0))), 0.95
    ),
    "work and hours": lambda: training_energy(by_work(), 0.95),
    "a building": lambda: training_energy(by_work(pue=1.3, region="DE"), 0.95),
    "a declaration": lambda: training_energy(claimed(0.6), 0.95),
    "another tracker": lambda: training_energy(logged("load curve", region="DE"), 0.95),
    "a replay": lambda: training_replay(
        TrainingReplay(replay=PART, estimates=replayed(PART), others=by_work().estimates), 0.95
    ),
}


def says_rung_and_boundary(words: str) -> bool:
    return any(f"{rung} rung, {boundary} boundary" in words for rung in RUNGS for boundary in BOUNDARIES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_figure_says_its_rung_its_boundary_and_its_range(name: str) -> None:
    figures = [item for item in OUTCOMES[name]().measurements if item.unit in ("kWh", "kgCO2e")]
    assert figures
    for item in figures:
        assert says_rung_and_boundary(item.method)
        assert says_rung_and_boundary(item.interval.method)
        assert item.interval.kind == "range"
        assert item.interval.lower < item.value < item.interval.upper


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_table_of_energies_has_columns_for_them(name: str) -> None:
    tables = [item for item in OUTCOMES[name]().evidence if isinstance(item, Table) and "kWh" in item.columns]
    assert tables
    for table in tables:
        assert {"rung", "boundary", "lower", "upper", "level", "sources"} <= set(table.columns)
        assert all(None not in row for row in table.rows)
