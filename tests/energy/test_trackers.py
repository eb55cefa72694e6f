"""Files of other trackers: what is read, and what is refused with the reason."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.energy.trackers.forensics import examine
from audit.energy.trackers.grading import from_log
from audit.energy.trackers.reading import is_ours, read_log
from audit.errors import DataError
from tests.energy.corpus import Row, as_csv, honest

# As codecarbon 3.3.2 wrote it on a virtual machine of two processors without counters.
REAL = (
    "timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,"
    "cpu_energy,gpu_energy,ram_energy,energy_consumed,water_consumed,country_name,country_iso_code,region,"
    "cloud_provider,cloud_region,os,python_version,codecarbon_version,cpu_count,cpu_model,gpu_count,gpu_model,"
    "longitude,latitude,ram_total_size,tracking_mode,cpu_utilization_percent,gpu_utilization_percent,"
    "ram_utilization_percent,ram_used_gb,on_cloud,pue,wue\n"
    "2026-11-22T20:21:16,codecarbon,d70e32fe,5b0fa12a,6.015736381999886,1.7722022636279143e-05,2.9459440226314553e-06,"
    "6.95567842937669,0.0,20.0,1.3305487512871064e-05,0.0,3.321511266111277e-05,4.652060017398384e-05,0.0,Germany,DEU,"
    ",,,Linux-6.18,3.11.7,3.3.2,2,AMD EPYC,0,,,,23.540576934814453,machine,40.0,0,4.26,1.008214569091797,N,1.0,0.0\n"
)
CARBONTRACKER = """2026-10-01 12:00:00 - carbontracker version 2.4.7
2026-10-01 12:00:00 - Only predicted and actual consumptions are multiplied by a PUE coefficient of 1.58.
2026-10-01 12:00:00 - The following components were found: GPU with device(s) Tesla T4. CPU with device(s) AMD EPYC.
2026-10-01 12:00:00 - Monitoring thread started.
2026-10-01 12:10:00 - Epoch 1:
2026-10-01 12:10:00 - Duration: 0:10:00.00
2026-10-01 12:10:00 - Average power usage (W) for gpu: [61.25]
2026-10-01 12:10:00 - Average power usage (W) for cpu: 60.0
2026-10-01 12:20:00 - Epoch 2:
2026-10-01 12:20:00 - Duration: 0:10:00.00
2026-10-01 12:20:00 - Average power usage (W) for gpu: [58.75]
2026-10-01 12:20:00 - Average power usage (W) for cpu: 60.0
2026-10-01 12:20:01 - Carbon intensities (gCO2eq/kWh) fetched every 900 s at detected location: Berlin, DE: [344.0]
2026-10-01 12:20:01 - Average carbon intensity during training was 344.00 gCO2eq/kWh.
2026-10-01 12:20:01 - Monitoring thread ended.
"""
ZEUS = "start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy\n1000.0,whole,100.0,20000.0,15000.0\n"


def a_row(**changed: object) -> Row:
    return honest(np.random.default_rng(3)) | changed


def test_a_real_file_of_a_machine_without_counters_is_graded_and_its_faults_named() -> None:
    log = read_log(REAL, "emissions.csv")
    flags = {flag.name for flag in examine(log)}
    assert flags == {"ram_dominated", "short_run"}
    chip = from_log(log, examine(log))[0]
    assert (chip.rung, chip.boundary) == ("utilisation", "chip")
    assert chip.upper_kwh / chip.lower_kwh > 3


@pytest.mark.parametrize("version", ["2.1.4", "2.8.4", "3.0.0", "3.3.2"])
def test_versions_2_and_3_are_read(version: str) -> None:
    row = a_row(codecarbon_version=version)
    log = read_log(as_csv(row), "emissions.csv")
    assert (log.tool, log.version, log.kwh) == ("codecarbon", version, pytest.approx(row["energy_consumed"]))


@pytest.mark.parametrize("version", ["1.2.0", "4.0.0", "", "x"])
def test_another_version_is_refused_by_name(version: str) -> None:
    with pytest.raises(DataError, match="reads versions 2 and 3"):
        read_log(as_csv(a_row(codecarbon_version=version)), "emissions.csv")


def test_a_file_of_version_1_lacks_the_parts_and_is_refused() -> None:
    with pytest.raises(DataError, match="lacks cpu_energy"):
        read_log("timestamp,duration,emissions,energy_consumed\n2020,1,1,1\n", "emissions.csv")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("cpu_energy", -0.5, "cpu_energy must be 0 or more"),
        ("energy_consumed", "nan", "must be finite"),
        ("duration", 0, "the clock jumped"),
        ("duration", -5, "the clock jumped"),
        ("gpu_energy", "n/a", "must be a number"),
        ("cpu_power", -3, "cpu_power must be 0 or more"),
    ],
)
def test_impossible_amounts_are_refused_with_their_name(key: str, value: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_log(as_csv(a_row(**{key: value})), "emissions.csv")


def test_a_truncated_row_is_refused() -> None:
    with pytest.raises(DataError, match=r"line 2 does not have the .* columns"):
        read_log(as_csv(a_row()).rstrip()[: -len("1.0,") * 3], "emissions.csv")


def test_a_header_alone_is_no_run() -> None:
    with pytest.raises(DataError, match="holds no run"):
        read_log(as_csv(a_row()).splitlines()[0] + "\n", "emissions.csv")


def test_totals_that_fall_within_one_run_are_refused() -> None:
    first = a_row(run_id="same")
    second = first | {"duration": float(str(first["duration"])) + 10, "cpu_energy": 0.0}
    with pytest.raises(DataError, match=r"cpu_energy falls .* a total cannot"):
        read_log(as_csv(first, second), "emissions.csv")


def test_of_several_runs_the_last_is_taken_and_that_is_said() -> None:
    rows = [a_row(run_id=f"run-{i}", duration=1000.0 + i) for i in range(3)]
    log = read_log(as_csv(*rows), "emissions.csv")
    assert log.seconds == 1002.0
    assert any("2 other runs" in note for note in log.notes)


def test_the_pue_of_the_file_is_taken_out() -> None:
    row = a_row(pue=1.5)
    log = read_log(as_csv(row), "emissions.csv")
    assert log.kwh == pytest.approx(float(str(row["energy_consumed"])) / 1.5)


def test_carbontracker_is_the_sum_of_its_epochs_without_pue() -> None:
    log = read_log(CARBONTRACKER, "log")
    assert (log.tool, log.version, log.seconds, log.gpus, log.gpu) == ("carbontracker", "2.4.7", 1200.0, 1, "Tesla T4")
    assert log.gpu_kwh == pytest.approx(60 * 1200 / 3.6e6)
    assert log.kwh == pytest.approx(120 * 1200 / 3.6e6)
    assert {flag.name for flag in examine(log)} == {"constant_tdp"}


@pytest.mark.parametrize("grams", ["294.21", "445.00", "475.00"])
def test_carbontrackers_default_intensity_is_said(grams: str) -> None:
    log = read_log(CARBONTRACKER.replace("344.00", grams), "log")
    assert "default_country" in {flag.name for flag in examine(log)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Epoch 1:", "Epoch 7:", "epoch 1 is missing"),
        ("Duration: 0:10:00.00", "Duration: -0:10:00.00", "clock jumped"),
        ("for cpu: 60.0", "for cpu: -60.0", "0 or more"),
        ("Duration", "Length", "no finished epoch"),
    ],
)
def test_a_damaged_carbontracker_log_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_log(CARBONTRACKER.replace(old, new), "log")


def test_epochs_too_short_for_a_reading_are_said() -> None:
    log = read_log(CARBONTRACKER.replace("for cpu: 60.0", "for cpu: None"), "log")
    assert any("too short for a reading" in note for note in log.notes)
    assert "cpu_missing" in {flag.name for flag in examine(log)}


def test_zeus_is_gpu_counters_and_says_that_the_cpu_is_missing() -> None:
    log = read_log(ZEUS, "zeus.csv")
    assert (log.tool, log.seconds, log.gpus) == ("zeus", 100.0, 2)
    assert log.kwh == pytest.approx(35000 / 3.6e6)
    flags = examine(log)
    assert {flag.name for flag in flags} == {"cpu_missing"}
    chip = from_log(log, flags)[0]
    assert (chip.rung, chip.upper_kwh >= 1.45 * chip.value_kwh) == ("counter", True)


def test_zeus_windows_within_one_another_are_counted_once() -> None:
    inner = ZEUS + "1010.0,step,10.0,2000.0,1500.0\n1030.0,step,10.0,2000.0,1500.0\n"
    assert read_log(inner, "zeus.csv").kwh == pytest.approx(35000 / 3.6e6)


def test_zeus_windows_that_only_overlap_are_withheld() -> None:
    torn = read_log(ZEUS + "1050.0,other,100.0,20000.0,15000.0\n", "zeus.csv")
    assert "double_counting" in {flag.name for flag in examine(torn)}
    assert from_log(torn, examine(torn)) == ()


def test_zeus_windows_one_after_another_add_up() -> None:
    log = read_log(ZEUS + "1100.0,more,100.0,20000.0,15000.0\n", "zeus.csv")
    assert (log.seconds, log.kwh) == (200.0, pytest.approx(70000 / 3.6e6))


def test_a_zeus_measurement_as_json_holds_cpu_and_memory() -> None:
    parts = {"gpu_energy": {"0": 20000.0}, "cpu_energy": {"0": 9000.0}, "dram_energy": {"0": 1000.0}}
    log = read_log(json.dumps({"time": 100.0, **parts}), "zeus.json")
    assert (log.cpu_kwh, log.ram_kwh) == (pytest.approx(9000 / 3.6e6), pytest.approx(1000 / 3.6e6))
    assert log.kwh == pytest.approx(30000 / 3.6e6)
    assert from_log(log, examine(log))[0].rung == "counter"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ZEUS.replace("20000.0", "-1.0"), "gpu0_energy must be 0 or more"),
        (ZEUS.replace(",15000.0\n", "\n"), "truncated"),
        (ZEUS.replace("100.0", "-1.0"), "clock jumped"),
        ("start_time,window_name,elapsed_time,gpu0_energy\n", "holds no window"),
        ('{"time": 1, "gpu_energy": {"0": 1', "truncated"),
        ("hello", "no record of a training that Assay reads"),
        ("", "no record of a training that Assay reads"),
    ],
)
def test_a_damaged_or_unknown_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_log(text, "a file")


def test_joules_in_millijoules_are_no_energy() -> None:
    log = read_log(ZEUS.replace("20000.0", "20000000.0").replace("15000.0", "15000000.0"), "zeus.csv")
    assert "unit" in {flag.name for flag in examine(log)}


def test_our_own_records_are_told_from_others() -> None:
    assert is_ours('{"format": "assay-training-record"}')
    assert is_ours('{"half": ')
    assert not is_ours(json.dumps({"time": 1, "gpu_energy": {}}))
    assert not is_ours(REAL)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300) | st.sampled_from([REAL, CARBONTRACKER, ZEUS]), st.integers(0, 600), st.text(max_size=4))
def test_whatever_is_in_a_file_it_is_read_or_refused_and_never_crashes(text: str, cut: int, more: str) -> None:
    try:
        log = read_log(text[:cut] + more + text[cut + 1 :], "a file")
    except DataError:
        return
    assert all(item.lower_kwh <= item.value_kwh <= item.upper_kwh for item in from_log(log, examine(log)))
