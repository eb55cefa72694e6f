"""The tracker records what was used, survives what it tracks, and never stops it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.energy.record import TrainingRecord
from audit.energy.tracker import MOST_READINGS, Sources, Tracker, track
from audit.errors import StoreError, UsageError
from audit.inputs.training_record import read_record
from tests.energy.trees import FakeGpu, FakeNvml, proc_tree, set_joules, until, zone

ROOT = Path(__file__).parents[2]


def spend(cpu_s: float) -> None:
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass


def tracked(path: Path, sources: Sources, work: Callable[[Tracker], object]) -> TrainingRecord:
    with track(path, sources=sources) as tracker:
        work(tracker)
    return read_record(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "training.json"


def test_cpu_seconds_and_duration_are_those_of_the_block(path: Path) -> None:
    before = time.monotonic()
    with track(path, samples=640, steps=20):
        spend(0.2)
    elapsed = time.monotonic() - before
    record = read_record(path)
    assert record.status == "finished"
    assert 0.2 <= record.cpu_s <= 0.2 + elapsed
    assert 0.2 <= record.wall_s <= elapsed
    assert (record.samples, record.steps) == (640, 20)


def test_a_crash_keeps_the_record_says_what_failed_and_lets_the_error_rise(path: Path) -> None:
    def crash() -> None:
        spend(0.05)
        raise ZeroDivisionError("row 17: Ada Lovelace, 36")

    with pytest.raises(ZeroDivisionError), track(path):
        crash()
    record = read_record(path)
    assert record.status == "failed: ZeroDivisionError"
    assert record.cpu_s >= 0.05
    assert "Ada" not in path.read_text()


@pytest.mark.parametrize(("code", "status"), [(0, "finished"), (None, "finished"), (3, "failed: SystemExit")])
def test_leaving_by_exit_is_a_failure_only_with_a_code(path: Path, code: int | None, status: str) -> None:
    with pytest.raises(SystemExit), track(path):
        raise SystemExit(code)
    assert read_record(path).status == status


def test_a_process_that_is_killed_leaves_its_record_up_to_the_last_checkpoint(path: Path) -> None:
    program = f"""
