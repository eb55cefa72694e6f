"""AMD and Intel GPUs, and Linux inside Windows, from trees of sysfs and proc that no machine here has."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.energy.drm import Drm, open_drm
from audit.energy.host import nvidia_devices
from audit.energy.ladder import from_record
from audit.energy.record import TrainingRecord
from audit.energy.tracker import WSL_NOTE, Sources, track
from audit.inputs.training_record import read_record
from tests.energy.trees import drm_card, proc_tree, until

RADEON = {"product_name": "AMD Radeon PRO W7900", "gpu_busy_percent": "80"}


def opened(root: Path, environment: dict[str, str] | None = None) -> Drm:
    return open_drm(root / "sys/class/drm", now_s=0.0, environment=environment or {})


def recorded(root: Path) -> TrainingRecord:
    path = root / "training.json"
    sources = Sources(proc=proc_tree(root), powercap=root, sample_s=0.005, checkpoint_s=0.02)
    with track(path, sources=sources) as tracker:
        until(lambda: any(gpu.samples >= 3 for gpu in tracker.record().gpus))
    return read_record(path)


def test_the_power_of_a_radeon_is_integrated_and_its_load_kept(tmp_path: Path) -> None:
    monitor = drm_card(tmp_path, "card0", "amdgpu", device=RADEON, power1_average=200_000_000, power1_cap=295_000_000)
    drm = opened(tmp_path)
    (monitor / "power1_average").write_text("100000000\n")
    drm.read(2.0)
    (device,) = drm.devices
    assert device.polled_j == pytest.approx(300.0)
    assert device.counter_j is None
    assert device.utilisation == pytest.approx(0.8)
    assert (device.name, device.limit_w, device.source) == ("AMD Radeon PRO W7900", 295.0, "amdgpu")


def test_a_card_that_shows_momentary_power_alone_is_sampled_too(tmp_path: Path) -> None:
    drm_card(tmp_path, "card1", "amdgpu", power1_input=50_000_000, power1_cap=295_000_000)
    drm = opened(tmp_path)
    drm.read(4.0)
    assert drm.devices[0].polled_j == pytest.approx(200.0)
    assert drm.devices[0].utilisation is None


@pytest.mark.parametrize("driver", ["i915", "xe"])
def test_the_counter_of_an_intel_card_is_a_difference_in_joules(tmp_path: Path, driver: str) -> None:
    monitor = drm_card(tmp_path, "card0", driver, energy1_input=5_000_000, power1_max=190_000_000)
    drm = opened(tmp_path)
    (monitor / "energy1_input").write_text("12500000\n")
    drm.read(1.0)
    (device,) = drm.devices
    assert device.counter_j == pytest.approx(7.5)
    assert (device.name, device.limit_w, device.polled_j) == ("Intel GPU 0x744c", 190.0, None)


def test_a_card_and_its_package_are_not_added(tmp_path: Path) -> None:
    monitor = drm_card(
        tmp_path, "card0", "xe", energy1_input=1_000_000, energy2_input=2_000_000, energy1_label="pkg",
        energy2_label="card",
    )  # fmt: skip
    drm = opened(tmp_path)
    (monitor / "energy1_input").write_text("3000000\n")
    (monitor / "energy2_input").write_text("9000000\n")
    drm.read(1.0)
    assert drm.devices[0].counter_j == pytest.approx(7.0)


def test_a_counter_that_goes_back_is_not_used(tmp_path: Path) -> None:
    monitor = drm_card(tmp_path, "card0", "i915", energy1_input=5_000_000)
    drm = opened(tmp_path)
    (monitor / "energy1_input").write_text("1\n")
    drm.read(1.0)
    assert drm.devices[0].counter_j is None


def test_graphics_inside_a_processor_are_left_to_its_package(tmp_path: Path) -> None:
    drm_card(tmp_path, "card0", "amdgpu", power1_average=15_000_000)
    drm_card(tmp_path, "card1", "i915")
    drm = opened(tmp_path)
    assert (drm.devices, drm.unmeasured) == ([], ())
    assert drm.notes == ["graphics inside the processor are not added: its package holds them"]


def test_a_discrete_card_without_sensors_is_listed_as_not_measured(tmp_path: Path) -> None:
    device = {"vendor": "0x1002", "mem_info_vram_total": str(16 * 2**30), "product_name": "AMD Instinct MI210"}
    drm_card(tmp_path, "card0", "amdgpu", device=device)
    assert opened(tmp_path).unmeasured == ("AMD Instinct MI210",)


def test_connectors_other_drivers_and_other_monitors_are_no_devices(tmp_path: Path) -> None:
    drm_card(tmp_path, "card0-HDMI-A-1", "amdgpu", power1_average=1, power1_cap=1)
    drm_card(tmp_path, "card0", "nouveau", power1_average=1, power1_cap=1)
    assert opened(tmp_path).devices == []
    assert open_drm(tmp_path / "none", now_s=0.0).devices == []


@pytest.mark.parametrize("name", ["HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"])
def test_a_choice_of_devices_that_is_not_followed_is_said(tmp_path: Path, name: str) -> None:
    drm_card(tmp_path, "card0", "amdgpu", power1_average=1_000_000, power1_cap=2_000_000)
    assert opened(tmp_path, {name: "0"}).notes == [f"{name} may leave out devices: all 1 were counted"]


def test_a_recorded_radeon_is_sampled_evidence_that_names_its_driver(tmp_path: Path) -> None:
    drm_card(tmp_path, "card0", "amdgpu", device=RADEON, power1_average=200_000_000, power1_cap=295_000_000)
    record = recorded(tmp_path)
    assert record.gpus_status == "read"
    assert record.gpus[0].source == "amdgpu"
    best = from_record(record)[0]
    assert best.boundary == "chip"
    assert any(source.startswith("amdgpu") for source in best.sources)
    assert not any("NVML" in source for source in best.sources)


def test_a_recorded_arc_is_counted(tmp_path: Path) -> None:
    drm_card(tmp_path, "card0", "xe", energy1_input=5_000_000)
    record = recorded(tmp_path)
    assert (record.gpus[0].name, record.gpus[0].counter_j) == ("Intel GPU 0x744c", 0.0)


def wsl(root: Path) -> Path:
    proc = proc_tree(root, virtual=True)
    (proc / "sys/kernel").mkdir(parents=True)
    (proc / "sys/kernel/osrelease").write_text("5.15.153.1-microsoft-standard-WSL2\n")
    return proc


def test_linux_inside_windows_is_said_and_its_gpu_is_looked_for(tmp_path: Path) -> None:
    proc = wsl(tmp_path)
    assert nvidia_devices(proc) == ()
    library = tmp_path / "usr/lib/wsl/lib/libnvidia-ml.so.1"
    library.parent.mkdir(parents=True)
    library.touch()
    assert nvidia_devices(proc) == ("unknown NVIDIA device",)


def test_a_record_from_inside_windows_says_why_nothing_was_counted(tmp_path: Path) -> None:
    with track(tmp_path / "training.json", sources=Sources(proc=wsl(tmp_path), powercap=tmp_path)):
        pass
    record = read_record(tmp_path / "training.json")
    assert record.notes == (WSL_NOTE,)
    assert record.counters_status == "absent"
    assert all(WSL_NOTE in estimate.assumptions for estimate in from_record(record))
