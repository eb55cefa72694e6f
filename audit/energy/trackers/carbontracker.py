"""carbontracker's standard log: duration and mean power of every epoch, without its PUE."""

from __future__ import annotations

import re

from audit.energy.trackers.log import TrackerLog, amount, elapsed, number
from audit.errors import DataError

MARK = "carbontracker version"
_VERSION = re.compile(r"carbontracker version (\S+)")
_EPOCH = re.compile(r"Epoch (\d+):")
_DURATION = re.compile(r"Duration: (-?)(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
_POWER = re.compile(r"Average power usage \(W\) for (\w+): (\S.*)$")
_DEVICES = re.compile(r"(\w+) with device\(s\) (.*?)\.(?= |$)")
_GRAMS = re.compile(r"Average carbon intensity during training was ([\d.]+)")
_PLACE = re.compile(r"detected location: (.*?): ")
Epoch = tuple[float, dict[str, float]]  # seconds, watts by component


def _watts(text: str, name: str) -> float | None:
    """The mean power of one component: the sum over its devices; None where the epoch was too short."""
    words = re.findall(r"[^\s\[\],]+", text)
    if words == ["None"] or not words:
        return None
    return sum(amount(word, "average power", name) for word in words)


def _seconds(match: re.Match[str], name: str) -> float:
    sign, hours, minutes, seconds = match.groups()
    if sign:
        raise DataError(f"{name}: an epoch lasts {match.group(0)}: the clock jumped, the log cannot be evidence")
    return int(hours) * 3600 + int(minutes) * 60 + number(seconds, "duration", name)


def _epochs(text: str, name: str) -> tuple[list[Epoch], int]:
    """(epochs with their power, number of epochs without any)."""
    epochs: list[Epoch] = []
    missing, expected = 0, 1
    for block in re.split(r"(?=Epoch \d+:)", text)[1:]:
        if int(_EPOCH.findall(block)[0]) != expected:
            raise DataError(f"{name}: epoch {expected} is missing, the log was cut or joined from two")
        expected += 1
        length = _DURATION.search(block)
        if length is None:
            break  # the run ended within this epoch
        powers = [(part, _watts(text, name)) for line in block.splitlines() for part, text in _POWER.findall(line)]
        missing += any(watts is None for _, watts in powers) or not powers
        epochs.append((_seconds(length, name), {part: watts for part, watts in powers if watts is not None}))
    if not epochs:
        raise DataError(f"{name} holds no finished epoch: give the log of a run that had one")
    return epochs, missing


def read(text: str, name: str) -> TrackerLog:
    """The run of a standard log ("..._carbontracker.log"). DataError where it is cut or no epoch has ended."""
    version = _VERSION.search(text)
    if version is None:
        raise DataError(f"{name} is no carbontracker log: give the file that ends in _carbontracker.log")
    epochs, missing = _epochs(text, name)
    seconds = elapsed(sum(length for length, _ in epochs), "duration", name)
    parts = {part for _, powers in epochs for part in powers}
    kwh = {part: sum(length * powers.get(part, 0.0) for length, powers in epochs) / 3.6e6 for part in parts}
    devices = {part.lower(): words for part, words in _DEVICES.findall(_found(text))}
    grams = _GRAMS.search(text)
    place = _PLACE.search(text)
    notes = ["the log holds epochs alone: what ran before, between and after them is not counted"]
    if missing:
        notes.append(f"{missing} of {len(epochs)} epochs were too short for a reading and count as 0")
    return TrackerLog(
        tool="carbontracker",
        version=version.group(1),
        seconds=seconds,
        kwh=sum(kwh.values()),
        cpu_kwh=kwh.get("cpu"),
        gpu_kwh=kwh.get("gpu"),
        cpu_w_each=tuple(powers["cpu"] for _, powers in epochs if "cpu" in powers),
        cpu=devices.get("cpu", ""),
        gpu=devices.get("gpu", ""),
        gpus=len(devices["gpu"].split(", ")) if "gpu" in devices else 0,
        kgco2e=sum(kwh.values()) * float(grams.group(1)) / 1000 if grams else None,
        country=place.group(1).rpartition(", ")[2] if place else "",
        interval_s=2 * seconds / len(epochs) if missing else None,
        notes=tuple(notes),
    )


def _found(text: str) -> str:
    _, _, after = text.partition("The following components were found:")
    return after.split("\n", 1)[0]
