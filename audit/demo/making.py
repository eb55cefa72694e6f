"""Each demonstration: its data, its trained model and its audit.toml, in one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from audit.demo import data, specs, training


@dataclass(frozen=True, slots=True)
class Demonstration:
    table: Callable[[], pd.DataFrame]
    train: Callable[[Path, pd.DataFrame], None]
    spec: str


CASES = {
    "mortgage-pipeline": Demonstration(data.mortgage, training.train_pipeline, specs.PIPELINE),
    "mortgage-mlp": Demonstration(data.mortgage, training.train_mlp, specs.MLP),
    "digits-cnn": Demonstration(data.digits, training.train_cnn, specs.DIGITS),
}


def make(name: str, folder: Path) -> None:
    """Data, model, training record and audit.toml of one demonstration in ``folder``."""
    case = CASES[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".assay-demo").touch()
    train, _ = data.write(folder, case.table())
    case.train(folder, train)
    (folder / "audit.toml").write_text(case.spec, encoding="utf-8")
