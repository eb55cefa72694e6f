"""The blocks are filled from the estimates alone, and what is not known is not given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.checks.energy.disclosure import disclosure
from audit.energy.boamps import boamps
from audit.energy.disclosure import NOT_APPLICABLE, NOT_GIVEN, annex_iv, annex_xi, ranged, sci
from audit.energy.estimate import metered
from audit.energy.intensity import intensity
from audit.energy.training import Sources, Told, TrainingEvidence, gather
from audit.results import Outcome, Table
from tests.checks.energy.worlds import by_work, logged
from tests.energy.trees import HOST, a_record


def values(outcome: Outcome, block: str) -> dict[str, str]:
    table = next(item for item in outcome.evidence if item.name == f"disclosure_{block}")
    assert isinstance(table, Table)
    return {str(row[0]): str(row[1]) for row in table.rows}


def test_annex_xi_has_compute_time_resources_and_energy_with_its_rung() -> None:
    block = values(disclosure(by_work(), 0.95), "annex_xi")
    assert block["training compute, floating-point operations"] == "1e+18 FLOP"
    assert block["training time"] == "2 h"
    assert block["computational resources"] == "1 x NVIDIA A100-SXM4-80GB"
    assert block["known or estimated energy consumption"].startswith("520 Wh (90% range 260 to 1.56e+03)")


def test_an_energy_from_resources_says_that_the_annex_allows_it() -> None:
    entries = {entry.item: entry for entry in annex_xi(by_work())}
    assert "as point 2 (e) allows" in entries["basis of the energy"].value
    assert entries["known or estimated energy consumption"].basis.startswith("estimated: duration_x_rating rung")


def test_the_sci_score_is_energy_times_intensity_plus_embodied_over_one_training() -> None:
    found = by_work(region="DE", embodied_kg=0.25)
    score = {entry.item: entry.value for entry in sci(found)}["SCI = (E x I + M) per R"]
    expected = found.estimates[0].value_kwh * intensity("DE").g_per_kwh / 1000 + 0.25
    assert float(score.split(" ", 1)[0]) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(("changed", "missing"), [({"region": "DE"}, "M"), ({"embodied_kg": 1.0}, "E x I")])
def test_without_a_part_there_is_no_score_and_the_part_is_named(changed: dict[str, object], missing: str) -> None:
    score = sci(by_work(**changed))[-1]
    assert (score.value, score.basis) == (NOT_GIVEN, f"{missing} not given")


def test_nothing_is_filled_in_by_a_default() -> None:
    empty = gather(Sources(told=Told(hardware="no such part", hours=None)))
    outcome = disclosure(empty, 0.95)
    given = [value for block in ("annex_xi", "annex_iv", "sci") for value in values(outcome, block).values()]
    assert outcome.measurements[0].value == sum(value == NOT_GIVEN for value in given) >= 8


def recorded() -> TrainingEvidence:
    return gather(Sources(told=Told(region="DE"), record=a_record(host=HOST)))


def test_annex_iv_has_the_machine_and_the_cpu_time_of_a_record() -> None:
    block = values(disclosure(recorded(), 0.95), "annex_iv")
    assert block["CPU time of training"] == "1.5 h"
    assert "128 x AMD EPYC 7763" in block["computational resources"]


def test_a_file_of_another_tracker_fills_the_same_blocks() -> None:
    block = values(disclosure(logged(region="DE"), 0.95), "annex_xi")
    assert NOT_GIVEN not in (block["training time"], block["known or estimated energy consumption"])


def test_all_blocks_hold_one_and_the_same_energy() -> None:
    outcome = disclosure(by_work(region="DE"), 0.95)
    energies = {
        values(outcome, "annex_xi")["known or estimated energy consumption"],
        values(outcome, "annex_iv")["known or estimated energy consumption"],
        values(outcome, "sci")["E, energy"],
    }
    assert len(energies) == 1


@pytest.mark.parametrize(("kwh", "words"), [(1234.0, "1.23 MWh"), (12.3, "12.3 kWh"), (0.0012, "1.2 Wh")])
def test_an_energy_reads_in_a_unit_of_its_size(kwh: float, words: str) -> None:
    assert ranged(metered(kwh, source="meter")).startswith(f"{words} (90% range ")


def test_all_that_a_record_of_another_model_tells_carries_the_warning() -> None:
    other = gather(Sources(record=replace(a_record(host=HOST), model_match="other")))
    lines = {entry.item: entry.basis for entry in (*annex_iv(other), *boamps(other))}
    named = ("CPU time of training", "computational resources", "training time", "measures.measurementDuration",
             "infrastructure.components[0].componentName")  # fmt: skip
    for item in named:
        assert "of another model: its file's hash differs" in lines[item], item
    own = [*annex_iv(recorded()), *boamps(recorded())]
    assert not any("another model" in entry.basis for entry in own)


def test_operations_that_cannot_be_counted_are_no_gap_of_a_model_that_is_no_network() -> None:
    no_network, answers = (gather(Sources(told=Told(region="DE"), record=a_record(host=HOST), kind=kind))
                           for kind in ("sklearn", ""))  # fmt: skip
    for found, value in ((no_network, NOT_APPLICABLE), (answers, NOT_GIVEN)):
        (compute,) = [entry for entry in annex_xi(found) if entry.item.startswith("training compute")]
        assert compute.value == value
    gaps = [disclosure(found, 0.95).measurements[0].value for found in (no_network, answers)]
    assert gaps[1] - gaps[0] == 2  # the line stands in two blocks


@pytest.mark.parametrize(("kind", "recorded", "remedy"), [
    ("", True, "nothing to do"), ("sklearn", True, "nothing to do"), ("sklearn", False, "--cost retrain"),
    ("", False, "written by audit.track"), ("onnx", False, "written by audit.track"),
])  # fmt: skip
def test_no_epochs_are_asked_for_where_no_network_could_be_counted(kind: str, recorded: bool, remedy: str) -> None:
    found = gather(Sources(record=a_record(host=HOST) if recorded else None, kind=kind))
    (gap,) = [item for item in found.gaps if item.rung == "flops"]
    assert remedy in gap.remedy
    assert "epochs" not in gap.remedy
