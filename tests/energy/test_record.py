"""A record is refused when it cannot be evidence, and read back as it was written when it can."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit.energy.plausible import refuse_implausible
from audit.energy.record import Counter, Gpu, Reading, TrainingRecord, from_text, to_text, write_atomically
from audit.errors import DataError
from audit.inputs.training_record import read_record
from tests.energy.trees import HOST, a_record, readings

GPU = Gpu(name="NVIDIA L4", covered_s=9.5, samples=10, counter_j=500.0, polled_j=None, utilisation=0.5, limit_w=72.0)


def full() -> TrainingRecord:
    return replace(
        a_record(host=replace(HOST, unmeasured_gpus=("NVIDIA L4",))),
        counters=(Counter(name="package-0", joules=12.5),),
        counters_status="read",
        gpus=(GPU,),
        gpus_status="read",
        samples=640,
        meter_kwh=0.2,
        notes=("a note",),
    )


def test_a_record_is_read_back_as_it_was_written() -> None:
    assert from_text(to_text(full()), "t.json") == replace(full(), model_match="unknown")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_record_is_refused(share: float) -> None:
    text = to_text(full()).rstrip()
    with pytest.raises(DataError, match=r"t\.json is truncated or not JSON"):
        from_text(text[: int(share * len(text))], "t.json")


def test_a_record_that_was_changed_is_refused() -> None:
    text = to_text(full()).replace('"cpu_s": 5400.0', '"cpu_s": 54.0', 1)
    with pytest.raises(DataError, match="was changed after it was written"):
        from_text(text, "t.json")


def rewritten(change: Callable[[dict[str, Any]], object]) -> str:
    """A record with this change and a content hash that fits it, as a faulty writer would make it."""
    from audit.energy import record as module

    content = json.loads(to_text(full()))
    del content["sha256"]
    change(content)
    return json.dumps({**content, "sha256": module._digest(content)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("wall_s"), "is truncated: .*wall_s"),
        (lambda c: c["host"].pop("vcpus"), "is truncated: .*vcpus"),
        (lambda c: c.update(horses=3), r"holds \['horses'\], which no record has"),
        (lambda c: c.update(cpu_s="many"), "cpu_s must be float, got 'many'"),
        (lambda c: c.update(samples=True), "samples must be int"),
        (lambda c: c.update(host=[]), "Host"),
        (lambda c: c.update(host=None), "Host holds NoneType"),
        (lambda c: c.update(readings={}), "readings"),
        (lambda c: c.update(notes="a note"), "notes"),
        (lambda c: c.update(version=2), "has version 2"),
        (lambda c: c.update(format="emissions"), "is not a training record"),
    ],
)
def test_a_record_of_another_shape_is_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_text(rewritten(change), "t.json")


def test_an_infinite_number_is_refused() -> None:
    with pytest.raises(DataError, match="1e999 is not a number"):
        from_text(to_text(full()).replace("5400.0", "1e999", 1), "t.json")


@pytest.mark.parametrize("text", ["[]", "3", '{"format": "assay-training-record", "version": NaN}', '{"kwh": 1e999}'])
def test_json_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        from_text(text, "t.json")


def at(wall_s: float, **changes: float) -> Reading:
    values = {"clock_s": wall_s, "suspended_s": 0.0, "cpu_s": wall_s, **changes}
    return Reading(wall_s=wall_s, **values)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (replace(full(), wall_s=0.0), "wall_s must be above 0"),
        (replace(full(), wall_s=1e300), "below a century"),
        (replace(full(), meter_kwh=1e300), "meter_kwh must be at most"),
        (replace(full(), host=replace(HOST, vcpus=0)), "0 processors in 1 sockets"),
        (replace(full(), cpu_s=-1.0), "cpu_s must be 0 or more, got -1"),
        (replace(full(), meter_kwh=-0.1), "meter_kwh must be 0 or more"),
        (replace(full(), counters=(Counter(name="package-0", joules=-3.0),)), "joules of package-0 must be 0 or more"),
        (replace(full(), gpus=(replace(GPU, counter_j=-1.0),)), r"NVIDIA L4\.counter_j must be 0 or more"),
        (replace(full(), gpus=(replace(GPU, utilisation=1.7),)), "utilisation must lie in 0..1"),
        (replace(full(), readings=()), "holds no reading"),
        (replace(full(), readings=(at(10.0), at(9.0))), "wall_s falls from 10.000 to 9.000"),
        (replace(full(), readings=(at(1.0), at(2.0, cpu_s=0.5))), "cpu_s falls"),
        (replace(full(), readings=(at(1.0, rapl_j=9.0), at(2.0, rapl_j=8.0))), "rapl_j falls"),
        (
            replace(full(), readings=(at(1.0), at(2.0, clock_s=3600.0))),
            "the clock jumped: 3599.0 s by the clock, 1.0 s",
        ),
        (replace(full(), readings=(at(1.0), at(2.0, clock_s=-60.0))), "the clock jumped"),
        (replace(full(), cpu_s=128 * 3600.0 * 1.1), "do not fit 128 processors"),
    ],
)
def test_what_no_run_can_have_produced_is_refused(record: TrainingRecord, message: str) -> None:
    with pytest.raises(DataError, match=message):
        refuse_implausible(record, "t.json")


def test_a_machine_that_slept_did_not_jump_and_a_slewed_clock_did_not_either() -> None:
    slept = (at(1.0), at(2.0, clock_s=7202.0, suspended_s=7200.0))
    slewed = (at(0.0), at(100_000.0, clock_s=100_050.0))
    for rows in (slept, slewed, readings(wall_s=10.0, cpu_s=10.0)):
        refuse_implausible(replace(full(), readings=rows), "t.json")


@pytest.mark.parametrize(
    ("recorded", "audited", "match"),
    [("aa", "aa", "same"), ("aa", "bb", "other"), ("", "bb", "unknown"), ("aa", "", "unknown")],
)
def test_a_record_is_tied_to_the_model_by_its_hash(tmp_path: Path, recorded: str, audited: str, match: str) -> None:
    path = tmp_path / "training.json"
    path.write_text(to_text(replace(full(), model_sha256=recorded)))
    assert read_record(path, model_sha256=audited).model_match == match


def test_a_file_that_is_missing_or_binary_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read the training record .*none\.json: No such file"):
        read_record(tmp_path / "none.json")
    (tmp_path / "model.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not text"):
        read_record(tmp_path / "model.bin")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "training.json"
    write_atomically(path, "old", durable=True)

    def full_disk(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new", durable=False)
    assert [item.name for item in tmp_path.iterdir()] == ["training.json"]
    assert path.read_text() == "old"
