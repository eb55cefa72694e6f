"""CPU seconds and peak memory of the first commands: audit --help, audit list, audit check, beside Python itself.

    python -m benchmarks startup

Each command runs in a process of its own; the best of several is shown, because everything else on the machine only
adds. Bytecode is cached, as it is for a user after the first command. Python alone is the floor that no command can be
under; importing pyarrow and pydantic, which read the columns and audit.toml, is the floor of ``audit check``.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._figures import Result, result

TIMES = 7
TARGETS = {"help_cpu_s": "<= 0.15", "list_cpu_s": "<= 0.3", "check_cpu_s": "<= 0.5"}
SPEC = """schema = 1
name = "startup"

[data.test]
path = "scores.csv"
target = "label"
score = "score"
groups = ["race", "sex"]

[[limit]]
measure = "true_positive_rate"
by = ["race", "sex"]
compare = "difference"
max = 0.10
why = "to be planned"
"""


@dataclass(frozen=True, slots=True)
class Cost:
    cpu_s: float
    peak_mib: float


def cost_of(command: Sequence[str], folder: Path) -> Cost:
    """The least of several runs. RuntimeError when the command does not exit 0."""
    runs = [_once(command, folder) for _ in range(TIMES)]
    return Cost(min(run.cpu_s for run in runs), min(run.peak_mib for run in runs))


def _once(command: Sequence[str], folder: Path) -> Cost:
    cached = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    cached["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=cached)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def lay(folder: Path, rows: int) -> None:
    """An audit of ``rows`` stored scores."""
    stream = random.Random(1)
    lines = (
        f"{stream.random():.4f},{stream.randrange(2)},{stream.choice('abcd')},{stream.choice('FM')}"
        for _ in range(rows)
    )
    (folder / "scores.csv").write_text("score,label,race,sex\n" + "\n".join(lines) + "\n")
    (folder / "audit.toml").write_text(SPEC)


def main() -> Result:
    audit = [sys.executable, "-c", "import sys; from audit.cli import main; sys.exit(main())"]
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "libraries": [sys.executable, "-c", "import pyarrow.compute, pyarrow.csv, pyarrow.parquet, pydantic.main"],
        "help": [*audit, "--help"],
        "list": [*audit, "list"],
        "check": [*audit, "check"],
    }
    with tempfile.TemporaryDirectory() as work:
        lay(Path(work), 10_000)
        costs = {name: cost_of(command, Path(work)) for name, command in commands.items()}
    figures = {f"{name}_cpu_s": cost.cpu_s for name, cost in costs.items()}
    figures |= {f"{name}_peak_mib": cost.peak_mib for name, cost in costs.items()}
    return result("startup", figures, TARGETS)
