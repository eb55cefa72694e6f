"""Audit a diagnosis: 569 breast tumours measured under the microscope (Wisconsin, 1995; scikit-learn ships them).

A missed cancer costs more than a false alarm, so the threshold is low and the first limit is on recall. A few rows
with answers written down at training time ([data.known]) show whether the loaded model is fed as it was trained. No
group was recorded: the audit says so, and looks for slices of errors among the measurements instead.

    python examples/tumours.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import skops.io
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audit.cli import main
from audit.demo.data import split

FEATURES = ["mean radius", "mean texture", "mean smoothness", "mean concavity", "mean symmetry", "worst area"]
THRESHOLD = 0.2
SPEC = f"""schema  = 1
name    = "tumours"
purpose = "Send a tumour to biopsy"

[model]
path      = "model.skops"
threshold = {THRESHOLD}

[data.test]
path     = "test.csv"
target   = "malignant"
positive = 1
features = {FEATURES}

[data.train]
path = "train.csv"

[data.known]                      # rows whose answers were written down when the model was trained
path = "known.csv"

[[limit]]
measure = "true_positive_rate"      # recall, sensitivity
min     = 0.90
why     = "at most one cancer in ten may be missed"

[[limit]]
measure = "calibration_in_the_large"
min     = -0.05
max     = 0.05
why     = "the probability is shown to the physician and must mean what it says"
"""


def table() -> pd.DataFrame:
    """One row a tumour: the features and `malignant` (0 or 1)."""
    raw = load_breast_cancer(as_frame=True)
    found = raw.data[FEATURES].copy()
    found["malignant"] = 1 - raw.target
    return found


def write(folder: Path) -> Path:
    """Data, model and audit.toml in ``folder``; the path of the last."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test = split(table())
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train[FEATURES], train["malignant"])
    known = train.head(20).copy()
    known["malignant"] = (model.predict_proba(known[FEATURES])[:, 1] >= THRESHOLD).astype(int)
    for name, rows in {"train": train, "test": test, "known": known}.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    skops.io.dump(model, folder / "model.skops")
    (folder / "audit.toml").write_text(SPEC, encoding="utf-8")
    return folder / "audit.toml"


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "tumours")
    sys.exit(main(["run", str(write(where)), "--out", str(where / "audits")]))
