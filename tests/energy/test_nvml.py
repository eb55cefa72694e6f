"""NVIDIA devices: counters, sampled power, and drivers that are not there."""

from __future__ import annotations

import pytest

from audit.energy.nvml import Nvml, open_nvml
from tests.energy.trees import FakeGpu, FakeNvml


def opened(fake: FakeNvml, environment: dict[str, str] | None = None) -> Nvml:
    return open_nvml(now_s=0.0, load=lambda: fake, environment=environment or {})


def test_the_counter_is_a_difference_in_joules() -> None:
    fake = FakeNvml()
    nvml = opened(fake)
    assert fake.gpus[0].counter_mj is not None
    fake.gpus[0].counter_mj += 5_000_000
    nvml.read(10.0)
    device = nvml.devices[0]
    assert device.counter_j == pytest.approx(5000.0)
    assert device.covered_s == 10.0
    assert device.name == "NVIDIA GeForce RTX 4090"


def test_power_is_integrated_by_the_trapezoid_rule_and_utilisation_by_time() -> None:
    fake = FakeNvml([FakeGpu(counter_mj=None, watts=100.0, utilisation=0)])
    nvml = opened(fake)
    fake.gpus[0].watts, fake.gpus[0].utilisation = 300.0, 100
    nvml.read(1.0)
    fake.gpus[0].utilisation = 50
    nvml.read(3.0)
    device = nvml.devices[0]
    assert device.counter_j is None
    assert device.polled_j == pytest.approx(200.0 + 600.0)
    assert device.utilisation == pytest.approx((1.0 + 2 * 0.5) / 3)
    assert device.samples == 3


def test_a_counter_that_falls_after_a_driver_reset_is_not_used() -> None:
    fake = FakeNvml()
    nvml = opened(fake)
    fake.gpus[0].counter_mj = 10.0
    nvml.read(1.0)
    assert nvml.devices[0].counter_j is None
    assert "went back" in nvml.devices[0].trouble


def test_a_counter_that_stops_answering_is_not_used() -> None:
    fake = FakeNvml()
    nvml = opened(fake)
    fake.gpus[0].counter_mj = None
    nvml.read(1.0)
    assert nvml.devices[0].counter_j is None


def test_one_missing_sample_of_power_leaves_no_sampled_energy() -> None:
    fake = FakeNvml()
    nvml = opened(fake)
    fake.gpus[0].watts = None
    nvml.read(1.0)
    fake.gpus[0].watts = 300.0
    nvml.read(2.0)
    assert nvml.devices[0].polled_j is None


def test_a_device_without_utilisation_has_none_rather_than_zero() -> None:
    nvml = opened(FakeNvml([FakeGpu(utilisation=None)]))
    nvml.read(1.0)
    assert nvml.devices[0].utilisation is None


@pytest.mark.parametrize(
    ("listed", "indices", "noted"),
    [
        ("1", [1], False),
        ("1,0", [1, 0], False),
        ("", [], False),
        ("-1", [], False),
        ("GPU-1f", [0, 1], True),
        ("7", [0, 1], True),
    ],
)
def test_only_visible_devices_are_counted(listed: str, indices: list[int], noted: bool) -> None:
    nvml = opened(FakeNvml([FakeGpu(), FakeGpu()]), {"CUDA_VISIBLE_DEVICES": listed})
    assert [device.index for device in nvml.devices] == indices
    assert bool(nvml.notes) is noted
    assert nvml.status == ("read" if indices else "absent")


def test_a_missing_package_names_the_extra_and_a_missing_driver_its_error() -> None:
    def missing() -> object:
        raise ImportError("No module named 'pynvml'")

    assert open_nvml(now_s=0.0, load=missing).status == 'package missing: pip install "assay[gpu]"'
    assert opened(FakeNvml(driver=False)).status == "unreadable: Driver Not Loaded"


def test_every_start_is_shut_down() -> None:
    fake = FakeNvml()
    nvml = opened(fake)
    nvml.close()
    nvml.close()
    assert fake.open_count == 0
