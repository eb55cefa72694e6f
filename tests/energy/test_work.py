"""Energy from work or hours, and claims held against what is possible."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.energy.claims import Claim, emissions_bound, evidence_bounds, floor, power_bounds, verdict
from audit.energy.devices import Device, device
from audit.energy.estimate import declared, metered
from audit.energy.hardware import accelerators
from audit.energy.intensity import intensity
from audit.energy.ranges import Range
from audit.energy.wall import KNOWN_REST_ERROR, RESTS, SLOPE, at_the_wall, fit_rest, fit_wall, machine_of
from audit.energy.work import Work, from_flops, from_hours, size_class
from audit.errors import DataError


def known(name: str) -> Device:
    found = device(name)
    assert found is not None
    return found


A100 = known("NVIDIA A100-SXM4-80GB")
WORK = Work(flops=1e18, parameters=25_000_000, batch=256, precision="bf16", assumptions=())


def test_flops_over_peak_times_utilisation_times_power() -> None:
    energy = from_flops(WORK, A100)
    seconds = 1e18 / (312e12 * 0.07)
    assert energy.value_kwh == pytest.approx(seconds * 0.65 * 400 / 3.6e6)
    assert (energy.rung, energy.boundary) == ("flops", "system")
    assert energy.range.lower == pytest.approx(0.07 / 0.32)
    assert energy.range.upper == pytest.approx(0.07 / 0.008)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [({}, "usual"), ({"parameters": 999_999}, "small"), ({"batch": 8}, "small"), ({"parameters": 10**9}, "large")],
)
def test_the_range_follows_from_how_well_such_a_training_fills_the_device(changed: dict[str, int], kind: str) -> None:
    work = replace(WORK, **changed)
    assert size_class(work) == kind
    energy = from_flops(work, A100)
    assert energy.upper_kwh / energy.lower_kwh >= 3 / 0.3 - 1e-9  # never narrower


def test_without_a_precision_fp32_is_taken_and_said() -> None:
    energy = from_flops(replace(WORK, precision=None), A100)
    assert energy.value_kwh == pytest.approx(from_flops(WORK, A100).value_kwh * 312 / 19.5)
    assert any("fp32, taken for granted" in words for words in energy.assumptions)


def test_hours_of_known_hardware_are_an_estimate_and_of_unknown_hardware_none() -> None:
    energy = from_hours(10, "NVIDIA A100-SXM4-80GB", 8)
    assert energy is not None
    assert energy.value_kwh == pytest.approx(10 * 8 * 0.4 * 0.65)
    assert energy.rung == "duration_x_rating"
    cpu = from_hours(10, "AMD EPYC 7763 64-Core Processor", 2)
    assert cpu is not None
    assert cpu.value_kwh == pytest.approx(10 * 2 * 0.28)
    assert from_hours(10, "NVIDIA A100", 8) is None


@pytest.mark.parametrize("name", accelerators())
def test_peak_rates_of_the_table_are_plausible(name: str) -> None:
    part = known(name)
    assert 1e12 < part.fp32 <= part.most(None) < 3e15
    assert all(rate == 0 or rate >= part.fp32 for rate in (part.tf32, part.half))
    assert 1e9 < part.most(None) / part.power_w < 4e12  # operations a joule
    assert part.peak("bf16") >= part.peak("fp32") == part.fp32


def test_peak_rates_are_those_of_the_data_sheets() -> None:
    rates = {name: accelerators()[name].half / 1e12 for name in ("Tesla T4", "NVIDIA H100 80GB HBM3")}
    assert rates == {"Tesla T4": 65, "NVIDIA H100 80GB HBM3": 989}


def test_the_floor_is_the_work_at_peak_rate_and_rated_power() -> None:
    bound = floor(WORK, A100)
    assert bound.lower == pytest.approx(1e18 / 312e12 * 400 / 3.6e6)
    assert math.isinf(bound.upper)
    careful = floor(replace(WORK, precision=None), A100)
    assert careful.lower == pytest.approx(0.3 * bound.lower)


def test_the_ceiling_is_all_the_time_at_full_power() -> None:
    system = power_bounds(10, "NVIDIA A100-SXM4-80GB", 8, "system")
    facility = power_bounds(10, "NVIDIA A100-SXM4-80GB", 8, "facility")
    assert system is not None
    assert facility is not None
    assert system.upper == pytest.approx(10 * (8 * 400 * 1.2 + 300) / 1000)
    assert facility.upper == pytest.approx(2 * system.upper)
    assert system.lower == pytest.approx(10 * 8 * 400 * 0.05 / 1000)
    assert power_bounds(10, "no such part", 8, "system") is None


@given(st.floats(1e-3, 1e6), st.floats(5.0, 1e3), st.booleans())
def test_a_claim_five_times_outside_its_bounds_is_implausible(hours: float, factor: float, low: bool) -> None:
    bound = power_bounds(hours, "Tesla T4", 1, "system")
    assert bound is not None
    kwh = bound.lower / factor if low else bound.upper * factor
    assert verdict(Claim(kwh=kwh, boundary="system"), (bound,)) == "implausible"
    assert bound.miss(kwh) == pytest.approx(factor)


def test_a_claim_within_its_bounds_is_consistent_and_without_bounds_unverifiable() -> None:
    bound = power_bounds(10, "Tesla T4", 1, "system")
    assert bound is not None
    claim = Claim(kwh=0.5, boundary="system")
    assert verdict(claim, (bound, floor(replace(WORK, flops=1e15), A100))) == "consistent"
    assert verdict(claim, ()) == "unverifiable"


def test_stated_emissions_must_fit_the_stated_grid() -> None:
    france = intensity("FR")
    bound = emissions_bound(Claim(kwh=100, boundary="system", kgco2e=100 * france.g_per_kwh / 1000), france)
    assert bound is not None
    assert bound.lower < 100 < bound.upper
    wrong = emissions_bound(Claim(kwh=100, boundary="system", kgco2e=100.0), france)
    assert wrong is not None
    assert wrong.miss(100) > 5


def test_other_evidence_bounds_a_claim_at_its_own_boundary_alone() -> None:
    claim = Claim(kwh=1.0, boundary="system")
    wall = metered(2.0, source="meter")
    chip = metered(2.0, source="meter", boundary="chip")
    said = declared(9.0, lower_kwh=1, upper_kwh=20, boundary="system", source="card")
    (bound,) = evidence_bounds(claim, (wall, chip, said))
    assert bound.upper == pytest.approx(2.0 * (wall.upper_kwh / 2.0) ** 2)


def test_a_host_whose_rest_power_is_known_has_a_narrow_wall() -> None:
    chip = metered(1.0, source="counter", error=0.01, boundary="chip")
    wide, known = at_the_wall(chip, 36000), at_the_wall(chip, 36000, rest_w=50.0)
    assert known.value_kwh == pytest.approx(SLOPE + 0.5)
    assert known.range.upper == pytest.approx(KNOWN_REST_ERROR.upper, rel=0.02)
    assert known.upper_kwh / known.lower_kwh < wide.upper_kwh / wide.lower_kwh
    assert "as measured on it" in known.assumptions[-1]


@pytest.mark.parametrize(
    ("cpu", "battery", "sockets", "machine"),
    [
        ("13th Gen Intel(R) Core(TM) i9-13900K", False, 1, "desktop"),
        ("AMD Ryzen 9 5950X 16-Core Processor", False, 1, "desktop"),
        ("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", False, 1, "other"),  # a laptop's part, in who knows what
        ("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", True, 1, "laptop"),
        ("AMD Ryzen Threadripper 3970X 32-Core Processor", False, 1, "other"),
        ("AMD EPYC 7763 64-Core Processor", False, 2, "other"),
        ("Intel(R) Core(TM) i9-9900K CPU @ 3.60GHz", False, 2, "other"),
        ("", False, 1, "other"),
    ],
)
def test_only_what_surely_is_a_desktop_has_the_range_of_one(
    cpu: str, battery: bool, sockets: int, machine: str
) -> None:
    assert machine_of(cpu, battery=battery, sockets=sockets) == machine


def test_the_range_of_a_desktop_lies_within_that_of_any_machine() -> None:
    desktop, other = RESTS["desktop"], RESTS["other"]
    assert desktop.watts * desktop.range.lower > other.watts * other.range.lower
    assert desktop.watts * desktop.range.upper < other.watts * other.range.upper
    chip = metered(1.0, source="counter", error=0.01, boundary="chip")
    narrow, wide = (at_the_wall(chip, 36000, rest=rest) for rest in (desktop, other))
    assert narrow.upper_kwh / narrow.lower_kwh < wide.upper_kwh / wide.lower_kwh
    assert "rest of the machine 50 W (23 to 83 W)" in narrow.assumptions[-1]


def test_the_fitted_rest_of_a_kind_of_machine_holds_nine_new_runs_of_ten() -> None:
    rng, shares = np.random.default_rng(3), []
    for _ in range(60):
        watts = 50 * np.exp(0.4 * rng.standard_normal(80))
        seconds, chip = rng.uniform(60, 600, 80), rng.uniform(1e4, 1e5, 80)
        wall = SLOPE * chip + watts * seconds
        found = fit_rest(chip[:40].tolist(), wall[:40].tolist(), seconds[:40].tolist())
        lower, upper = found.watts * found.range.lower, found.watts * found.range.upper
        shares.append(np.mean((watts[40:] >= lower) & (watts[40:] <= upper)))
    assert 0.87 <= np.mean(shares) <= 0.97


def runs(rng: np.random.Generator, count: int, rest_w: float, noise: float) -> tuple[np.ndarray, ...]:
    seconds = rng.uniform(60, 600, count)
    chip = rng.uniform(40, 350, count) * seconds
    wall = (SLOPE * chip + rest_w * seconds) * np.exp(noise * rng.standard_normal(count))
    return chip, wall, seconds


def test_the_fitted_wall_recovers_its_rest_power_and_holds_nine_new_runs_of_ten() -> None:
    rng, shares = np.random.default_rng(1), []
    for _ in range(60):
        wall = fit_wall(*(part.tolist() for part in runs(rng, 60, 55.0, 0.05)))
        assert wall.rest_w == pytest.approx(55.0, rel=0.25)
        chip, measured, seconds = runs(rng, 200, 55.0, 0.05)
        ratio = measured / (SLOPE * chip + wall.rest_w * seconds)
        shares.append(np.mean((ratio >= wall.error.lower) & (ratio <= wall.error.upper)))
    assert 0.87 <= np.mean(shares) <= 0.95


def test_too_few_runs_or_a_wall_below_the_chips_are_refused() -> None:
    with pytest.raises(DataError, match="at least 20 runs"):
        fit_wall([1.0] * 5, [2.0] * 5, [1.0] * 5)
    with pytest.raises(DataError, match="less than"):
        fit_rest([10.0] * 30, [5.0] * 30, [1.0] * 30)
    with pytest.raises(DataError, match="at least 20 runs"):
        fit_rest([1.0] * 5, [2.0] * 5, [1.0] * 5)
    with pytest.raises(DataError, match="less than"):
        fit_wall([10.0] * 30, [5.0] * 30, [1.0] * 30)
    assert isinstance(fit_wall([10.0] * 30, [50.0] * 30, [1.0] * 30).error, Range)
