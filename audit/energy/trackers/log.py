"""What another tracker's file says of one training run, in one form for all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from audit.errors import DataError

Severity = Literal["note", "grade", "withhold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerLog:
    """One run as a tracker of the field wrote it down. ``None``: the file does not say."""

    tool: str  # "codecarbon", "carbontracker", "zeus"
    version: str  # "" where the file does not tell
    seconds: float
    kwh: float  # the file's own total, without PUE
    cpu_kwh: float | None = None
    gpu_kwh: float | None = None
    ram_kwh: float | None = None
    cpu_w: float | None = None  # last reading, or mean where only that is told
    gpu_w: float | None = None
    ram_w: float | None = None
    cpu_w_each: tuple[float, ...] = ()  # mean of each epoch
    cpu: str = ""
    threads: int | None = None
    cpu_load: float | None = None  # 0 to 1
    gpu: str = ""
    gpus: int = 0
    kgco2e: float | None = None
    country: str = ""  # as the file names it
    region: str = ""
    latitude: float | None = None
    longitude: float | None = None
    process_only: bool = False
    cloud: bool = False
    interval_s: float | None = None
    overlapping: bool = False  # windows of measurement that lie within one another
    notes: tuple[str, ...] = ()

    @property
    def mean_w(self) -> float:
        return self.kwh * 3.6e6 / self.seconds

    @property
    def cpu_mean_w(self) -> float | None:
        return None if self.cpu_kwh is None else self.cpu_kwh * 3.6e6 / self.seconds

    @property
    def gpu_mean_w(self) -> float | None:
        return None if self.gpu_kwh is None else self.gpu_kwh * 3.6e6 / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something that does not hold in a file. ``note``: a word to the reader; ``grade``: the evidence counts for less;
    ``withhold``: the energy cannot be told from it."""

    name: str
    severity: Severity
    words: str
    remedy: str


def number(text: object, key: str, name: str) -> float:
    """A finite number from a cell. DataError names the file and the key."""
    try:
        value = float(str(text))
    except ValueError:
        raise DataError(f'{name}: {key} must be a number, got "{text}": the file is truncated or edited') from None
    if not math.isfinite(value):
        raise DataError(f"{name}: {key} must be finite, got {text}: the file cannot be evidence")
    return value


def amount(text: object, key: str, name: str) -> float:
    """A number that is 0 or more: no honest counter runs backwards."""
    value = number(text, key, name)
    if value < 0:
        raise DataError(f"{name}: {key} must be 0 or more, got {value:g}: a counter ran backwards or wrapped around")
    return value


def optional_amount(row: Mapping[str, str], key: str, name: str) -> float | None:
    return amount(row[key], key, name) if row.get(key) not in (None, "") else None


def elapsed(text: object, key: str, name: str) -> float:
    """Seconds of a run: above 0 and below a century."""
    value = number(text, key, name)
    if not 0 < value < 3.2e9:
        raise DataError(f"{name}: {key} must lie between 0 and a century, got {value:g} s: the clock jumped")
    return value
