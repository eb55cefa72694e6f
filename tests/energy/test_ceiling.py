"""A figure that no such machine can have drawn is never evidence, and an honest one is never refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.energy.ceiling import held
from audit.energy.ladder import from_record
from audit.energy.record import Counter, Gpu, TrainingRecord
from tests.energy.trees import HOST, a_record

BOARD = "NVIDIA GeForce RTX 4090"


def on_metal(seconds: float, joules: float) -> TrainingRecord:
    record = a_record(host=HOST, wall_s=seconds, cpu_s=seconds)
    return replace(record, counters=(Counter(name="package-0", joules=joules),), counters_status="read")


def a_gpu(*, counter_j: float | None = None, polled_j: float | None = None, covered_s: float = 100.0) -> Gpu:
    return Gpu(name=BOARD, covered_s=covered_s, samples=100, counter_j=counter_j, polled_j=polled_j, utilisation=0.5,
               limit_w=450.0)  # fmt: skip


def test_counters_of_540_megawatts_are_left_out_and_the_load_tells_the_energy() -> None:
    record = on_metal(16.0, 9e9)
    estimates = from_record(record)
    assert "counter" not in {item.rung for item in estimates}
    assert estimates[0].upper_kwh < 0.02
    assert any("the figure is not used" in words for words in estimates[0].assumptions)
    (fault,) = held(record)[1]
    assert "9e+09 J in 16 s are 5.625e+08 W" in fault.words


@pytest.mark.parametrize("seconds", [16.0, 3600.0])
def test_a_meter_of_a_megawatt_is_left_out_and_one_of_a_kilowatt_is_used(seconds: float) -> None:
    right, wrong = (replace(on_metal(seconds, 1.0), meter_kwh=kw * seconds / 3600) for kw in (1.0, 1125.0))
    assert from_record(right)[0].rung == "metered"
    assert "metered" not in {item.rung for item in from_record(wrong)}


@pytest.mark.parametrize("kind", ["counter_j", "polled_j"])
def test_a_board_cannot_draw_more_than_its_rating_allows(kind: str) -> None:
    rung = {"counter_j": "counter", "polled_j": "sampled"}[kind]
    for watts, used in ((450.0, True), (4500.0, False)):
        joules = watts * 100.0
        gpu = a_gpu(counter_j=joules) if kind == "counter_j" else a_gpu(polled_j=joules)
        record = replace(on_metal(100.0, 5e3), gpus=(gpu,))
        assert (rung in {item.rung for item in from_record(record)}) is used


def test_a_moment_of_sampled_power_cannot_be_stretched_into_a_megawatt() -> None:
    gpu = a_gpu(polled_j=400.0, covered_s=0.001)
    record = replace(on_metal(100.0, 5e3), gpus=(gpu,))
    assert len(held(record)[1]) == 1
    assert "sampled" not in {item.rung for item in from_record(record)}


@settings(max_examples=60, deadline=None)
@given(watts=st.floats(0.01, 1e9), seconds=st.floats(1.0, 1e6))
def test_whatever_is_measured_the_used_energy_fits_the_machine(watts: float, seconds: float) -> None:
    record = replace(on_metal(seconds, watts * seconds), meter_kwh=watts * seconds / 3.6e6)
    best = from_record(record)[0]
    assert best.value_kwh * 3.6e6 / (seconds + 1) < 4000
    assert best.rung == "metered" or watts > 280


@settings(max_examples=60, deadline=None)
@given(watts=st.floats(0.01, 1e9), gpu_w=st.floats(0.01, 1e9))
def test_a_record_that_was_held_has_no_fault_left(watts: float, gpu_w: float) -> None:
    gpu = a_gpu(counter_j=gpu_w * 100, polled_j=gpu_w * 100)
    once, faults = held(replace(on_metal(100.0, watts * 100), gpus=(gpu,), meter_kwh=watts))
    assert held(once) == (once, ())
    assert len(once.notes) == len(faults)
