"""The fields of a BoAmps report hold what the evidence holds, in the format's units, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from audit.energy.boamps import ASKED, boamps, report
from audit.energy.disclosure import NOT_GIVEN
from audit.energy.estimate import metered
from audit.energy.intensity import intensity
from audit.energy.record import Counter, Gpu
from audit.energy.training import Sources, Told, TrainingEvidence, gather
from tests.checks.energy.worlds import by_work, logged
from tests.energy.trees import HOST, a_record

# Names of the published schemas: model/report, algorithm, dataset, measure and hardware schema.
FIELDS = {
    "task": {"taskStage", "taskFamily", "algorithms", "dataset"},
    "algorithms": {"parametersNumber"},
    "measures": {
        "measurementMethod",
        "cpuTrackingMode",
        "gpuTrackingMode",
        "powerConsumption",
        "measurementDuration",
        "measurementDateTime",
    },
    "infrastructure": {"infraType", "components"},
    "components": {"componentName", "componentType", "nbComponent", "memorySize", "share"},
    "environment": {"country", "powerSourceCarbonIntensity"},
}
GPU = Gpu(
    name="NVIDIA A100-SXM4-80GB", covered_s=3600.0, samples=3600, counter_j=7e5, polled_j=7e5, utilisation=None,
    limit_w=400.0, share=3 / 7,
)  # fmt: skip


def recorded(**told: Any) -> TrainingEvidence:
    record = replace(
        a_record(host=HOST), counters=(Counter(name="package-0", joules=5e5),), counters_status="read", gpus=(GPU, GPU),
        gpus_status="read",
    )  # fmt: skip
    return gather(Sources(told=Told(**told), record=record))


def unknown_names(value: object, inside: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*(unknown_names(item, inside) for item in value))
    if not isinstance(value, dict):
        return set()
    allowed = FIELDS.get(inside, {*FIELDS, "quality"})
    return (set(value) - allowed).union(*(unknown_names(item, name) for name, item in value.items()))


@pytest.mark.parametrize(
    "found", [recorded(region="DE"), by_work(region="FR"), logged()], ids=["record", "work", "log"]
)
def test_every_name_is_one_of_the_format_and_the_whole_is_json(found: TrainingEvidence) -> None:
    assert unknown_names(report(found)) == set()
    assert json.loads(json.dumps(report(found), allow_nan=False)) == report(found)


def test_energy_is_in_kilowatt_hours_time_in_seconds_and_parameters_in_billions() -> None:
    found = by_work(region="DE")
    content = report(found)
    assert content["measures"][0]["powerConsumption"] == found.estimates[0].value_kwh
    assert content["measures"][0]["measurementDuration"] == 7200.0
    assert content["task"]["algorithms"] == [{"parametersNumber": 0.025}]
    assert content["environment"] == {"country": "Germany", "powerSourceCarbonIntensity": intensity("DE").g_per_kwh}


def test_a_record_fills_the_machine_and_how_it_was_read() -> None:
    content = report(recorded())
    measure, parts = content["measures"][0], content["infrastructure"]["components"]
    assert (measure["cpuTrackingMode"], measure["gpuTrackingMode"]) == ("rapl", "nvml")
    assert measure["measurementDateTime"] == "2026-11-22 12:00:00"
    assert parts[0] == {"componentType": "cpu", "nbComponent": 1, "componentName": HOST.cpu}
    assert parts[1] == {
        "componentName": GPU.name, "componentType": "gpu", "nbComponent": 2, "share": pytest.approx(3 / 7)
    }  # fmt: skip
    assert parts[2] == {"componentType": "ram", "nbComponent": 1, "memorySize": 256}


@pytest.mark.parametrize(("error", "grade"), [(0.05, "high"), (0.2, "medium"), (0.4, "low"), (0.8, None)])
def test_the_grade_is_the_error_that_holds_the_whole_range(error: float, grade: str | None) -> None:
    found = replace(by_work(), estimates=(metered(1.0, source="meter", error=error),))
    assert report(found).get("quality") == grade


def test_what_is_required_and_not_known_is_named_and_not_filled_in() -> None:
    empty = gather(Sources(told=Told(hardware=None, hours=None)))
    lines = {entry.item: entry.value for entry in boamps(empty)}
    assert lines.pop("task.taskStage") == "training"
    assert lines == dict.fromkeys(ASKED, NOT_GIVEN)


def test_what_is_given_is_not_named_as_missing() -> None:
    lines = boamps(recorded(region="DE"))
    names = [entry.item for entry in lines]
    assert len(names) == len(set(names))
    assert {entry.item for entry in lines if entry.value == NOT_GIVEN} == set(ASKED) - {
        "environment.country", "measures.powerConsumption",
    }  # fmt: skip
