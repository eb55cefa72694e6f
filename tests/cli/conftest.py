"""The command line as a user meets it: arguments in; exit code, stdout and stderr out; a table of a vendor's scores."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit.cli import main

SPEC = """schema = 1
name = "vendor"

[data.test]
path = "scores.csv"
target = "label"
positive = 1
score = "score"
groups = ["race", "sex"]

[[limit]]
measure = "true_positive_rate"
by = "race"
compare = "difference"
max = 0.10
why = "a missed case costs the same whoever it is"
"""
ONLY_OWN = SPEC.replace("schema = 1\n", "schema = 1\nuse = []\n")
"""Without the default pack: quicker, and only what the test is about."""


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Answer]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """``audit`` with these arguments, in this process."""
    monkeypatch.setenv("NO_COLOR", "1")

    def called(*arguments: object) -> Answer:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as left:  # argparse ends a process itself
            code = int(left.code or 0)
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return called


def scores(rows: int = 600, *, seed: int = 1) -> str:
    """A CSV of scores that rank fairly well, with three races, some missing, and two sexes."""
    stream = random.Random(seed)
    lines = ["id,score,label,race,sex"]
    for i in range(rows):
        race = stream.choices(["white", "black", "hispanic", ""], [0.70, 0.20, 0.08, 0.02])[0]
        label = int(stream.random() < 0.7)
        score = min(0.999, max(0.001, stream.gauss(0.62 if label else 0.4, 0.2)))
        lines.append(f"{i},{score:.3f},{label},{race},{stream.choice('FM')}")
    return "\n".join(lines) + "\n"


def lay(folder: Path, spec: str = SPEC, table: str | None = None) -> Path:
    """``audit.toml`` and ``scores.csv`` in ``folder``; the path of the first."""
    (folder / "scores.csv").write_text(table if table is not None else scores())
    path = folder / "audit.toml"
    path.write_text(spec)
    return path


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an audit.toml and its table, which is the current one."""
    lay(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two stored runs of one name over different scores; each lies in ``audits`` beside its audit.toml."""
    made = []
    for seed in (1, 2):
        folder = tmp_path_factory.mktemp(f"vendor{seed}")
        spec = lay(folder, ONLY_OWN, scores(seed=seed))
        assert main(["run", str(spec), "--out", str(folder / "audits"), "-q"]) in {0, 1, 3}
        made.append(next((folder / "audits").iterdir()))
    return made[0], made[1]
