"""A real audit through the command line, in a process and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

REPOSITORY = Path(__file__).parents[2]


def world(folder: Path, groups: list[str], *, names: tuple[str, str] = ("race", "income"), title: str = "w") -> Path:
    """A table and a model in ``folder``; the path of its audit.toml. ``names``: a group column and a feature."""
    group, feature = names
    rng = np.random.default_rng(0)
    n = 240
    table = pd.DataFrame({feature: rng.normal(size=n), "debt": rng.normal(size=n)})
    table["y"] = (table[feature] + rng.normal(size=n) > 0).astype(int)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table[[feature, "debt"]], table["y"])
    table[group] = [groups[i % len(groups)] for i in range(n)]
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "t.parquet")
    skops.io.dump(model, folder / "m.skops")
    spec = {"name": title, "purpose": title, "why": f"{title} {groups[0]}"}
    told = {key: json.dumps(value) for key, value in spec.items()}
    (folder / "audit.toml").write_text(
        f'name = {told["name"]}\npurpose = {told["purpose"]}\n[model]\npath = "m.skops"\n'
        f'[data.test]\npath = "t.parquet"\ntarget = "y"\npositive = 1\ngroups = [{json.dumps(group)}]\n'
        f'[evidence]\nrows = "sample"\n[gate]\nmax_waivers = 3\n'
        f'[[limit]]\nmeasure = "selection_rate"\nby = [{json.dumps(group)}]\ncompare = "difference"\nmax = 0.0\n'
        f"why = {told['why']}\n",
        encoding="utf-8",
    )
    return folder / "audit.toml"


def audited(spec: Path, out: Path, *, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """``audit run`` on ``spec``; ``before`` is Python that runs first in the same process."""
    code = f"import sys\n{before}\nfrom audit.cli import main\nsys.exit(main(sys.argv[1:]))"
    home = {"HOME": str(out.parent), "TMPDIR": str(out.parent), "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, "run", str(spec), "--out", str(out)],
        capture_output=True, text=True, check=False, cwd=out.parent,
        env={**os.environ, **home, "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )  # fmt: skip


def run_folder(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def result(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run_folder(out) / "result.json").read_text())
    return content
