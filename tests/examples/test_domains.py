"""Every example runs as its docstring says, and ends with what is known of its data."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import skops.io

from audit import store
from audit.cli import main
from audit.record import AuditRun
from examples import tumours, wages


def audited(example: ModuleType, folder: Path, code: int) -> AuditRun:
    assert main(["run", str(example.write(folder)), "--out", str(folder / "audits"), "-q"]) == code
    return store.read(store.find_run(folder / "audits"))


def test_263_workers_cannot_show_that_both_sexes_are_guessed_alike(tmp_path: Path) -> None:
    run = audited(wages, tmp_path, 3)
    finding = next(f for f in run.findings if f.id == "mean_residual/difference@sex")
    test, model = pd.read_parquet(tmp_path / "test.parquet"), skops.io.load(tmp_path / "model.skops", trusted=[])
    residual = test["wage"] - model.predict(test[wages.FEATURES])
    gap = residual[test["sex"] == "male"].mean() - residual[test["sex"] == "female"].mean()
    assert finding.verdict == "inconclusive"
    assert finding.comparison is not None
    assert abs(finding.comparison.value) == pytest.approx(gap)
    assert gap > 0.5, "men earn more than the model guesses, and women less"
    assert finding.needed_n is not None and finding.needed_n > len(test)  # noqa: PT018


def test_the_diagnosis_passes_and_its_known_answers_come_out(tmp_path: Path) -> None:
    run = audited(tumours, tmp_path, 0)
    values = {m.name: m.value for _, m in run.measurements() if not m.slice and not m.params}
    test, model = pd.read_csv(tmp_path / "test.csv"), skops.io.load(tmp_path / "model.skops", trusted=[])
    flagged = model.predict_proba(test[tumours.FEATURES])[:, 1] >= tumours.THRESHOLD
    assert values["true_positive_rate"] == pytest.approx(float(np.mean(flagged[test["malignant"] == 1])))
    assert values["known_answers_wrong"] == 0
    assert run.data[0].columns.get("groups", ()) == ()


def test_a_diagnosis_that_is_fed_another_column_order_does_not_pass(tmp_path: Path) -> None:
    spec = tumours.write(tmp_path)
    known = pd.read_csv(tmp_path / "known.csv")
    known[["mean radius", "mean texture"]] = known[["mean texture", "mean radius"]].to_numpy()
    known.to_csv(tmp_path / "known.csv", index=False)
    assert main(["run", str(spec), "--out", str(tmp_path / "audits"), "-q"]) == 1
