"""``audit track``: the command's own exit code, and a record whatever happens to it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from audit.cli import track
from audit.errors import UsageError
from audit.inputs.training_record import read_record


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    track.add_arguments(parser.add_subparsers().add_parser("track"))
    return track.run(parser.parse_args(["track", *words]))


def test_children_of_the_command_are_recorded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "t.json"
    program = "import time\nwhile time.process_time() < 0.2: pass\nprint('trained')"
    assert run("--out", str(out), "--samples", "5", "--meter-kwh", "0.0001", "--", sys.executable, "-c", program) == 0
    record = read_record(out)
    assert record.cpu_s >= 0.2
    assert (record.status, record.samples, record.meter_kwh) == ("finished", 5, 0.0001)
    printed = capfd.readouterr()
    assert printed.out == "trained\n"
    assert "metered rung, system boundary" in printed.err


@pytest.mark.parametrize(
    ("program", "code", "status"),
    [
        ("raise SystemExit(3)", 3, "failed: exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", 137, "failed: SIGKILL"),
    ],
)
def test_a_failure_is_passed_on_and_recorded(tmp_path: Path, program: str, code: int, status: str) -> None:
    out = tmp_path / "t.json"
    assert run("-o", str(out), "--", sys.executable, "-c", program) == code
    assert read_record(out).status == status


@pytest.mark.parametrize("words", [(), ("--",), ("--", "no-such-program-here")])
def test_nothing_to_run_is_a_usage_error_that_shows_the_way(tmp_path: Path, words: tuple[str, ...]) -> None:
    out = tmp_path / "t.json"
    with pytest.raises(UsageError, match=r"audit track -- python train\.py"):
        run("-o", str(out), *words)
    assert not out.exists()
