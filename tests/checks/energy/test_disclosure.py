"""The blocks are filled from the estimates alone, and what is not known is not given."""

from __future__ import annotations

import pytest

from audit.checks.energy.disclosure import disclosure
from audit.energy.disclosure import NOT_GIVEN, annex_xi, ranged, sci
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
