"""Planted defects are found, honest files are left alone, and what is found changes what the file counts for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from audit.energy.trackers import codecarbon
from audit.energy.trackers.forensics import examine
from audit.energy.trackers.grading import from_log
from audit.energy.trackers.log import TrackerLog
from tests.energy.corpus import DEFECTS, as_csv, honest, load_curve, quebec

EACH = 60
FALSE_ALARMS, RECALL = 0.02, 0.95


def flags_of(text: str) -> set[str]:
    return {flag.name for flag in examine(codecarbon.read(text, "emissions.csv"))}


def test_at_least_95_of_100_planted_defects_are_found() -> None:
    rng, found, missed = np.random.default_rng(20261122), 0, Counter[str]()
    for name, defect in DEFECTS.items():
        for _ in range(EACH):
            row = honest(rng)
            defect.plant(row, rng)
            hit = bool(flags_of(as_csv(row)) & defect.shows)
            found += hit
            missed[name] += not hit
    assert EACH * len(DEFECTS) >= 500
    assert found / (EACH * len(DEFECTS)) >= RECALL, missed
    assert max(missed.values()) <= 0.1 * EACH, missed


def test_at_most_2_of_100_honest_files_are_flagged() -> None:
    rng = np.random.default_rng(7)
    alarms = Counter(name for _ in range(600) for name in flags_of(as_csv(honest(rng))))
    assert sum(alarms.values()) / 600 <= FALSE_ALARMS, alarms


def honest_log(seed: int = 3) -> TrackerLog:
    """A machine of its own with a known CPU and one GPU."""
    rng = np.random.default_rng(seed)
    while True:
        row = honest(rng)
        if row["gpu_count"] == 1 and str(row["cpu_model"]).startswith("Intel(R) Xeon"):
            return codecarbon.read(as_csv(row), "emissions.csv")


def test_an_honest_file_is_sampled_evidence_at_the_chips_and_at_the_wall() -> None:
    log = replace(honest_log(), ram_kwh=0.0)
    log = replace(log, kwh=(log.cpu_kwh or 0) + (log.gpu_kwh or 0))
    estimates = from_log(log, examine(log))
    assert [(item.rung, item.boundary) for item in estimates] == [("sampled", "chip"), ("sampled", "system")]
    assert estimates[0].value_kwh == pytest.approx(log.kwh)
    assert any("taken on trust" in words for words in estimates[0].assumptions)


def test_a_rating_for_a_reading_is_graded_down_to_duration_times_rating() -> None:
    log = honest_log()
    constant = replace(log, cpu_w=125.0, cpu_kwh=125.0 * log.seconds / 3.6e6, gpu_kwh=0.0, gpus=0, ram_kwh=0.0)
    constant = replace(constant, kwh=constant.cpu_kwh or 0.0)
    flags = examine(constant)
    assert {flag.name for flag in flags} >= {"constant_tdp"}
    chip = from_log(constant, flags)[0]
    assert chip.rung == "duration_x_rating"
    assert chip.upper_kwh / chip.lower_kwh == pytest.approx(6.0)


def test_a_load_curve_is_graded_down_to_utilisation() -> None:
    rng = np.random.default_rng(5)
    row = honest(rng) | {"gpu_count": "", "gpu_energy": 0.0, "gpu_power": 0.0}
    load_curve(row, rng)
    log = codecarbon.read(as_csv(row), "emissions.csv")
    assert from_log(log, examine(log))[0].rung == "utilisation"


@pytest.mark.parametrize("name", ["total x1000", "parts x1000", "idle GPU", "wrapped counter"])
def test_no_energy_is_taken_from_a_file_whose_energy_cannot_be_told(name: str) -> None:
    rng = np.random.default_rng(11)
    row = honest(rng)
    DEFECTS[name].plant(row, rng)
    log = codecarbon.read(as_csv(row), "emissions.csv")
    assert from_log(log, examine(log)) == ()


def test_a_counter_that_was_read_twice_counts_as_a_declaration_with_a_wide_range() -> None:
    rng = np.random.default_rng(11)
    row = honest(rng)
    DEFECTS["mirrored dies"].plant(row, rng)
    log = codecarbon.read(as_csv(row), "emissions.csv")
    chip = from_log(log, examine(log))[0]
    assert chip.rung == "declared"
    assert chip.lower_kwh <= chip.value_kwh / 8
    assert any("graded down" in words for words in chip.assumptions)


def test_the_wrong_country_takes_nothing_from_the_energy() -> None:
    rng = np.random.default_rng(13)
    row = honest(rng)
    before = codecarbon.read(as_csv(row), "emissions.csv")
    quebec(row, rng)
    after = codecarbon.read(as_csv(row), "emissions.csv")
    assert [e.value_kwh for e in from_log(before, examine(before))] == [
        e.value_kwh for e in from_log(after, examine(after))
    ]


def test_on_a_cloud_or_for_one_process_there_is_no_figure_at_the_wall() -> None:
    log = honest_log()
    for changed in (replace(log, cloud=True), replace(log, process_only=True)):
        assert {item.boundary for item in from_log(changed, examine(changed))} == {"chip"}
