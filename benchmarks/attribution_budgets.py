"""What explaining the three demonstrations costs: the shared explanations of each, over the data that it audits.

One thread (OMP_NUM_THREADS=1), CPU seconds, the least of several runs. There is no peer here: these are the budgets
that keep `audit demo` under a minute.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from threadpoolctl import threadpool_limits

from audit.case import open_case
from audit.demo.making import CASES, make
from audit.engine import Runner
from audit.registry import find
from audit.spec import load
from benchmarks._figures import Result, cpu_seconds, result

BUDGETS = {"mortgage-pipeline": 5.0, "mortgage-mlp": 2.0, "digits-cnn": 3.0}


def main() -> Result:
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        figures = {f"{name}_cpu_s": _spent(name, Path(folder) / name) for name in CASES}
    return result("attribution_budgets", figures, {f"{name}_cpu_s": f"<= {most}" for name, most in BUDGETS.items()})


def _spent(name: str, folder: Path) -> float:
    make(name, folder)
    case, registry = open_case(load(folder / "audit.toml")), find()
    wanted = "explained_maps" if name == "digits-cnn" else "explanations"
    return cpu_seconds(lambda: Runner(case=case, registry=registry).made(wanted, "test"))