import os, signal
from audit.energy.tracker import Sources, track
with track({str(path)!r}, sources=Sources(checkpoint_s=0.02)) as tracker:
    while len(tracker.record().readings) < 4: sum(range(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    record = read_record(path)
    assert done.returncode == -signal.SIGKILL
    assert record.status == "running"
    assert len(record.readings) >= 2
    assert record.cpu_s > 0


def test_the_record_exists_from_the_first_moment(path: Path) -> None:
    with track(path):
        assert read_record(path).status == "running"


def test_a_record_that_cannot_be_written_fails_before_the_training(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write the training record"), track(tmp_path / "none" / "t.json"):
        pytest.fail("the block must not begin")


def test_a_disk_that_fills_up_warns_and_does_not_stop_the_training(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(target: Path, text: str, *, durable: bool) -> None:
        raise OSError(28, "No space left on device")

    with pytest.warns(UserWarning, match="could not be written: No space left on device"), track(path):
        monkeypatch.setattr("audit.energy.tracker.write_atomically", full_disk)
    assert read_record(path).status == "running"


def test_what_is_told_after_the_block_is_in_the_record(path: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.skops"
    with track(path) as tracker:
        spend(0.01)
    model.write_bytes(b"weights")
    tracker.describe(model=model, samples=10, meter_kwh=0.5)
    record = read_record(path)
    assert record.model_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert (record.samples, record.meter_kwh) == (10, 0.5)


def test_a_model_file_that_was_never_saved_is_a_note_not_an_error(path: Path, tmp_path: Path) -> None:
    with track(path, model=tmp_path / "never.skops"):
        spend(0.01)
    assert read_record(path).notes == ("the model file never.skops could not be read: FileNotFoundError",)


@pytest.mark.parametrize("samples", [0, -1, float("nan")])
def test_a_count_that_is_not_above_zero_is_refused_at_the_start(path: Path, samples: int) -> None:
    with pytest.raises(UsageError, match="samples must be a number above 0"):
        track(path, samples=samples)


def test_a_tracker_runs_once(path: Path) -> None:
    tracker = track(path)
    with tracker:
        spend(0.01)
    with pytest.raises(UsageError, match="has run already"):
        tracker.__enter__()


def test_counters_of_the_cpu_are_read_at_the_start_and_at_the_end(path: Path, tmp_path: Path) -> None:
    package = zone(tmp_path / "powercap", "intel-rapl:0", "package-0", 100.0)
    sources = Sources(proc=proc_tree(tmp_path), powercap=tmp_path / "powercap")
    record = tracked(path, sources, lambda _: set_joules(package, 142.0))
    assert record.counters_status == "read"
    assert [(counter.name, counter.joules) for counter in record.counters] == [("package-0", 42.0)]
    assert record.host.cpu == "AMD EPYC 7763 64-Core Processor"


def test_a_gpu_is_sampled_by_a_thread_and_its_counter_read_to_the_end(path: Path, tmp_path: Path) -> None:
    fake = FakeNvml([FakeGpu(name="NVIDIA L4", watts=50.0, utilisation=100)])
    sources = Sources(
        proc=proc_tree(tmp_path, gpus=("NVIDIA L4",)), powercap=tmp_path, nvml=lambda: fake, sample_s=0.005
    )

    def work(tracker: Tracker) -> None:
        until(lambda: any(gpu.samples >= 3 for gpu in tracker.record().gpus))
        fake.gpus[0].counter_mj = 1_007_000.0

    record = tracked(path, sources, work)
    (gpu,) = record.gpus
    assert gpu.counter_j == pytest.approx(7.0)
    assert gpu.polled_j == pytest.approx(50.0 * gpu.covered_s)
    assert gpu.utilisation == pytest.approx(1.0)
    assert record.host.unmeasured_gpus == ()
    assert fake.open_count == 0


def test_a_gpu_counter_that_is_reset_during_the_run_leaves_a_record_that_can_be_read(
    path: Path, tmp_path: Path
) -> None:
    fake = FakeNvml([FakeGpu(name="NVIDIA L4")])
    sources = Sources(
        proc=proc_tree(tmp_path, gpus=("NVIDIA L4",)), powercap=tmp_path, nvml=lambda: fake, checkpoint_s=0.005
    )

    def work(tracker: Tracker) -> None:
        until(lambda: bool(tracker.record().gpus))
        fake.gpus[0].counter_mj = 1_500_000.0
        until(lambda: tracker.record().readings[-1].gpu_j > 0)
        fake.gpus[0].counter_mj = 3.0

    (gpu,) = tracked(path, sources, work).gpus
    assert gpu.counter_j is None
    assert gpu.polled_j is not None


def test_a_gpu_that_nvml_cannot_read_is_listed_as_not_measured(path: Path, tmp_path: Path) -> None:
    def missing() -> object:
        raise ImportError("No module named 'pynvml'")

    proc = proc_tree(tmp_path, gpus=("NVIDIA L4",))
    record = tracked(path, Sources(proc=proc, powercap=tmp_path, nvml=missing), lambda _: spend(0.01))
    assert record.host.unmeasured_gpus == ("NVIDIA L4",)
    assert "assay[gpu]" in record.gpus_status


def test_nvml_is_not_loaded_where_no_driver_is(path: Path, tmp_path: Path) -> None:
    sources = Sources(proc=proc_tree(tmp_path), powercap=tmp_path, nvml=lambda: pytest.fail("loaded"))
    assert tracked(path, sources, lambda _: None).gpus_status == "absent"


def test_a_forked_child_that_leaves_the_block_does_not_write_the_record(path: Path) -> None:
    program = f"""
import os
from audit.energy.tracker import track
with track({str(path)!r}):
    child = os.fork()
    if not child: raise SystemExit(5)
    os.waitpid(child, 0)
    import json; print(json.load(open({str(path)!r}))["status"])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "running\n"
    assert read_record(path).status == "finished"


def test_a_long_run_keeps_a_bounded_number_of_readings_and_the_last_one(path: Path) -> None:
    with track(path) as tracker:
        for _ in range(3 * MOST_READINGS):
            tracker._take_reading()
    record = read_record(path)
    assert MOST_READINGS / 2 <= len(record.readings) <= MOST_READINGS
    assert record.readings[-1].wall_s == record.wall_s


def test_no_thread_stays_behind(path: Path) -> None:
    before = threading.active_count()
    with track(path):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_the_start_imports_nothing_heavy_and_opens_no_socket(path: Path) -> None:
    program = f"""
import sys, socket
def refuse(*a, **k): raise RuntimeError("network")
socket.socket = refuse
from audit.energy.tracker import track
with track({str(path)!r}): pass
print([m for m in ("numpy", "torch", "pandas", "scipy", "pynvml", "pydantic") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_record_names_no_person_and_no_machine(path: Path) -> None:
    with track(path):
        spend(0.01)
    text = path.read_text()
    assert os.uname().nodename not in text
    assert str(Path.home()) not in text or str(Path.home()) == "/"
    assert json.loads(text)["host"].keys() >= {"cpu", "vcpus", "virtualised"}
