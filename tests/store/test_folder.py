"""A run folder is written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet
import pytest

from audit import store
from audit.errors import StoreError
from audit.policy import Finding, Limit, Verdict
from audit.record import AuditRun
from audit.results import Interval, Measurement, Outcome
from audit.stats import rate
from audit.stats.bases import evaluate
from audit.store import folder, tables
from audit.store.compact import compact
from tests.reports.runs import record, rich


def named(run: AuditRun, path: Path) -> None:
    path.write_text(run.name)


def test_a_written_run_is_read_back_as_it_was_returned(tmp_path: Path) -> None:
    path, stored = store.write(rich(), tmp_path, {"note.txt": named})
    assert store.read(path) == stored
    assert (path / "note.txt").read_text() == "mortgage"
    assert path.name.startswith("mortgage-20261122T180411Z-")
    assert path.name.endswith(stored.id[:8])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_two_runs_of_one_second_have_two_folders(tmp_path: Path) -> None:
    paths = {store.write(rich(), tmp_path, {})[0] for _ in range(3)}
    assert len(paths) == 3
    with ThreadPoolExecutor(4) as pool:
        more = set(pool.map(lambda _: store.write(rich(), tmp_path, {})[0], range(8)))
    assert len(more) == 8
    assert not more & paths
    assert all(store.verify_integrity(path) == [] for path in more)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_writer_that_raises_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    def breaks(run: AuditRun, path: Path) -> None:
        path.write_text("half")
        raise error

    with pytest.raises(StoreError if isinstance(error, OSError) else type(error)):
        store.write(rich(), tmp_path / "runs", {"report.html": breaks})
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("name", ["fsync", "rename"])
def test_a_full_disk_is_said_in_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, name, full)
    with pytest.raises(StoreError, match="No space left on device: nothing was kept"):
        store.write(rich(), tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="name another folder with --out"):
        store.write(rich(), tmp_path / "file" / "runs", {})


KILLED = """
import signal, sys, time
from pathlib import Path
from audit import store
from tests.reports.runs import rich
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
def slow(run, path):
    path.write_text("half"); print("writing", flush=True); time.sleep(60)
store.write(rich(), Path(sys.argv[1]), {"report.html": slow})
"""


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_kill_in_the_middle_leaves_no_run(tmp_path: Path, sign: int) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        if process.stdout is None:
            pytest.fail("no output to wait for")
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(sign)
        assert process.wait(30) != 0
    assert store.list_runs(tmp_path) == []
    assert [p for p in tmp_path.iterdir() if not p.name.startswith(".")] == []


def test_the_newest_run_comes_first_and_a_broken_one_is_listed_with_its_fault(tmp_path: Path) -> None:
    old, new = rich(), rich(name="later")
    new = replace(new, machine=replace(new.machine, created="2026-11-23T00:00:00Z"))
    first, _ = store.write(old, tmp_path, {})
    second, _ = store.write(new, tmp_path, {})
    broken, _ = store.write(old, tmp_path, {})
    (broken / "result.json").write_text("{}")
    entries = store.list_runs(tmp_path)
    assert [e.folder for e in entries] == [second, first, broken]
    assert entries[-1].fault
    assert store.find_run(tmp_path) == second
    assert store.find_run(first / "result.json") == first
    assert store.list_runs(tmp_path / "nothing") == []
    with pytest.raises(StoreError, match="audit run"):
        store.find_run(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["../../up", "a/b", "", "...", "<script>", "é" * 300, "\udc80", "-rf"])
def test_a_folder_stays_inside_whatever_the_audit_is_called(tmp_path: Path, name: str) -> None:
    path, _ = store.write(rich(name=name), tmp_path, {})
    assert path.parent == tmp_path
    assert path.name.isascii()
    assert not path.name.startswith((".", "-"))


def many_groups(groups: int, measures: int = 8) -> AuditRun:
    """As the widest audits are: every measure of every group, all of them judged."""
    bases = [rate(g % 40, 40 + g % 7) for g in range(groups)]
    made = evaluate(bases, 0.025)
    found = [
        Measurement(
            name=f"measure_{i}", value=made.value[g], basis=bases[g], n=40 + g % 7, unit="1", method="Wilson",
            interval=Interval(lower=made.lower[g], upper=made.upper[g], level=0.95, method="Wilson"),
            slice={"site": f"hospital {g:05d}"},
        )
        for i in range(measures)
        for g in range(groups)
    ]  # fmt: skip
    judged = tuple(
        Finding(
            limit=Limit(measure=f"measure_{i}", by=("site",), compare="difference", max=0.1),
            verdict=Verdict.INCONCLUSIVE, subject=found[0], message="m", remedy="r",
        )
        for i in range(measures)
    )  # fmt: skip
    return rich(records=(record("fairness.rates", Outcome(measurements=tuple(found))),), findings=judged)


@pytest.mark.parametrize("groups", [500, pytest.param(5000, marks=pytest.mark.slow)])
def test_two_hundred_bytes_a_group_hold_eight_measures_of_it(tmp_path: Path, groups: int) -> None:
    """So 5,000 groups stay under a megabyte."""
    path, stored = store.write(many_groups(groups), tmp_path, {})
    assert (path / "result.json").stat().st_size < 100_000 + 180 * groups
    assert pyarrow.parquet.read_metadata(path / folder.GROUPS).num_rows == 8 * groups
    assert len(list(stored.measurements())) == 8 * groups


def test_the_identity_of_a_result_is_that_of_its_file(tmp_path: Path) -> None:
    path, stored = store.write(rich(), tmp_path, {})
    assert json.loads((path / "result.json").read_text())["id"] == stored.id
    assert folder.identified(stored).id == stored.id


def test_a_table_of_groups_written_and_read_in_blocks_has_the_digest_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = many_groups(20)
    whole = tables.digest(run)
    monkeypatch.setattr(tables, "_BLOCK", 7)
    path, stored = store.write(run, tmp_path, {})
    assert pyarrow.parquet.ParquetFile(path / folder.GROUPS).num_row_groups > 1
    assert stored.groups_sha256 == whole == tables.stored_digest(run, path / folder.GROUPS)
    assert store.verify_integrity(path) == []


def test_groups_stand_on_one_line_whatever_their_names_hold(tmp_path: Path) -> None:
    odd = ['a "b", [c', "]\\", "line\nbreak", ",\n  ]", "emoji \U0001f98a", '"],\n[']
    content = {"levels": [[[name, None] for name in odd], [["x"]]], "columns": ["a", "b"], "n": [1, 2.5]}
    folder.write_json(content, tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text) == content
    assert len(text.splitlines()) <= 16


def test_very_many_groups_are_stored_one_measure_after_the_other_and_in_their_order() -> None:
    run = many_groups(400)
    by_group = sorted(run.records[0].outcome.measurements, key=lambda m: m.slice["site"] or "")
    before = replace(run.records[0], outcome=Outcome(measurements=tuple(by_group)))
    (after,) = compact(replace(run, records=(before,))).records
    assert len([1 for a, b in pairwise(after.outcome.measurements) if a.name != b.name]) == 7
    for name in {m.name for m in before.outcome.measurements}:
        groups = [[m for m in record.outcome.measurements if m.name == name] for record in (before, after)]
        assert groups[0] == groups[1]
