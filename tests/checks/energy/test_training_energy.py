"""Energy of training: measured from the record, with rung and boundary, and carbon only where the grid is known."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audit.checks.energy import training_energy as module
from audit.checks.energy.training_energy import training_energy
from audit.energy.ladder import from_record
from audit.energy.record import TrainingRecord, to_text
from audit.energy.training import Sources, Told, TrainingEvidence, gather
from audit.errors import SpecError, Unavailable
from audit.inputs.training_record import training_record
from audit.results import Measurement, Outcome, Reason, Table
from audit.stats import interval
from tests.energy.trees import HOST, a_record

RECORD = a_record()


def of(record: TrainingRecord) -> TrainingEvidence:
    return gather(Sources(told=Told(region=record.region), record=record))


def named(outcome: Outcome, name: str) -> Measurement:
    return next(item for item in outcome.measurements if item.name == name)


def test_the_energy_is_that_of_the_best_rung_with_its_range_and_says_how_it_is_known() -> None:
    best = from_record(RECORD)[0]
    energy = named(training_energy(of(RECORD), 0.90), "training_energy")
    assert energy.value == pytest.approx(best.value_kwh)
    assert (energy.interval.lower, energy.interval.upper) == pytest.approx((best.lower_kwh, best.upper_kwh))
    assert (energy.interval.kind, energy.unit, energy.n) == ("range", "kWh", 1)
    assert energy.method.startswith("utilisation rung, chip boundary: CPU seconds of the process tree")
    assert energy.interval.method == "utilisation rung, chip boundary"


def test_a_wider_level_is_a_wider_range_of_the_same_value() -> None:
    narrow, wide = (named(training_energy(of(RECORD), level), "training_energy") for level in (0.90, 0.99))
    assert narrow.value == wide.value
    assert wide.interval.lower < narrow.interval.lower < narrow.interval.upper < wide.interval.upper
    assert interval(narrow.basis, 0.99).upper == pytest.approx(wide.interval.upper)


def test_times_are_exact_and_in_hours() -> None:
    outcome = training_energy(of(RECORD), 0.95)
    assert named(outcome, "training_time").value == pytest.approx(1.0)
    assert named(outcome, "training_cpu_time").value == pytest.approx(1.5)
    assert named(outcome, "training_time").interval.kind == "exact"


def test_a_record_of_another_model_gives_a_declared_energy_and_no_times_of_this_one() -> None:
    outcome = training_energy(of(replace(RECORD, model_match="other")), 0.90)
    energy = named(outcome, "training_energy")
    assert energy.method.startswith("declared rung, chip boundary: recorded of another model")
    assert energy.interval.upper >= 8 * energy.value
    withheld = {item.name: item.reason for item in outcome.omissions if "another model" in item.detail}
    assert withheld == dict.fromkeys(("training_cpu_time", "training_time"), Reason.WITHHELD)
    assert not {"training_cpu_time", "training_time"} & {item.name for item in outcome.measurements}


def test_a_report_with_carbon_names_the_source_and_licence_of_its_grid_and_one_without_names_none() -> None:
    assert training_energy(of(RECORD), 0.95).notices == ()
    (notice,) = training_energy(of(replace(RECORD, region="DE")), 0.95).notices
    assert "Ember (2026)" in notice
    assert "CC-BY-4.0" in notice


def test_without_a_region_there_is_no_carbon_but_what_three_grids_would_give() -> None:
    outcome = training_energy(of(RECORD), 0.95)
    assert "training_carbon" not in {item.name for item in outcome.measurements}
    omission = next(item for item in outcome.omissions if item.name == "training_carbon")
    assert omission.reason is Reason.MISSING_INPUT
    assert "[training] region" in omission.remedy
    what_if = next(item for item in outcome.evidence if item.name == "training_carbon_what_if")
    assert isinstance(what_if, Table)
    assert [row[1] for row in what_if.rows] == [20.0, 445.0, 700.0]
    kwh = named(outcome, "training_energy").value
    assert [row[2] for row in what_if.rows] == pytest.approx([kwh * grams / 1000 for grams in (20, 445, 700)])


def test_with_a_region_carbon_is_energy_times_its_grid_and_its_source_is_shown() -> None:
    outcome = training_energy(of(replace(RECORD, region="France")), 0.90)
    (grid,) = [item for item in outcome.evidence if item.name == "training_carbon_grid"]
    assert isinstance(grid, Table)
    assert "Ember (2026)" in str(grid.rows[0][-1])
    energy, carbon = named(outcome, "training_energy"), named(outcome, "training_carbon")
    assert carbon.value == pytest.approx(energy.value * float(grid.rows[0][2] or 0) / 1000)
    assert carbon.interval.upper / carbon.value > energy.interval.upper / energy.value
    assert "utilisation rung" in carbon.method
    assert "France 2025, Ember (2026)" in carbon.method
    assert "training_carbon" not in {item.name for item in outcome.omissions}


def test_every_rung_is_shown_with_boundary_range_assumptions_and_sources() -> None:
    record = a_record(host=HOST)
    rungs = next(item for item in training_energy(of(record), 0.95).evidence if item.name == "training_energy_rungs")
    assert isinstance(rungs, Table)
    assert [row[:2] for row in rungs.rows] == [(item.rung, item.boundary) for item in from_record(record)]
    assert all(cell not in ("", None) for row in rungs.rows for cell in row)
    assert "Ranges that do not meet" not in rungs.note


def test_ranges_that_do_not_meet_are_said() -> None:
    record = replace(a_record(host=HOST), meter_kwh=2.0)
    rungs = next(item for item in training_energy(of(record), 0.95).evidence if item.name == "training_energy_rungs")
    assert "metered and utilisation (system)" in rungs.note


def test_the_disagreement_is_the_factor_by_which_ranges_miss_each_other() -> None:
    healthy, torn = a_record(host=HOST), replace(a_record(host=HOST), meter_kwh=2.0)
    assert named(training_energy(of(healthy), 0.95), "training_energy_disagreement").value == 1.0
    estimates = [item for item in from_record(torn) if item.boundary == "system"]
    factor = max(one.lower_kwh / other.upper_kwh for one in estimates for other in estimates)
    assert factor > 2
    assert named(training_energy(of(torn), 0.95), "training_energy_disagreement").value == pytest.approx(factor)


def test_a_gpu_without_a_figure_is_an_omission_and_not_the_energy_of_the_cpu() -> None:
    host = replace(HOST, unmeasured_gpus=("NVIDIA Z9",))
    outcome = training_energy(of(replace(a_record(host=host), gpus_status="package missing")), 0.95)
    assert {item.name for item in outcome.measurements} == {"training_cpu_time", "training_time"}
    assert {item.name for item in outcome.omissions} == {"training_energy", "training_carbon"}
    assert all("NVIDIA Z9" in item.detail for item in outcome.omissions)


def test_every_measure_is_declared_with_its_unit() -> None:
    outcome = training_energy(of(replace(a_record(host=HOST), region="DE")), 0.95)
    assert {item.name: item.unit for item in outcome.measurements} == {
        name: entry["unit"] for name, entry in module.MEASURES.items()
    }
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    literal = next(n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "MEASURES")
    assert ast.literal_eval(literal) == module.MEASURES


def case(root: Path, **training: str | None) -> Any:
    told = SimpleNamespace(**{"record": "t.json", "region": None, **training})
    return SimpleNamespace(root=root, loaded=SimpleNamespace(sha256="ab" * 32), spec=SimpleNamespace(training=told))


def test_the_record_is_found_beside_the_spec_and_tied_to_the_model(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(to_text(RECORD))
    record = training_record(case(tmp_path, region="DE"))
    assert (record.model_match, record.region) == ("same", "DE")


def test_a_case_without_a_record_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no training record was given") as caught:
        training_record(case(tmp_path, record=None))
    assert caught.value.remedy == 'give [training] record = "training.json", written by audit.track'


def test_an_unknown_region_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r'"Frnce".*"France"'):
        training_record(case(tmp_path, region="Frnce"))
