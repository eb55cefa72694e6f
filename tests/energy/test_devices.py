"""Peak rates of processors: exact names, the product of cores, clock and width, or bounds from the fingerprint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.energy.claims import floor
from audit.energy.devices import PER_CYCLE, Device, device, device_of
from audit.energy.hardware import cpus, table
from audit.energy.host import SIMD_FLAGS, Host, fingerprint
from audit.energy.training import Sources, Told, gather
from audit.energy.work import Work, from_flops
from tests.energy.trees import HOST, VM, a_record, proc_tree

WORK = Work(flops=1e18, parameters=25_000_000, batch=256, precision="fp32", assumptions=())
UNKNOWN = replace(HOST, cpu="Some CPU 9000", vcpus=32, cores=16, max_mhz=4000.0, simd=("sse2", "avx", "fma"))


def of(host: Host) -> Device:
    found = device_of(host)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "fp32", "half"),
    [
        ("Intel(R) Xeon(R) Platinum 8480+", 56 * 3.8e9 * 64, 56 * 3.8e9 * 1024),
        ("AMD EPYC 7763 64-Core Processor", 64 * 3.5e9 * 32, 64 * 3.5e9 * 32),
        ("AMD EPYC 9654 96-Core Processor", 96 * 3.7e9 * 32, 96 * 3.7e9 * 64),
        ("AMD Ryzen 7 1800X Eight-Core Processor", 8 * 4.0e9 * 16, 8 * 4.0e9 * 16),
        ("Intel(R) Xeon(R) Silver 4210 CPU @ 2.20GHz", 10 * 3.2e9 * 32, 10 * 3.2e9 * 32),
        ("13th Gen Intel(R) Core(TM) i9-13900K", (8 * 5.8 * 32 + 16 * 4.3 * 16) * 1e9, None),
    ],
)
def test_the_peak_of_a_processor_is_cores_times_clock_times_operations_a_cycle(
    name: str, fp32: float, half: float | None
) -> None:
    part = device(name)
    assert part is not None
    assert part.peak("fp32") == pytest.approx(fp32)
    assert part.peak("bf16") == pytest.approx(fp32 if half is None else half)
    assert (part.kind, part.used_share, part.rate_range.upper) == ("processor", 1.0, 1.0)


def test_every_rate_belongs_to_a_processor_of_the_table_with_as_many_cores_and_a_source() -> None:
    content = table("cpu_rates")
    assert len(content["rows"]) >= 250
    for name, clusters, source in content["rows"]:
        part = device(name)
        assert part is not None
        assert sum(count for _, count, _ in clusters) == cpus()[name].cores
        assert all(2.6 <= clock <= 6.0 for _, _, clock in clusters)
        assert {source, *(content["cores"][kind][3] for kind, _, _ in clusters)} <= set(content["sources"])
        assert part.source.count("http") >= 1
        assert 5e8 < part.peak("fp32") / part.power_w < 1e11  # operations a joule


def test_the_highest_clock_is_never_below_the_one_in_the_name() -> None:
    for name, clusters, _ in table("cpu_rates")["rows"]:
        base = float(name.split("@ ")[1].removesuffix("GHz")) if "@ " in name else 0.0
        assert max(clock for _, _, clock in clusters) >= base


@given(st.sampled_from(sorted(cpus())), st.text(min_size=1, max_size=3).filter(lambda text: text.strip() != ""))
def test_a_near_name_has_no_rate(name: str, more: str) -> None:
    assert device(f"{name}{more}") is None


def test_an_unknown_part_is_bounded_by_its_cores_clock_and_instruction_set() -> None:
    found = of(UNKNOWN)
    lower, upper = 16 * 4.0e9 * 16, 16 * 4.0e9 * 32
    assert found.fp32 * found.rate_range.lower == pytest.approx(lower)
    assert found.most("fp32") == pytest.approx(upper)
    assert found.power_w * found.power_range.upper == pytest.approx(32 * 9.0)
    assert found.least_w == pytest.approx(32 * 2.0)
    assert "in no table" in found.words


def test_a_guest_of_unknown_part_has_half_as_many_cores_as_processors_or_all() -> None:
    found = of(replace(VM, simd=("sse2", "avx", "fma", "avx512f")))
    assert found.fp32 * found.rate_range.lower == pytest.approx(1 * 2e9 * 32)
    assert found.most("fp32") == pytest.approx(2 * 6e9 * 64)


def test_tiles_and_dot_products_raise_the_rate_at_16_bits() -> None:
    plain, dots, tiles = (
        of(replace(UNKNOWN, simd=("avx512f", *more))) for more in ((), ("avx512_bf16",), ("amx_bf16",))
    )
    assert plain.peak("bf16") == plain.peak("fp32")
    assert dots.peak("bf16") == pytest.approx(2 * dots.peak("fp32"))
    assert tiles.peak("bf16") > 10 * tiles.peak("fp32")


def test_a_host_whose_kernel_tells_no_instruction_set_is_unknown() -> None:
    assert device_of(VM) is None


@pytest.mark.parametrize("flags", ["fpu sse2 avx fma avx512f", "fpu sse2"])
def test_the_fingerprint_reads_instruction_sets_cores_and_clock(tmp_path: Path, flags: str) -> None:
    proc = proc_tree(tmp_path)
    (proc / "cpuinfo").write_text(f"model name : X\ncpu cores : 8\nflags : {flags}\n")
    clock = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq"
    clock.mkdir(parents=True)
    (clock / "cpuinfo_max_freq").write_text("4200000\n")
    host = fingerprint(proc)
    assert (host.cores, host.max_mhz) == (8, 4200.0)
    assert host.simd == tuple(flag for flag in SIMD_FLAGS if flag in flags.split())


def test_the_fingerprint_of_arm_reads_features(tmp_path: Path) -> None:
    proc = proc_tree(tmp_path)
    (proc / "cpuinfo").write_text("processor : 0\nFeatures : fp asimd asimdhp bf16\nCPU part : 0xd0c\n")
    host = fingerprint(proc)
    assert host.simd == ("asimd", "asimdhp", "bf16")
    assert of(host).rate_range.upper > 1


def test_each_instruction_set_that_bounds_a_rate_is_one_that_the_fingerprint_keeps() -> None:
    assert set(PER_CYCLE) <= set(SIMD_FLAGS)


def test_operations_on_a_known_processor_are_an_estimate_with_the_range_of_metered_runs() -> None:
    part = device("AMD EPYC 7763 64-Core Processor")
    assert part is not None
    energy = from_flops(WORK, part)
    assert energy.value_kwh == pytest.approx(1e18 / (64 * 3.5e9 * 32 * 0.2) * 280 / 3.6e6)
    assert energy.range.lower <= 0.3
    assert energy.range.upper >= 3
    assert floor(WORK, part).lower < energy.lower_kwh


def test_the_floor_of_an_unknown_part_lies_below_that_of_every_part_it_could_be() -> None:
    careful = floor(WORK, of(UNKNOWN)).lower
    for name in ("AMD Ryzen 9 5950X 16-Core Processor", "AMD Ryzen 9 3950X 16-Core Processor"):
        part = device(name)
        assert part is not None
        assert careful < floor(WORK, part).lower


def test_the_processor_of_a_record_computes_where_no_accelerator_was_there() -> None:
    record = replace(a_record(), host=replace(HOST, virtualised=True))
    found = gather(Sources(record=record, rows_seen=1e6, count_work=lambda rows: WORK))
    assert [item.rung for item in found.estimates].count("flops") == 1
    listed = replace(record, host=replace(record.host, unmeasured_gpus=("NVIDIA L4",)))
    without = gather(Sources(record=listed, rows_seen=1e6, count_work=lambda rows: WORK))
    assert "flops" not in [item.rung for item in without.estimates]


def test_a_small_network_has_a_floor_and_the_reason_why_it_has_no_estimate() -> None:
    told = Told(hardware="AMD EPYC 7763 64-Core Processor")
    small = replace(WORK, parameters=80_000)
    found = gather(Sources(told=told, rows_seen=1e6, count_work=lambda rows: small))
    (gap,) = [gap for gap in found.gaps if gap.rung == "flops"]
    assert "80,000 parameters: below a million a device mostly waits" in gap.why
    assert f"floor of {1e18 / (64 * 3.5e9 * 32) * 280 / 3.6e6:.3g} kWh" in gap.why


def test_a_board_of_several_gpus_counts_for_each_that_the_driver_lists() -> None:
    k80, a16 = (device(name) for name in ("Tesla K80", "NVIDIA A16"))
    assert k80 is not None
    assert a16 is not None
    assert (2 * k80.power_w, 4 * a16.power_w) == (300, 250)
    assert (k80.fp32, a16.half) == (4.37e12, 17.9e12)


def test_every_accelerator_names_a_document_and_no_document_is_left_over() -> None:
    content = table("accelerators")
    named = {row[2] for row in content["rows"]}
    assert named == set(content["sources"])
    assert all("NVIDIA" in words and len(words) > 20 for words in content["sources"].values())


@pytest.mark.parametrize("row", table("accelerators")["rows"], ids=lambda row: str(row[0]))
def test_the_rates_of_a_part_stand_in_the_ratio_of_its_architecture(row: list[Any]) -> None:
    """Tensor cores of one generation do 1, 2, 4 ... times what the other units do; a slip of a digit shows here."""
    name, _, _, fp32, tf32, half = row
    if any(word in name for word in ("V100", "T4", "RTX 20", "Quadro", "TITAN V", "TITAN RTX")):
        assert half / fp32 == pytest.approx(8, rel=0.1)
    elif "GeForce RTX" in name:
        assert (tf32 / fp32, half / fp32) == pytest.approx((1, 4), rel=0.02)
    elif tf32:
        assert half / tf32 == pytest.approx(2, rel=0.03)
        assert tf32 / fp32 == pytest.approx(round(tf32 / fp32), rel=0.15) or "H100 PCIe" in name
