"""audit.run: one call from a model and a table to a verdict, a folder and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import audit
from audit.errors import AuditError
from audit.policy import Verdict

RNG = np.random.default_rng(0)
N = 400
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "z": RNG.normal(size=N), "race": RNG.choice(["black", "white"], N)})
TABLE["y"] = np.where(TABLE["x"] + RNG.normal(size=N) > 0, "yes", "no")
MODEL = LogisticRegression().fit(TABLE[["x", "z"]], TABLE["y"])
FAST = {"limits": [{"measure": "accuracy", "min": 0.5}], "use": []}


def run(model: Any = MODEL, test: Any = TABLE, **more: Any) -> Any:
    roles = {"target": "y", "groups": ["race"], "positive": "yes"}
    return audit.run(model, test, **{**roles, **FAST, **more})


def test_a_run_is_judged_saved_and_opened_again(tmp_path: Path) -> None:
    found = run(train=TABLE)
    assert (found.verdict, found.exit_code) == (Verdict.PASS, 0)
    folder = found.save(tmp_path)
    assert audit.open_run(folder).verdict is Verdict.PASS
    assert audit.open_run(tmp_path).result.id == found.result.id
    assert found.to_html(tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html")
    assert repr(found).startswith("<audit of audit: pass, 1 of 1 gated limit passes")


@pytest.mark.parametrize(
    "test",
    [TABLE, pa.Table.from_pandas(TABLE), {name: TABLE[name].to_numpy() for name in TABLE}],
    ids=["a data frame", "an Arrow table", "columns"],
)
def test_every_kind_of_table_gives_the_same_numbers(test: Any) -> None:
    assert run(test=test).findings[0].subject.value == run().findings[0].subject.value


def test_a_path_is_read(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    assert run(test=tmp_path / "t.csv").findings[0].subject.value == run().findings[0].subject.value


def test_functions_regressors_and_stored_columns_are_audited() -> None:
    by_function = run(lambda table: (table["x"] > 0).map({True: "yes", False: "no"}), output="decision")
    assert by_function.result.model.kind == "callable"
    straight = LinearRegression().fit(TABLE[["z"]], TABLE["x"])
    limits = [{"measure": "mean_absolute_error", "max": 9}]
    by_value = run(straight, target="x", positive=None, features=["z"], limits=limits)
    assert (by_value.result.model.task, by_value.exit_code) == ("regression", 0)
    stored = run(None, TABLE.assign(s=MODEL.predict_proba(TABLE[["x", "z"]])[:, 1]), score="s")
    assert stored.result.model.kind == "predictions"
    assert stored.findings[0].subject.value == run().findings[0].subject.value


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"target": "why"}, 'did you mean "y"|no such column'),
        ({"groups": ["rice"]}, 'did you mean "race"'),
        ({"positive": "maybe"}, "is no value of"),
        ({"limits": [{"measure": "accuracy", "mni": 1}]}, 'did you mean "min"'),
        ({"test": TABLE.drop(columns="x")}, 'needs the column "x"'),
        ({"test": TABLE.iloc[:0]}, "has no rows"),
        ({"test": 5}, "must be a data frame"),
        ({"model": object()}, "cannot audit a object"),
        ({"limits": [{"measure": "accuracy", "min": 0.5, "by": ["rice"]}]}, "rice"),
    ],
)
def test_a_mistake_is_told_in_one_line(more: dict[str, Any], words: str) -> None:
    with pytest.raises(AuditError, match=words) as error:
        run(**more)
    assert "\n" not in str(error.value)
