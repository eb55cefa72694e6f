"""Start-up and overhead of audit.track beside codecarbon's tracker, around the same program in the same run.

    ASSAY_CODECARBON_PYTHON=/path/to/venv/bin/python python -m benchmarks energy_tracker

codecarbon is looked for in the interpreter of that variable, else beside this one; it clashes with nothing of ours and
is no dependency. Each tracker runs in processes of its own around a program that sleeps, so that all CPU time between
start and stop is the tracker's; the least of several runs is shown, because everything else on the machine only adds.
codecarbon reads once a second. So does audit.track where a GPU must be sampled; without one it reads after 1, 2, 4 ...
30 s, because the kernel keeps the totals. Its worst case is shown too: a reading on disk each second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks._figures import Result, result

TIMES, SECONDS = 5, 8
TARGETS = {
    "start_cpu_ms": "<= 5",
    "overhead_percent_of_a_cpu": "<= 0.1",
    "overhead_percent_written_each_second": "<= 0.1",
    "codecarbon_found": ">= 1",
    "codecarbon_start_over_ours": ">= 1",
    "codecarbon_overhead_over_ours": ">= 1",
}
PROGRAM = """
import json, sys, time
began = time.perf_counter()
{imports}
imported, before = time.perf_counter(), time.process_time()
{start}
started, cpu = time.perf_counter(), time.process_time()
time.sleep({seconds})
spent = time.process_time() - cpu
{stop}
print(json.dumps({{"import_ms": (imported - began) * 1e3, "start_ms": (started - imported) * 1e3,
    "start_cpu_ms": (cpu - before) * 1e3,
    "overhead_percent_of_a_cpu": 100 * spent / {seconds}}}))
"""
OURS = {
    "imports": "from audit.energy.tracker import track",
    "start": "tracker = track('training.json'); tracker.__enter__()",
    "stop": "tracker.finish('finished')",
}
EACH_SECOND = {
    "imports": "from audit.energy.tracker import Sources, track",
    "start": "tracker = track('training.json', sources=Sources(checkpoint_s=1.0)); tracker.__enter__()",
    "stop": "tracker.finish('finished')",
}
CODECARBON = {
    "imports": "from codecarbon import OfflineEmissionsTracker",
    "start": "tracker = OfflineEmissionsTracker(country_iso_code='DEU', measure_power_secs=1, log_level='critical', "
    "output_dir='.'); tracker.start()",
    "stop": "tracker.stop()",
}


def measured(python: str, parts: Mapping[str, str]) -> dict[str, float]:
    """The least of each figure over several runs. RuntimeError where the program fails."""
    program = PROGRAM.format(**parts, seconds=SECONDS)
    runs = []
    for _ in range(TIMES):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([python, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else f"exit {done.returncode}")
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {name: min(run[name] for run in runs) for name in runs[0]}


def peer() -> str | None:
    """An interpreter that has codecarbon, or None."""
    python = os.environ.get("ASSAY_CODECARBON_PYTHON", sys.executable)
    if not Path(python).exists():
        return None
    found = subprocess.run([python, "-c", "import codecarbon"], capture_output=True, check=False)
    return python if found.returncode == 0 else None


def main() -> Result:
    ours, python = measured(sys.executable, OURS), peer()
    worst = measured(sys.executable, EACH_SECOND)["overhead_percent_of_a_cpu"]
    ours["overhead_percent_written_each_second"] = worst
    if python is None:
        print("codecarbon was not found: set ASSAY_CODECARBON_PYTHON to an interpreter that has it")
        return result("energy_tracker", {**ours, "codecarbon_found": 0.0}, TARGETS)
    theirs = measured(python, CODECARBON)
    figures = {**ours, "codecarbon_found": 1.0, **{f"codecarbon_{name}": value for name, value in theirs.items()}}
    figures["codecarbon_start_over_ours"] = theirs["start_cpu_ms"] / ours["start_cpu_ms"]
    figures["codecarbon_overhead_over_ours"] = theirs["overhead_percent_of_a_cpu"] / ours["overhead_percent_of_a_cpu"]
    return result("energy_tracker", figures, TARGETS)
