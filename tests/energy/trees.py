"""Machines that do not exist: sysfs and proc trees on disk, and an NVML that says what it is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from audit.energy.host import Host
from audit.energy.record import Reading, TrainingRecord

JOULE = 1_000_000  # microjoules


def until(claim: Callable[[], bool]) -> None:
    """Work until the other thread has done its part; a claim that never comes true fails the test."""
    end = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < end, "waited 10 s in vain"


def zone(root: Path, folder: str, name: str, joules: float, range_j: float | None = 262_143.0) -> Path:
    """One powercap zone, as the kernel shows it in /sys/class/powercap."""
    path = root / folder
    path.mkdir(parents=True)
    (path / "name").write_text(f"{name}\n")
    set_joules(path, joules)
    if range_j is not None:
        (path / "max_energy_range_uj").write_text(f"{int(range_j * JOULE)}\n")
    return path


def set_joules(path: Path, joules: float) -> None:
    (path / "energy_uj").write_text(f"{int(joules * JOULE)}\n")


def proc_tree(
    root: Path, *, cpu: str = "AMD EPYC 7763 64-Core Processor", virtual: bool = False, gpus: tuple[str, ...] = ()
) -> Path:
    proc = root / "proc"
    proc.mkdir(parents=True)
    flags = "fpu vme hypervisor" if virtual else "fpu vme"
    (proc / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: {cpu}\nflags\t\t: {flags}\n\n")
    (proc / "meminfo").write_text("MemTotal:       16777216 kB\nMemFree:  1 kB\n")
    (proc / "stat").write_text("cpu  100 0 50 1000 10 5 5 40 0 0\ncpu0 100 0 50 1000 10 5 5 40 0 0\n")
    for index, name in enumerate(gpus):
        folder = proc / f"driver/nvidia/gpus/0000:0{index}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t {name}\nIRQ: 1\n")
    return proc


class NVMLError(Exception):
    """As pynvml's own."""


@dataclass
class FakeGpu:
    name: str = "NVIDIA GeForce RTX 4090"
    counter_mj: float | None = 1_000_000.0  # None: this device has no energy counter
    watts: float | None = 300.0
    utilisation: int | None = 80
    limit_w: float | None = 450.0
    uuid: str = ""
    mig: tuple[FakePartition, ...] | None = None  # None: MIG is off


@dataclass
class FakePartition:
    """A MIG device: a handle of its own, which answers no question about power."""

    uuid: str
    slices: int


def drm_card(root: Path, card: str, driver: str, *, device: dict[str, str] | None = None, **sensors: int | str) -> Path:
    """A card of /sys/class/drm with its hwmon folder; ``device`` are files beside it."""
    folder = root / "sys/class/drm" / card / "device"
    monitor = folder / "hwmon/hwmon3"
    monitor.mkdir(parents=True)
    (monitor / "name").write_text(f"{driver}\n")
    (folder / "device").write_text("0x744c\n")
    for name, text in (device or {}).items():
        (folder / name).write_text(f"{text}\n")
    for name, value in sensors.items():
        (monitor / name).write_text(f"{value}\n")
    return monitor


@dataclass
class FakeNvml:
    """The functions of pynvml that are used, over devices that a test may change between readings."""

    gpus: list[FakeGpu] = field(default_factory=lambda: [FakeGpu()])
    driver: bool = True
    open_count: int = 0
    NVMLError: type[Exception] = NVMLError

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.driver:
            raise NVMLError("Driver Not Loaded")
        self.open_count += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open_count -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:  # noqa: N802
        return self.gpus[index]

    def nvmlDeviceGetName(self, handle: FakeGpu) -> bytes:  # noqa: N802
        return handle.name.encode()

    def nvmlDeviceGetIndex(self, handle: FakeGpu) -> int:  # noqa: N802
        return next(index for index, gpu in enumerate(self.gpus) if gpu is handle)

    def nvmlDeviceGetMigMode(self, handle: FakeGpu) -> list[int]:  # noqa: N802
        if "RTX" in handle.name:
            raise NVMLError("Not Supported")
        return [int(handle.mig is not None)] * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: FakeGpu) -> int:  # noqa: N802
        return 4 if "A30" in handle.name else 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: FakeGpu, index: int) -> FakePartition:  # noqa: N802
        if not handle.mig:
            raise NVMLError("Not Found")
        return handle.mig[index]

    def nvmlDeviceGetAttributes(self, handle: FakePartition) -> SimpleNamespace:  # noqa: N802
        if not isinstance(handle, FakePartition):
            raise NVMLError("Not Supported")
        return SimpleNamespace(gpuInstanceSliceCount=handle.slices)

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> FakeGpu | FakePartition:  # noqa: N802
        handles: list[FakeGpu | FakePartition] = [*self.gpus, *(part for gpu in self.gpus for part in gpu.mig or ())]
        known: dict[str, FakeGpu | FakePartition] = {handle.uuid: handle for handle in handles}
        found: FakeGpu | FakePartition = self._answer(known.get(uuid))
        return found

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, part: FakePartition) -> FakeGpu:  # noqa: N802
        return next(gpu for gpu in self.gpus if any(one is part for one in gpu.mig or ()))

    def _answer(self, value: Any) -> Any:
        if value is None:
            raise NVMLError("Not Supported")
        return value

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: FakeGpu) -> float:  # noqa: N802
        return float(self._answer(handle.counter_mj))

    def nvmlDeviceGetPowerUsage(self, handle: FakeGpu) -> float:  # noqa: N802
        return float(self._answer(handle.watts)) * 1e3

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: FakeGpu) -> float:  # noqa: N802
        return float(self._answer(handle.limit_w)) * 1e3

    def nvmlDeviceGetUtilizationRates(self, handle: FakeGpu) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=self._answer(handle.utilisation))


HOST = Host(
    cpu="AMD EPYC 7763 64-Core Processor",
    vcpus=128,
    usable_vcpus=128,
    sockets=1,
    virtualised=False,
    battery=False,
    memory_gb=256.0,
    system="Linux x86_64",
)
VM = replace(HOST, cpu="AMD EPYC", vcpus=2, usable_vcpus=2, virtualised=True)


def readings(*, wall_s: float, cpu_s: float, count: int = 3) -> tuple[Reading, ...]:
    shares = [i / (count - 1) for i in range(count)]
    return tuple(Reading(wall_s=s * wall_s, clock_s=s * wall_s, suspended_s=0.0, cpu_s=s * cpu_s) for s in shares)


def a_record(*, wall_s: float = 3600.0, cpu_s: float = 5400.0, host: Host = VM) -> TrainingRecord:
    """An hour on a small virtual machine, three quarters loaded; change it with dataclasses.replace."""
    return TrainingRecord(
        status="finished",
        started="2026-11-22T12:00:00.000+00:00",
        wall_s=wall_s,
        suspended_s=0.0,
        cpu_s=cpu_s,
        machine_busy_s=cpu_s,
        steal_s=0.0,
        threads=2,
        host=host,
        model_sha256="ab" * 32,
        model_match="same",
        readings=readings(wall_s=wall_s, cpu_s=cpu_s),
        tool="assay",
    )
