"""AMD and Intel GPUs through the sensors of their kernel drivers: ``/sys/class/drm/card*/device/hwmon``.

Units as the kernel documents them: ``power1_average`` and ``power1_input`` in microwatts, ``energy1_input`` in
microjoules, ``gpu_busy_percent`` in percent. Graphics inside a processor are left out, because the processor's package
holds their energy already: amdgpu gives them no power limit, i915 and xe give them no sensors at all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit.energy.sampling import Device

DRM = Path("/sys/class/drm")
DRIVERS = ("amdgpu", "i915", "xe")
MAKERS = {"amdgpu": "AMD", "i915": "Intel", "xe": "Intel"}
AMD = "0x1002"
DISCRETE_BYTES = 4 * 2**30  # of own memory: less may be graphics inside a processor
CARD = re.compile(r"card[0-9]+")
VISIBLE = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors:
    """The files of one device; None where its driver has none."""

    joules: Path | None
    watts: Path | None
    busy: Path | None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path | None) -> float | None:
    text = _text(path) if path is not None else ""
    return float(text) if text.isdigit() else None


def _scaled(path: Path | None, unit: float) -> float | None:
    found = _number(path)
    return None if found is None else found * unit


def _first(*paths: Path) -> Path | None:
    """The first file that answers with a number."""
    return next((path for path in paths if _number(path) is not None), None)


def _counter(monitor: Path) -> Path | None:
    """The counter of the whole card, else that of its package: xe shows both, and they must not be added."""
    files = sorted(monitor.glob("energy[0-9]_input"))
    labels = {_text(path.with_name(path.name.replace("_input", "_label"))): path for path in reversed(files)}
    return _first(*(path for path in (labels.get("card"), labels.get("pkg"), *files) if path is not None))


@dataclass(slots=True)
class Drm:
    """The discrete AMD and Intel devices. ``unmeasured``: those that are there and show no energy."""

    devices: list[Device] = field(default_factory=list)
    unmeasured: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    def read(self, now_s: float) -> None:
        for device in self.devices:
            sensors: Sensors = device.handle
            device.add(
                now_s,
                joules=_scaled(sensors.joules, 1e-6),
                watts=_scaled(sensors.watts, 1e-6),
                busy=_scaled(sensors.busy, 1e-2),
            )


def _name(folder: Path, driver: str) -> str:
    """The product's name where the card tells one, else its PCI id: which part that is, is not guessed."""
    return _text(folder / "product_name") or f"{MAKERS[driver]} GPU {_text(folder / 'device') or 'without an id'}"


def _device(index: int, folder: Path, monitor: Path, driver: str) -> Device | None:
    sensors = Sensors(
        joules=_counter(monitor),
        watts=_first(monitor / "power1_average", monitor / "power1_input"),
        busy=_first(folder / "gpu_busy_percent"),
    )
    if sensors.joules is None and sensors.watts is None:
        return None
    limit = _first(monitor / "power1_cap", monitor / "power1_max")
    return Device(index=index, name=_name(folder, driver), handle=sensors, source=driver,
                  limit_w=_scaled(limit, 1e-6) or 0.0)  # fmt: skip


def _inside_processor(monitor: Path, driver: str) -> bool:
    return driver == "amdgpu" and _first(monitor / "power1_average", monitor / "power1_input") is not None and not (
        monitor / "power1_cap"
    ).exists()  # fmt: skip


def open_drm(root: Path, *, now_s: float, environment: Mapping[str, str] = os.environ) -> Drm:
    """Find the devices under ``root`` (/sys/class/drm) and take the first reading; never fails."""
    found, cards = Drm(), [path for path in sorted(root.glob("card*")) if CARD.fullmatch(path.name)]
    for card in cards:
        folder = card / "device"
        monitors = [(path, _text(path / "name")) for path in sorted((folder / "hwmon").glob("hwmon*"))]
        monitor, driver = next(((path, name) for path, name in monitors if name in DRIVERS), (None, ""))
        if monitor is not None and _inside_processor(monitor, driver):
            found.notes.append("graphics inside the processor are not added: its package holds them")
        elif monitor is not None and (device := _device(len(found.devices), folder, monitor, driver)) is not None:
            found.devices.append(device)
        elif _text(folder / "vendor") == AMD and (_number(folder / "mem_info_vram_total") or 0) >= DISCRETE_BYTES:
            found.unmeasured = (*found.unmeasured, _name(folder, "amdgpu"))
    listed = [name for name in VISIBLE if environment.get(name)]
    if found.devices and listed:
        found.notes.append(f"{listed[0]} may leave out devices: all {len(found.devices)} were counted")
    found.read(now_s)
    return found
