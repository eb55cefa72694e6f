"""Every energy has a rung, a boundary and a range, and each rung is the formula it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.energy.estimate import (
    BOUNDARIES,
    RUNGS,
    EnergyEstimate,
    at_the_facility,
    carbon,
    declared,
    disagreements,
    metered,
)
from audit.energy.intensity import intensity
from audit.energy.ladder import from_record
from audit.energy.ranges import Range, Term, combined, total
from audit.energy.record import Counter, Gpu, TrainingRecord
from audit.energy.wall import at_the_wall
from audit.errors import CheckError, DataError
from tests.energy.trees import HOST, VM, a_record

KWH = 3.6e6
GPU = Gpu(
    name="NVIDIA GeForce RTX 4090",
    covered_s=3600.0,
    samples=3600,
    counter_j=1.0e6,
    polled_j=1.1e6,
    utilisation=0.8,
    limit_w=450.0,
)


def on_metal(**changes: object) -> TrainingRecord:
    """One hour on a bare 128-thread server of known make, a quarter loaded, with counters."""
    record = a_record(host=HOST, cpu_s=128 * 3600 * 0.25)
    read = replace(record, counters=(Counter(name="package-0", joules=0.5e6),), counters_status="read")
    return replace(read, **changes)  # type: ignore[arg-type]


def rungs(record: TrainingRecord) -> list[tuple[str, str]]:
    return [(estimate.rung, estimate.boundary) for estimate in from_record(record)]


def of(record: TrainingRecord, rung: str, boundary: str) -> EnergyEstimate:
    return next(item for item in from_record(record) if (item.rung, item.boundary) == (rung, boundary))


def test_a_virtual_machine_of_unknown_make_supports_utilisation_alone() -> None:
    (estimate,) = from_record(a_record())
    assert (estimate.rung, estimate.boundary, estimate.level) == ("utilisation", "chip", 0.90)
    assert estimate.lower_kwh == pytest.approx(0.3 * estimate.value_kwh)
    assert estimate.upper_kwh == pytest.approx(3.5 * estimate.value_kwh)
    busy_two_vcpus_w = 2 * 18**0.5
    assert 0.75 * busy_two_vcpus_w < estimate.value_kwh * 1000 < busy_two_vcpus_w
    assert 'CPU "AMD EPYC" is not in the table' in estimate.assumptions[0]


def test_a_known_part_in_a_guest_stands_for_its_share_of_the_threads() -> None:
    guest = a_record(host=replace(VM, cpu="AMD EPYC 7763 64-Core Processor"))
    estimate = of(guest, "utilisation", "chip")
    assert estimate.value_kwh == pytest.approx(280 * 2 / 128 * (0.1 + 0.9 * 0.75) / 1000)
    assert of(guest, "duration_x_rating", "system").value_kwh == pytest.approx(280 * 2 / 128 / 1000)


def test_bare_metal_is_affine_in_the_load_over_all_sockets() -> None:
    two = on_metal(host=replace(HOST, sockets=2))
    assert of(two, "utilisation", "chip").value_kwh == pytest.approx(2 * 280 * (0.1 + 0.9 * 0.25) / 1000)


def test_counters_come_first_and_the_other_rungs_stand_beside_them() -> None:
    assert rungs(on_metal()) == [
        ("counter", "chip"),
        ("counter", "system"),
        ("utilisation", "chip"),
        ("utilisation", "system"),
        ("duration_x_rating", "system"),
    ]
    chip = from_record(on_metal())[0]
    assert chip.value_kwh == pytest.approx(0.5e6 / KWH)
    assert (chip.lower_kwh, chip.upper_kwh) == pytest.approx((0.45e6 / KWH, 0.55e6 / KWH))


def test_counters_in_trouble_are_not_used() -> None:
    for changes in ({"counters_status": "may have wrapped"}, {"counters": (Counter(name="package-0", joules=0.0),)}):
        assert rungs(on_metal(**changes))[0] == ("utilisation", "chip")


def test_the_wall_is_the_fitted_line_and_its_range_that_of_a_plain_simulation() -> None:
    chip = from_record(on_metal())[0]
    wall = at_the_wall(chip, 3600.0)
    assert wall.value_kwh == pytest.approx(1.17 * chip.value_kwh + 43 * 3600 / KWH)
    generator = np.random.default_rng(1)
    z = generator.standard_normal((3, 200_000))
    energy = np.exp(np.where(z[0] < 0, -np.log(0.9), np.log(1.1)) * z[0] / 1.645) * chip.value_kwh
    rest = np.exp(np.where(z[1] < 0, np.log(4.3), np.log(159 / 43)) * z[1] / 1.645) * 43 * 3600 / KWH
    expected = np.quantile((1.17 + 0.06 * z[2]) * energy + rest, [0.05, 0.95])
    assert (wall.lower_kwh, wall.upper_kwh) == pytest.approx(tuple(expected), rel=0.03)


def test_a_laptop_has_less_around_its_chips_than_a_desktop() -> None:
    laptop = on_metal(host=replace(HOST, battery=True))
    assert of(laptop, "counter", "system").value_kwh < of(on_metal(), "counter", "system").value_kwh


def test_a_sum_has_the_rung_of_its_weakest_part_and_the_value_of_its_best_ones() -> None:
    mixed = replace(a_record(), gpus=(GPU,), gpus_status="read")
    best = from_record(mixed)[0]
    cpu = from_record(a_record())[0]
    assert (best.rung, best.boundary) == ("utilisation", "chip")
    assert best.value_kwh == pytest.approx(cpu.value_kwh + 1.0e6 / KWH)
    assert best.upper_kwh < 1.2 * best.value_kwh  # the GPU's counter carries the sum


def test_sampled_power_follows_the_counter_and_its_range_widens_when_samples_are_few() -> None:
    polled = on_metal(gpus=(replace(GPU, counter_j=None),))
    assert rungs(polled)[0] == ("sampled", "chip")
    few = on_metal(gpus=(replace(GPU, counter_j=None, samples=20),))
    sparse = on_metal(gpus=(replace(GPU, counter_j=None, name="NVIDIA H100 PCIe"),))
    widths = [item.range.upper / item.range.lower for item in (from_record(r)[0] for r in (polled, sparse, few))]
    assert widths == sorted(widths)
    assert widths[0] < widths[1]


def test_a_moment_before_the_first_reading_of_a_gpu_is_filled_with_its_mean_power() -> None:
    late = on_metal(gpus=(replace(GPU, covered_s=1800.0),))
    assert from_record(late)[0].value_kwh == pytest.approx((0.5e6 + 2.0e6) / KWH)


def test_a_gpu_that_was_not_measured_never_yields_the_energy_of_the_cpu_alone() -> None:
    known = on_metal(host=replace(HOST, unmeasured_gpus=("NVIDIA L4",)), gpus_status="package missing")
    assert rungs(known) == [("duration_x_rating", "system")]
    assert from_record(known)[0].value_kwh == pytest.approx((280 + 0.65 * 72) / 1000)
    unknown = on_metal(host=replace(HOST, unmeasured_gpus=("NVIDIA Z9",)))
    assert from_record(unknown) == ()


def test_a_meter_stands_above_all() -> None:
    best = from_record(on_metal(meter_kwh=0.4))[0]
    assert (best.rung, best.boundary) == ("metered", "system")
    assert (best.lower_kwh, best.value_kwh, best.upper_kwh) == pytest.approx((0.388, 0.4, 0.412))


def test_a_record_of_another_model_is_graded_down_to_declared() -> None:
    other = from_record(replace(a_record(), model_match="other"))
    assert {estimate.rung for estimate in other} == {"declared"}
    assert "another model" in other[0].assumptions[0]
    metered = from_record(on_metal(meter_kwh=0.4, model_match="other"))[0]
    assert metered.method.startswith("recorded of another model: meter")
    assert (metered.lower_kwh, metered.upper_kwh) == pytest.approx((0.4 / 8, 0.4 * 8))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "failed: MemoryError"}, "did not finish (failed: MemoryError)"),
        ({"steal_s": 720.0}, "10% of the processors' time went to neighbours"),
        ({"model_match": "unknown"}, "taken on trust"),
        ({"notes": ("a note of the tracker",)}, "a note of the tracker"),
    ],
)
def test_what_the_reader_must_know_is_among_the_assumptions(changes: dict[str, object], words: str) -> None:
    changed = from_record(replace(a_record(), **changes))[0]  # type: ignore[arg-type]
    assert any(words in assumption for assumption in changed.assumptions)
    assert not any(words in assumption for assumption in from_record(a_record())[0].assumptions)


def test_ranges_that_do_not_meet_are_a_disagreement_only_at_one_boundary() -> None:
    low = metered(1.0, source="meter")
    high = declared(3.0, lower_kwh=2.5, upper_kwh=3.5, boundary="system", source="model card")
    assert disagreements([low, high]) == ((low, high),)
    assert disagreements([low, replace(high, boundary="facility")]) == ()
    assert disagreements([low, replace(high, lower_kwh=1.0)]) == ()


def test_pue_is_for_the_facility_alone() -> None:
    system = metered(1.0, source="meter")
    assert at_the_facility(system, pue=1.2).value_kwh == pytest.approx(1.2)
    unknown = at_the_facility(system)
    assert (unknown.boundary, unknown.value_kwh) == ("facility", pytest.approx(1.54))
    assert unknown.lower_kwh < 1.1 < unknown.upper_kwh
    with pytest.raises(CheckError, match="system boundary, got facility"):
        at_the_facility(unknown)
    with pytest.raises(DataError, match="PUE must be 1 or more"):
        at_the_facility(system, pue=0.9)


def test_carbon_is_energy_times_intensity_and_never_narrower_than_either() -> None:
    energy, grid = metered(2.0, source="meter"), intensity("DE")
    emitted = carbon(energy, grid)
    assert emitted.value_kg == pytest.approx(2.0 * grid.g_per_kwh / 1000)
    assert emitted.upper_kg / emitted.value_kg > 1.25
    assert emitted.lower_kg / emitted.value_kg < 0.8


@pytest.mark.parametrize(
    "fault",
    [
        {"rung": "guess"},
        {"boundary": "room"},
        {"lower_kwh": 2.0},
        {"upper_kwh": 0.5},
        {"lower_kwh": 0.0},
        {"value_kwh": float("nan")},
        {"method": ""},
        {"sources": ()},
        {"level": 1.0},
    ],
)
def test_no_figure_without_rung_boundary_range_method_and_source(fault: dict[str, object]) -> None:
    sound = metered(1.0, source="meter")
    with pytest.raises(CheckError):
        replace(sound, **fault)  # type: ignore[arg-type]


def test_symmetric_ranges_combine_as_standard_deviations_of_logarithms() -> None:
    one, other = Range(lower=1 / 1.5, upper=1.5), Range(lower=0.5, upper=2.0)
    sigma = np.hypot(np.log(1.5), np.log(2.0))
    assert combined([one, other]).upper == pytest.approx(np.exp(sigma))
    assert combined([one, other]).lower == pytest.approx(np.exp(-sigma))


@given(st.lists(st.tuples(st.floats(1e-6, 1e6), st.floats(0.1, 1.0), st.floats(1.0, 4.0)), min_size=1, max_size=4))
def test_a_sum_lies_inside_its_range_and_inside_the_sum_of_the_ranges(parts: list[tuple[float, float, float]]) -> None:
    terms = [Term(value=value, range=Range(lower=lower, upper=upper)) for value, lower, upper in parts]
    value, lower, upper = total(terms, np.random.default_rng(0))
    assert lower <= value <= upper
    widest = sum(item * above for item, _, above in parts)
    assert upper <= widest * 1.05  # at ranges of this size; sums of far heavier tails could exceed it


@settings(max_examples=60, deadline=None)
@given(
    wall_s=st.floats(0.01, 1e7),
    load=st.floats(0.0, 1.0),
    joules=st.floats(0.0, 1e10),
    gpu=st.sampled_from([None, GPU, replace(GPU, counter_j=None), replace(GPU, name="unknown", limit_w=0.0)]),
    virtualised=st.sampled_from([True, False, None]),
    cpu=st.sampled_from([HOST.cpu, "AMD EPYC", ""]),
    meter=st.sampled_from([None, 1.5]),
)
def test_every_estimate_of_any_record_is_whole_and_the_same_each_time(
    wall_s: float, load: float, joules: float, gpu: Gpu | None, virtualised: bool | None, cpu: str, meter: float | None
) -> None:
    record = replace(
        on_metal(host=replace(HOST, virtualised=virtualised, cpu=cpu), meter_kwh=meter),
        wall_s=wall_s,
        cpu_s=load * wall_s * 128,
        counters=(Counter(name="package-0", joules=joules),),
        gpus=() if gpu is None else (gpu,),
    )
    estimates = from_record(record)
    assert estimates == from_record(record)
    order = [(RUNGS.index(item.rung), BOUNDARIES.index(item.boundary)) for item in estimates]
    assert order == sorted(set(order))
    for estimate in estimates:
        assert 0 < estimate.lower_kwh <= estimate.value_kwh <= estimate.upper_kwh
        assert carbon(estimate, intensity("FR")).lower_kg > 0
