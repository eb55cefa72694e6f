"""What is written comes back, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from audit import store
from audit.errors import StoreError
from audit.record import AuditRun
from audit.results import Basis, Interval, Measurement, Outcome
from audit.stats import measured, rate
from audit.store.formats import v1
from audit.store.formats.v1 import VARYING
from tests.reports.runs import record, rich
from tests.store.runs import runs


def again(run: AuditRun) -> AuditRun:
    """Through JSON text and back."""
    content, arrays = v1.dump(run)
    return v1.load(json.loads(json.dumps(content, allow_nan=False)), arrays.__getitem__)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_a_run_comes_back_as_it_was(run: AuditRun) -> None:
    assert again(run) == run


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_its_id_is_the_same_after_it_was_read(run: AuditRun) -> None:
    assert v1.identity(v1.dump(again(run))[0]) == v1.identity(v1.dump(run)[0])


def test_the_id_depends_on_what_was_measured_and_not_on_the_machine() -> None:
    run = rich()
    other = replace(run, machine=replace(run.machine, seconds=1.0, created="2027-01-01T00:00:00Z", command="x"))
    assert v1.identity(v1.dump(run)[0]) == v1.identity(v1.dump(other)[0])
    assert v1.identity(v1.dump(run)[0]) != v1.identity(v1.dump(replace(run, seed=1))[0])
    assert set(VARYING) == {"id", "machine"}


@pytest.mark.parametrize(
    ("cost", "in_the_id"), [("timing", False), ("replay", False), ("retrain", True), ("predict", True)]
)
def test_what_measures_this_machine_is_no_part_of_the_id(cost: str, in_the_id: bool) -> None:
    run = rich()
    outcome = run.records[0].outcome
    more = replace(run, records=(*run.records, replace(record("energy.of_this_machine", outcome), cost=cost)))
    assert (v1.identity(v1.dump(run)[0]) != v1.identity(v1.dump(more)[0])) is in_the_id


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    half: Any = np.float32(0.5)
    whole: Any = np.int64(10)
    basis = Basis(method="wilson", numbers={"k": half * 10, "n": whole})
    bounds = Interval(lower=half / 2, upper=whole // 10, level=0.95, method="Wilson")
    odd = Measurement(
        name="a", value=half, interval=bounds, basis=basis, n=whole,
        unit="1", method="m", slice={"g": "x"},
    )  # fmt: skip
    run = rich(records=(record("a.b", Outcome(measurements=(odd,))),))
    assert again(run).records[0].outcome.measurements == (odd,)


def test_a_group_value_that_does_not_follow_from_its_basis_is_kept_as_it_is() -> None:
    bounds = Interval(lower=0.1, upper=0.2, level=0.95, method="mine")
    odd = Measurement(
        name="a", value=0.15, interval=bounds, basis=rate(1, 2), n=2, unit="1", method="m", slice={"g": "x"}
    )
    run = rich(records=(record("a.b", Outcome(measurements=(odd,))),))
    assert again(run).records[0].outcome.measurements == (odd,)


def test_words_of_the_user_that_look_like_a_picture_are_words() -> None:
    fake = {"array": "a", "sha256": "b", "shape": "c", "dtype": "d"}
    run = rich(spec={"columns": {"race": {"labels": fake}}})
    assert again(run).spec == run.spec


def with_groups() -> AuditRun:
    """A run whose first record holds a rate of two groups and one of all rows."""
    found = [
        measured(name="selection_rate", basis=rate(k, 50), level=0.95, n=50, unit="1", slice=group)
        for k, group in ((20, {}), (11, {"sex": "f"}), (9, {"sex": None}))
    ]
    first = record("fairness.group_rates", Outcome(measurements=tuple(found)))
    return rich(records=(first, *rich().records))


def written(folder: Path, run: AuditRun | None = None) -> Path:
    return store.write(run or with_groups(), folder, {})[0] / "result.json"


def edit(path: Path, change: Any) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


FAULTS: dict[str, Any] = {
    "an unknown key": lambda c: c.update(extra=1),
    "an unknown key deep inside": lambda c: c["records"][0]["outcome"]["measurements"][0].update(extra=1),
    "an unknown key of a finding": lambda c: c["findings"][0].update(extra=1),
    "a headline that is not its detail": lambda c: c["findings"][0].update(value=0.0),
    "a missing key": lambda c: c.pop("verdict"),
    "a wrong type": lambda c: c.update(exit_code="one"),
    "a wrong verdict": lambda c: c.update(verdict="fine"),
    "records that are no list": lambda c: c.update(records=5),
    "a record that is no table": lambda c: c.update(records=["x"]),
    "a grid that lacks a number": lambda c: c["records"][0]["outcome"]["grids"][0]["n"].pop(),
    "an unknown method": lambda c: c["records"][0]["outcome"]["grids"][0].update(basis="magic"),
    "an interval upside down": lambda c: c["records"][0]["outcome"]["measurements"][0]["interval"].update(lower=9.0),
    "another schema": lambda c: c.update(schema=2),
    "no schema": lambda c: c.pop("schema"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_schema_1_is_refused(tmp_path: Path, fault: str) -> None:
    path = written(tmp_path)
    edit(path, FAULTS[fault])
    with pytest.raises(StoreError, match=r"result\.json"):
        store.read(path.parent)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": NaN}', '{"schema": 1e999}', "[" * 100_000, "\xff"])
def test_a_file_that_is_no_result_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = written(tmp_path)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreError, match=r"result\.json"):
        store.read(path.parent)
    (entry,) = store.list_runs(tmp_path)
    assert "result.json" in entry.fault


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(tmp_path: Path, number: str) -> None:
    path = written(tmp_path)
    text = path.read_text()
    path.write_text(text.replace('"confidence": 0.95', f'"confidence": {number}'))
    assert path.read_text() != text
    with pytest.raises(StoreError, match="finite"):
        store.read(path)


def test_an_edited_result_is_detected_and_an_untouched_one_is_not(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert store.verify_integrity(path) == []
    edit(path, lambda c: c["findings"][1].update(verdict="pass"))
    assert any("edited" in fault for fault in store.verify_integrity(path))


def test_an_edited_picture_is_detected(tmp_path: Path) -> None:
    path = written(tmp_path).parent / "evidence" / "arrays.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"arrays\.safetensors"):
        store.read(path.parent.parent)
    path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        store.read(path.parent.parent)


def test_two_dumps_of_one_run_are_the_same_bytes() -> None:
    one, other = (json.dumps(v1.dump(rich())[0]) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("words", ["[1, 2]", "[\n 1,\n 2\n]", "]", '"\n[\n1\n]'])
def test_words_that_look_like_a_list_of_numbers_stay_as_they_are(tmp_path: Path, words: str) -> None:
    path = written(tmp_path, rich(purpose=words))
    assert store.read(path).purpose == words
    assert store.verify_integrity(path) == []
