"""Energy, power and utilisation of NVIDIA devices, where the driver and the package ``nvidia-ml-py`` are there."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.energy.sampling import Device

Loader = Callable[[], Any]


def load_pynvml() -> Any:
    """The module of nvidia-ml-py; ImportError where the extra ``gpu`` is not installed."""
    return importlib.import_module("pynvml")


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
            millijoules = self._ask("nvmlDeviceGetTotalEnergyConsumption", device)
            milliwatts = self._ask("nvmlDeviceGetPowerUsage", device)
            rates = self._ask("nvmlDeviceGetUtilizationRates", device)
            device.add(
                now_s,
                joules=None if millijoules is None else millijoules / 1e3,
                watts=None if milliwatts is None else milliwatts / 1e3,
                busy=None if rates is None else rates.gpu / 100,
            )

    def close(self) -> None:
        if self.module is None:
            return
        try:
            self.module.nvmlShutdown()
        except self.module.NVMLError as error:
            self.notes.append(f"NVML did not shut down: {error}")
        self.module = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A board that the program may use, and the partition of it that was named; None: the board, or its first one."""

    board: Any
    partition: Any = None


def _by_uuid(module: Any, uuid: str) -> _Seen:
    handle = module.nvmlDeviceGetHandleByUUID(uuid)
    if not uuid.startswith("MIG-"):
        return _Seen(board=handle)
    return _Seen(board=module.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle), partition=handle)


def _chosen(module: Any, environment: Mapping[str, str]) -> tuple[list[_Seen], str]:
    """What ``CUDA_VISIBLE_DEVICES`` leaves, by index or UUID, and a note where it cannot be followed."""
    count, listed = module.nvmlDeviceGetCount(), environment.get("CUDA_VISIBLE_DEVICES")
    every = [_Seen(board=module.nvmlDeviceGetHandleByIndex(index)) for index in range(count)]
    words = [word.strip() for word in (listed or "").split(",") if word.strip()]
    if listed is None:
        return every, ""
    if words[:1] == ["-1"]:
        return [], ""
    if all(word.isdigit() and int(word) < count for word in words):
        return [every[int(word)] for word in words], ""
    try:
        return [_by_uuid(module, word) for word in words], ""
    except module.NVMLError:
        return every, f"CUDA_VISIBLE_DEVICES names devices in another way: all {count} were counted"


def _share(module: Any, seen: _Seen) -> float:
    """The part of the board's compute slices that the program was given: 1 where it is not partitioned (MIG)."""
    try:
        if not module.nvmlDeviceGetMigMode(seen.board)[0]:
            return 1.0
        most = module.nvmlDeviceGetMaxMigDeviceCount(seen.board)
        partition = seen.partition or module.nvmlDeviceGetMigDeviceHandleByIndex(seen.board, 0)
        slices = module.nvmlDeviceGetAttributes(partition).gpuInstanceSliceCount
    except module.NVMLError:
        return 1.0  # a device, or a driver, from before partitions
    return min(1.0, slices / most) if slices and most else 1.0


def _device(module: Any, seen: _Seen) -> Device:
    name, handle = module.nvmlDeviceGetName(seen.board), seen.board
    try:
        limit_w = module.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3
    except module.NVMLError:
        limit_w = 0.0
    return Device(
        index=module.nvmlDeviceGetIndex(handle),
        name=name.decode() if isinstance(name, bytes) else name,
        handle=handle,
        share=_share(module, seen),
        limit_w=limit_w,
    )


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
        chosen, note = _chosen(module, environment)
        devices = [_device(module, seen) for seen in chosen]
    except module.NVMLError as error:
        module.nvmlShutdown()
        return Nvml(f"unreadable: {error}")
    nvml = Nvml("read" if devices else "absent", devices, module, [note] if note else [])
    nvml.read(now_s)
    return nvml
