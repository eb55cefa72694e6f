"""Energy counters of CPU packages and memory under ``/sys/class/powercap`` (RAPL).

Only package and DRAM zones are added up: core and uncore lie inside the package, and psys holds all of them. Zones
that show one counter twice are counted once: the MMIO copy of an MSR zone, and dies that mirror their package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
_ZONE = re.compile(r"(?P<control>[a-z-]+?)(?P<mmio>-mmio)?:(?P<numbers>[0-9]+(:[0-9]+)*)")
_COUNTED = re.compile(r"package-(?P<package>[0-9]+)(-die-[0-9]+)?")
MIRROR_J = 5.0  # two readings of one counter lie milliseconds apart: at most this much is drawn between them
MOST_WATTS = 1000.0  # no package draws more: a gap longer than range / this may hide a whole turn of the counter


@dataclass(slots=True, kw_only=True)
class Zone:
    """One counter and what it has counted since the first reading. ``trouble`` says why it must not be used."""

    key: str  # "package-0", "package-0-die-1", "package-0/dram"
    path: Path
    mmio: bool
    range_j: float  # it wraps to 0 there; 0 if unknown
    first_j: float = 0.0
    last_j: float = 0.0
    last_s: float = 0.0
    joules: float = 0.0
    trouble: str = ""

    def add(self, reading_j: float, now_s: float) -> None:
        step = reading_j - self.last_j
        gap_s = now_s - self.last_s
        if step < 0 and not self.range_j:
            self.trouble = f"{self.key} went back from {self.last_j:.0f} to {reading_j:.0f} J and gives no range"
        if self.range_j and gap_s > self.range_j / MOST_WATTS:
            self.trouble = f"{self.key} was not read for {gap_s:.0f} s and may have wrapped unseen"
        self.joules += step + self.range_j if step < 0 else step
        self.last_j, self.last_s = reading_j, now_s


def _number(path: Path) -> float:
    return int(path.read_text(encoding="ascii")) / 1e6


def _key(path: Path) -> str:
    """Which physical counter a zone shows, or "" for one that must not be added."""
    name = (path / "name").read_text(encoding="ascii").strip()
    if _COUNTED.fullmatch(name):
        return name
    if name != "dram":
        return ""
    parent = path.with_name(path.name.rpartition(":")[0]) / "name"
    return f"{parent.read_text(encoding='ascii').strip()}/dram" if parent.is_file() else ""


def _zone(path: Path) -> Zone | None:
    match = _ZONE.fullmatch(path.name)
    if match is None or not (path / "energy_uj").exists():
        return None
    key, limit = _key(path), path / "max_energy_range_uj"
    if not key:
        return None
    return Zone(key=key, path=path, mmio=bool(match["mmio"]), range_j=_number(limit) if limit.exists() else 0.0)


def _unique(zones: list[Zone]) -> list[Zone]:
    """One zone for each key: the MSR one before its MMIO copy."""
    chosen: dict[str, Zone] = {}
    for zone in sorted(zones, key=lambda zone: (zone.mmio, zone.path.name)):
        chosen.setdefault(zone.key, zone)
    return list(chosen.values())


@dataclass(slots=True)
class Rapl:
    """The counters of this machine. ``status`` is "read", "absent", or says why they cannot be read."""

    status: str
    zones: list[Zone] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, now_s: float) -> None:
        """Add what was counted since the last reading; a counter that fails is kept with its trouble."""
        for zone in self.zones:
            if zone.trouble:
                continue
            try:
                zone.add(_number(zone.path / "energy_uj"), now_s)
            except (OSError, ValueError) as error:
                zone.trouble = f"{zone.key} could not be read any more: {type(error).__name__}"

    def counted(self) -> list[Zone]:
        """The zones whose sum is the energy: dies that mirror another zone of their package are left out."""
        kept: list[Zone] = []
        for zone in self.zones:
            if not any(_mirrors(zone, other) for other in kept):
                kept.append(zone)
        return kept

    @property
    def joules(self) -> float:
        return sum(zone.joules for zone in self.counted())

    @property
    def troubles(self) -> tuple[str, ...]:
        return tuple(zone.trouble for zone in self.zones if zone.trouble)

    @property
    def longest_gap_s(self) -> float:
        """Seconds that may pass between two readings before a counter could wrap unseen."""
        ranges = [zone.range_j for zone in self.zones if zone.range_j]
        return min(ranges) / MOST_WATTS if ranges else float("inf")


def _mirrors(zone: Zone, other: Zone) -> bool:
    """Zones of one package whose counters agree at the start and at the end: one counter shown twice."""
    same_package = zone.key.partition("-die-")[0] == other.key.partition("-die-")[0]
    same_kind = zone.key.endswith("/dram") == other.key.endswith("/dram")
    near = abs(zone.first_j - other.first_j) <= MIRROR_J and abs(zone.last_j - other.last_j) <= MIRROR_J
    return same_package and same_kind and near


def open_rapl(root: Path = POWERCAP, *, now_s: float = 0.0) -> Rapl:
    """Find the counters and take the first reading; never fails, and says in ``status`` what there is."""
    try:
        zones = _unique([zone for path in sorted(root.glob("*:*")) if (zone := _zone(path)) is not None])
        for zone in zones:
            zone.first_j = zone.last_j = _number(zone.path / "energy_uj")
            zone.last_s = now_s
    except PermissionError:
        return Rapl("unreadable: only root may read energy_uj on this machine")
    except (OSError, ValueError) as error:
        return Rapl(f"unreadable: {type(error).__name__}")
    return Rapl("read" if any("package" in zone.key for zone in zones) else "absent", zones)
