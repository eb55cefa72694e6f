"""Zeus: the CSV of ``ZeusMonitor(log_file=...)``, or measurements written as JSON. Joules, GPUs above all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from audit.energy.trackers.log import TrackerLog, amount, elapsed, number
from audit.errors import DataError

MARK = "start_time,window_name,elapsed_time"
J_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    start: float | None
    seconds: float
    gpu_j: tuple[float, ...]
    cpu_j: float | None = None
    dram_j: float | None = None

    @property
    def end(self) -> float | None:
        return None if self.start is None else self.start + self.seconds


def _csv_windows(text: str, name: str) -> list[_Window]:
    windows = []
    for line, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        if None in row or any(value is None for value in row.values()):
            raise DataError(f"{name} line {line} does not have the columns of its header: it is truncated")
        joules = tuple(amount(value, key, name) for key, value in row.items() if key.startswith("gpu"))
        windows.append(
            _Window(
                start=number(row["start_time"], "start_time", name),
                seconds=elapsed(row["elapsed_time"], "elapsed_time", name),
                gpu_j=joules,
            )
        )
    return windows


def _parts(value: Any, key: str, name: str) -> tuple[float, ...] | None:
    if value is None:
        return None
    items = value.values() if isinstance(value, Mapping) else [value]
    return tuple(amount(item, key, name) for item in items)


def _json_windows(text: str, name: str) -> list[_Window]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DataError(f"{name} is truncated or not JSON ({error})") from None
    items = content if isinstance(content, list) else [content]
    windows = []
    for item in items:
        if not isinstance(item, dict) or "time" not in item or "gpu_energy" not in item:
            raise DataError(f"{name} holds no Zeus measurement: each needs time and gpu_energy")
        parts = {key: _parts(item.get(f"{key}_energy"), f"{key}_energy", name) for key in ("gpu", "cpu", "dram")}
        windows.append(
            _Window(
                start=number(item["start_time"], "start_time", name) if "start_time" in item else None,
                seconds=elapsed(item["time"], "time", name),
                gpu_j=parts["gpu"] or (),
                cpu_j=sum(parts["cpu"]) if parts["cpu"] else None,
                dram_j=sum(parts["dram"]) if parts["dram"] else None,
            )
        )
    return windows


def _overlap(windows: Sequence[_Window]) -> bool:
    """Whether two windows share time; windows without a start may, so that more than one counts as shared."""
    placed = sorted((w.start, w.start + w.seconds) for w in windows if w.start is not None)
    if len(placed) < len(windows):
        return len(windows) > 1
    return any(later[0] < earlier[1] - 1e-3 for earlier, later in pairwise(placed))


def _outermost(windows: Sequence[_Window]) -> _Window | None:
    """The window that holds all the others in time, if there is one."""
    longest = max(windows, key=lambda window: window.seconds)
    if longest.start is None or longest.end is None:
        return None
    inside = all(w.start is not None and w.start >= longest.start - 1e-3 for w in windows)
    return longest if inside and all(w.end is not None and w.end <= longest.end + 1e-3 for w in windows) else None


def read(text: str, name: str) -> TrackerLog:
    """All windows of the file, each moment counted once. DataError where it is truncated or a counter falls."""
    windows = _csv_windows(text, name) if text.startswith("start_time") else _json_windows(text, name)
    if not windows:
        raise DataError(f"{name} holds no window: none had ended when it was written")
    notes = []
    overlapping = _overlap(windows)
    if overlapping and (whole := _outermost(windows)) is not None:
        notes.append(f"{len(windows) - 1} windows lie within one that holds them all: that one was taken")
        windows, overlapping = [whole], False
    cpu = [w.cpu_j for w in windows if w.cpu_j is not None]
    dram = [w.dram_j for w in windows if w.dram_j is not None]
    gpu = sum(sum(w.gpu_j) for w in windows) / J_PER_KWH
    cpu_kwh = sum(cpu) / J_PER_KWH if len(cpu) == len(windows) else None
    return TrackerLog(
        tool="zeus",
        version="",
        seconds=sum(window.seconds for window in windows),
        kwh=gpu + (cpu_kwh or 0.0) + sum(dram) / J_PER_KWH,
        cpu_kwh=cpu_kwh,
        gpu_kwh=gpu,
        ram_kwh=sum(dram) / J_PER_KWH if dram else None,
        gpus=max(len(window.gpu_j) for window in windows),
        interval_s=0.25,  # the counters of the GPUs move a few times a second
        overlapping=overlapping,
        notes=tuple(notes),
    )
