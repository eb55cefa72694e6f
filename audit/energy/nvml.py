"""Energy, power and utilisation of NVIDIA devices, where the driver and the package ``nvidia-ml-py`` are there."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Loader = Callable[[], Any]


def load_pynvml() -> Any:
    """The module of nvidia-ml-py; ImportError where the extra ``gpu`` is not installed."""
    return importlib.import_module("pynvml")


@dataclass(slots=True, kw_only=True)
class Device:
    """One device and what was seen of it. Energies are joules since the first reading."""

    index: int
    name: str
    handle: Any
    limit_w: float = 0.0  # enforced power limit, 0 if unknown
    first_s: float | None = None
    last_s: float = 0.0
    counter_first_j: float | None = None
    counter_last_j: float = 0.0
    power_integral_j: float = 0.0
    last_w: float = 0.0
    busy_s: float = 0.0  # utilisation integrated over time
    samples: int = 0
    power_samples: int = 0
    utilisation_samples: int = 0
    trouble: str = ""  # why the counter must not be used

    @property
    def covered_s(self) -> float:
        return 0.0 if self.first_s is None else self.last_s - self.first_s

    @property
    def counter_j(self) -> float | None:
        usable = self.counter_first_j is not None and not self.trouble
        return self.counter_last_j - (self.counter_first_j or 0.0) if usable else None

    @property
    def polled_j(self) -> float | None:
        """Trapezoid over the sampled power; None where a sample is missing."""
        return self.power_integral_j if self.power_samples == self.samples else None

    @property
    def utilisation(self) -> float | None:
        """Share of the time in which a kernel ran, 0 to 1; None where a sample is missing."""
        known = self.utilisation_samples == self.samples and self.covered_s > 0
        return self.busy_s / self.covered_s if known else None


@dataclass(slots=True)
class Nvml:
    """The devices of this process. ``status`` is "read", "absent", or says why they cannot be read."""

    status: str
    devices: list[Device] = field(default_factory=list)
    module: Any = None
    notes: list[str] = field(default_factory=list)

    def _ask(self, function: str, device: Device) -> Any:
        """The answer of an NVML call, or None where this device does not support it."""
        try:
            return getattr(self.module, function)(device.handle)
        except self.module.NVMLError:
            return None

    def read(self, now_s: float) -> None:
        for device in self.devices:
            self._read_counter(device)
            self._read_power(device, now_s)
            device.first_s = now_s if device.first_s is None else device.first_s
            device.last_s = now_s
            device.samples += 1

    def _read_counter(self, device: Device) -> None:
        millijoules = self._ask("nvmlDeviceGetTotalEnergyConsumption", device)
        if millijoules is None:
            if device.counter_first_j is not None:
                device.trouble = f"energy counter of GPU {device.index} stopped answering"
            return
        joules = millijoules / 1e3
        if device.counter_first_j is None and device.samples == 0:
            device.counter_first_j = device.counter_last_j = joules
        if joules < device.counter_last_j:
            device.trouble = f"energy counter of GPU {device.index} went back, as after a reset of the driver"
        device.counter_last_j = joules

    def _read_power(self, device: Device, now_s: float) -> None:
        milliwatts = self._ask("nvmlDeviceGetPowerUsage", device)
        rates = self._ask("nvmlDeviceGetUtilizationRates", device)
        step_s = now_s - device.last_s if device.first_s is not None else 0.0
        if rates is not None:
            device.busy_s += step_s * rates.gpu / 100
            device.utilisation_samples += 1
        if milliwatts is not None:
            device.power_integral_j += step_s * (milliwatts / 1e3 + device.last_w) / 2
            device.last_w = milliwatts / 1e3
            device.power_samples += 1

    def close(self) -> None:
        if self.module is None:
            return
        try:
            self.module.nvmlShutdown()
        except self.module.NVMLError as error:
            self.notes.append(f"NVML did not shut down: {error}")
        self.module = None


def _chosen(count: int, environment: Mapping[str, str]) -> tuple[range | list[int], str]:
    """Indices that ``CUDA_VISIBLE_DEVICES`` leaves, and a note where it cannot be followed."""
    listed = environment.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return range(count), ""
    words = [word.strip() for word in listed.split(",") if word.strip()]
    if all(word.isdigit() and int(word) < count for word in words):
        return [int(word) for word in words], ""
    if words[:1] == ["-1"]:
        return [], ""
    return range(count), f"CUDA_VISIBLE_DEVICES names devices in another way: all {count} were counted"


def _device(module: Any, index: int) -> Device:
    handle = module.nvmlDeviceGetHandleByIndex(index)
    name = module.nvmlDeviceGetName(handle)
    try:
        limit_w = module.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3
    except module.NVMLError:
        limit_w = 0.0
    return Device(index=index, name=name.decode() if isinstance(name, bytes) else name, handle=handle, limit_w=limit_w)


def open_nvml(*, now_s: float, load: Loader = load_pynvml, environment: Mapping[str, str] = os.environ) -> Nvml:
    """Start NVML and take the first reading; a missing package or driver is a status, not an error."""
    try:
        module = load()
    except ImportError:
        return Nvml('package missing: pip install "assay[gpu]"')
    try:
        module.nvmlInit()
    except module.NVMLError as error:
        return Nvml(f"unreadable: {error}")
    try:
        indices, note = _chosen(module.nvmlDeviceGetCount(), environment)
        devices = [_device(module, index) for index in indices]
    except module.NVMLError as error:
        module.nvmlShutdown()
        return Nvml(f"unreadable: {error}")
    nvml = Nvml("read" if devices else "absent", devices, module, [note] if note else [])
    nvml.read(now_s)
    return nvml
