"""Record the energy and time of a training command: audit track -- python train.py"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from audit.energy.record import TrainingRecord
from audit.energy.tracker import track
from audit.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("training.json"), metavar="FILE", help="the record to write"
    )
    parser.add_argument("--samples", type=int, metavar="N", help="rows seen over all epochs")
    parser.add_argument("--steps", type=int, metavar="N", help="updates of the model")
    parser.add_argument(
        "--model", type=Path, metavar="PATH", help="the file or folder that the command saves: ties the two"
    )
    parser.add_argument("--meter-kwh", type=float, metavar="KWH", help="what a wall meter showed for this run")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the training and its arguments"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command and write its record. Ends with the command's own exit code, 128 + n for signal n."""
    command = _command(arguments.command)
    with track(arguments.out, samples=arguments.samples, steps=arguments.steps, model=arguments.model) as tracker:
        tracker.describe(meter_kwh=arguments.meter_kwh)
        code = _wait(command)
        tracker.finish(_status(code))
    print(_summary(tracker.record(), arguments.out), file=sys.stderr)
    return code if code >= 0 else 128 - code


def _command(words: list[str]) -> list[str]:
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        raise UsageError("no command to track: write audit track -- python train.py")
    if shutil.which(command[0]) is None:
        raise UsageError(f"cannot run {command[0]}: no such program; write audit track -- python train.py")
    return command


def _wait(command: list[str]) -> int:
    """Run it to its end. The terminal sends Ctrl-C to both: the command decides what it means."""
    with subprocess.Popen(command) as process:

        def pass_on(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        before = signal.signal(signal.SIGTERM, pass_on), signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGTERM, before[0])
            signal.signal(signal.SIGINT, before[1])


def _status(code: int) -> str:
    if code == 0:
        return "finished"
    return f"failed: exit code {code}" if code > 0 else f"failed: {signal.Signals(-code).name}"


def _summary(record: TrainingRecord, path: Path) -> str:
    from audit.energy.ladder import from_record
    from audit.wording import level, number, span

    known = from_record(record)
    if not known:
        energy = f"energy not known ({record.gpus_status})"
    else:
        best = known[0]
        bounds = span(best.lower_kwh, best.upper_kwh, "kWh", best.value_kwh)
        figure = number(best.value_kwh, "kWh", (best.upper_kwh - best.lower_kwh) / 2)
        energy = f"{figure} ({level(best.level)} range {bounds}, {best.rung} rung, {best.boundary} boundary)"
    return f"{path}: {record.wall_s:.1f} s, {record.cpu_s:.1f} CPU-seconds, {energy}; {record.status}"
