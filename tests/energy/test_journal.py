"""A record of a run that still goes on: lines are added, and none can be changed or lost unseen."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.energy import journal
from audit.energy.journal import READING, Journal
from audit.energy.record import Counter, TrainingRecord, from_text, stated_sha256, to_text
from audit.energy.tracker import Sources, Tracker, track
from audit.errors import DataError
from audit.inputs.training_record import read_record
from tests.energy.trees import a_record, readings, set_joules, zone

RUNNING = replace(a_record(), status="running", model_match="unknown")


def with_lines(path: Path, count: int) -> TrainingRecord:
    """A running record on disk with this many lines after it, and what it should read as."""
    text = to_text(RUNNING)
    path.write_text(text)
    kept, more = Journal(path, stated_sha256(text)), readings(wall_s=9000.0, cpu_s=9000.0, count=count + 2)[2:]
    later = [replace(item, wall_s=item.wall_s + 3600, cpu_s=item.cpu_s + 5400) for item in more]
    for reading in later:
        kept.add({READING: asdict(reading), "wall_s": reading.wall_s, "cpu_s": reading.cpu_s})
    kept.close()
    last = later[-1] if later else RUNNING.readings[-1]
    return replace(RUNNING, readings=(*RUNNING.readings, *later), wall_s=last.wall_s, cpu_s=last.cpu_s)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_the_lines_after_a_record_are_read_as_its_later_readings(tmp_path: Path, count: int) -> None:
    expected = with_lines(tmp_path / "t.json", count)
    assert from_text((tmp_path / "t.json").read_text(), "t.json") == expected


@given(st.floats(0.0, 1.0))
def test_a_line_that_was_cut_off_is_left_out_and_the_others_stay(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    path = tmp_path_factory.mktemp("run") / "t.json"
    with_lines(path, 3)
    text = path.read_text()
    cut = 1 + int(share * (len(text.splitlines()[-1]) - 1))
    found, whole = from_text(text[:-cut], "t.json"), from_text(text, "t.json")
    assert found.readings == whole.readings[:-1]
    assert found.wall_s < whole.wall_s


@pytest.mark.parametrize(("old", "new"), [("12600.0", "12601.0"), ("wall_s", "cpu_s"), ("{", '{"samples":1,')])
def test_a_line_that_was_changed_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with_lines(tmp_path / "t.json", 3)
    document, end, lines = (tmp_path / "t.json").read_text().partition("\n}\n")
    assert old in lines
    with pytest.raises(DataError, match="a line's hash does not match"):
        from_text(document + end + lines.replace(old, new), "t.json")


def test_a_line_that_was_taken_out_is_refused(tmp_path: Path) -> None:
    with_lines(tmp_path / "t.json", 3)
    lines = (tmp_path / "t.json").read_text().splitlines(keepends=True)
    with pytest.raises(DataError, match="a line's hash does not match"):
        from_text("".join(lines[:-2] + lines[-1:]), "t.json")


def test_a_finished_record_has_nothing_after_its_end() -> None:
    with pytest.raises(DataError, match="holds more after its end"):
        from_text(to_text(a_record()) + "{}\n", "t.json")


def test_a_reading_adds_one_line_and_leaves_the_rest_of_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    package = zone(tmp_path / "powercap", "intel-rapl:0", "package-0", 100.0)
    with track(path, sources=Sources(powercap=tmp_path / "powercap", checkpoint_s=1e6)) as tracker:
        before = path.read_text()
        set_joules(package, 142.0)
        tracker._take_reading()
        tracker._keep()
        after = path.read_text()
        record = read_record(path)
        assert after.startswith(before)
        assert after.removeprefix(before).count("\n") == 1
        assert record.counters == (Counter(name="package-0", joules=42.0),)
        assert (record.status, len(record.readings)) == ("running", 2)
    assert read_record(path).status == "finished"
    assert json.loads(path.read_text())["readings"][1]["rapl_j"] == 42.0


def kept(tracker: Tracker, times: int) -> None:
    for _ in range(times):
        tracker._take_reading()
        tracker._keep()


def test_a_long_journal_begins_anew_and_the_file_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_LINES", 5)
    path = tmp_path / "training.json"
    with track(path, sources=Sources(checkpoint_s=1e6)) as tracker:
        kept(tracker, 23)
        assert len(read_record(path).readings) == 24
        assert len(path.read_text().partition("\n}\n")[2].splitlines()) <= 5


def test_a_disk_that_takes_half_a_line_warns_and_the_next_reading_mends_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "training.json", os.write
    with track(path, sources=Sources(checkpoint_s=1e6)) as tracker:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[: len(data) // 2]))
            with pytest.warns(UserWarning, match="No space left on device"):
                kept(tracker, 1)
        assert len(read_record(path).readings) == 1
        kept(tracker, 2)
        assert len(read_record(path).readings) == 4


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors are counted in /proc")
def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with track(tmp_path / "training.json") as tracker:
        kept(tracker, 3)
    assert len(os.listdir("/proc/self/fd")) == before
