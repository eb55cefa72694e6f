"""The evidence of one training as a BoAmps report: the data model of Boavizta for the energy of AI tasks.

Only fields whose meaning is certain are filled: the schemas give them names and units (``powerConsumption`` is an
energy in kWh, ``measurementDuration`` seconds, ``parametersNumber`` billions). What the format requires and this
evidence does not hold is named, so that its publisher can add it: nothing is filled in by a default.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from audit.energy.disclosure import NOT_GIVEN, Entry, warned
from audit.energy.estimate import EnergyEstimate
from audit.energy.intensity import intensity
from audit.energy.record import TrainingRecord
from audit.energy.training import TrainingEvidence

SCHEMAS = "https://github.com/Boavizta/BoAmps/tree/main/model"
QUALITY = (("high", 0.10), ("medium", 0.25), ("low", 0.50))  # percentage errors that the format names
ASKED: Mapping[str, str] = MappingProxyType({
    "header.reportDatetime": "the day it is published",
    "header.publisher.confidentialityLevel": "public, internal, confidential or secret",
    "task.taskFamily": "such as tabular classification",
    "task.dataset": "dataUsage and dataType of what it was trained on",
    "infrastructure.infraType": "publicCloud, privateCloud, onPremise or other",
    "environment.country": "give [training] region",
    "measures.powerConsumption": "record the training with audit.track",
})  # fmt: skip
"""Fields that the format requires, and what would fill them."""


def _quality(energy: EnergyEstimate) -> str | None:
    """The grade whose error holds the whole range; None where it is wider than the lowest grade."""
    off = max(1 - energy.range.lower, energy.range.upper - 1)
    return next((name for name, most in QUALITY if off <= most), None)


def _moment(started: str) -> str:
    return datetime.fromisoformat(started).strftime("%Y-%m-%d %H:%M:%S")


def _modes(record: TrainingRecord) -> dict[str, Any]:
    """How processor and GPUs were read, in the words of the format's own examples."""
    modes = {"cpuTrackingMode": "rapl"} if record.counters_status == "read" else {}
    return modes | ({"gpuTrackingMode": "nvml"} if any(gpu.source == "nvml" for gpu in record.gpus) else {})


def _measure(found: TrainingEvidence) -> dict[str, Any]:
    energy, record = (found.estimates[0] if found.estimates else None), found.record
    measure: dict[str, Any] = {}
    if energy is not None:
        tool = found.log.tool if found.log else "assay"
        measure = {
            "measurementMethod": f"{tool}: {energy.rung} rung, {energy.boundary} boundary",
            "powerConsumption": energy.value_kwh,
        }
    if found.seconds is not None:
        measure["measurementDuration"] = found.seconds
    if record is not None:
        measure |= _modes(record)
        measure["measurementDateTime"] = _moment(record.started)
    return measure


def _components(found: TrainingEvidence) -> list[dict[str, Any]]:
    record = found.record
    if record is None:
        told = found.told
        return [{"componentName": told.hardware, "nbComponent": told.devices}] if told.hardware else []
    host = record.host
    parts: list[dict[str, Any]] = [{"componentType": "cpu", "nbComponent": host.sockets}]
    if host.cpu:
        parts[0]["componentName"] = host.cpu
    for (name, share), count in Counter((gpu.name, gpu.share) for gpu in record.gpus).items():
        part = {"componentName": name, "componentType": "gpu", "nbComponent": count}
        parts.append({**part, "share": share} if share < 1 else part)
    if host.memory_gb >= 1:
        parts.append({"componentType": "ram", "nbComponent": 1, "memorySize": round(host.memory_gb)})
    return parts


def report(found: TrainingEvidence) -> dict[str, Any]:
    """The report as the JSON object of the format; without the fields that nothing tells."""
    content: dict[str, Any] = {"task": {"taskStage": "training"}}
    if found.work is not None:
        content["task"]["algorithms"] = [{"parametersNumber": found.work.parameters / 1e9}]
    if measure := _measure(found):
        content["measures"] = [measure]
    if components := _components(found):
        content["infrastructure"] = {"components": components}
    if found.told.region is not None:
        grid = intensity(found.told.region)
        content["environment"] = {"country": grid.name, "powerSourceCarbonIntensity": grid.g_per_kwh}
    if found.estimates and (grade := _quality(found.estimates[0])) is not None:
        content["quality"] = grade
    return content


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{i}]" if len(value) > 1 else path)
    else:
        yield path, value


def boamps(found: TrainingEvidence) -> tuple[Entry, ...]:
    """The report field by field, and then the fields that it requires and nobody has told."""
    given = dict(_leaves(report(found), ""))
    lines = [Entry(item=path, value=_words(value), basis=_known(path, found)) for path, value in given.items()]
    missing = [name for name in ASKED if not any(path == name or path.startswith(f"{name}[") for path in given)]
    return (*lines, *(Entry(item=name, value=NOT_GIVEN, basis=ASKED[name]) for name in missing))


def _known(path: str, found: TrainingEvidence) -> str:
    """How a field is known; those that a record tells carry the warning where it is of another model."""
    told = path.startswith(("measures", "infrastructure", "quality"))
    return warned(_basis(path), found) if told else _basis(path)


def _basis(path: str) -> str:
    if path.endswith("powerConsumption"):
        return "kWh, the figure of the blocks above; the format has no field for its range"
    return "g/kWh, location based" if path.endswith("CarbonIntensity") else "as recorded, counted or stated"


def _words(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
