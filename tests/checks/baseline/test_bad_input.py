"""A baseline that does not fit: one line that says what, got, allowed and do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

import audit
from audit.cli.auditing import Options, measured
from audit.engine import Silent
from audit.errors import AuditError, DataError, ModelError, SpecError, UnsafeModelError
from tests.checks.baseline.worlds import X, found, models, omitted, run, table

TOML = """name = "new"
use = []
[model]
path = "new.skops"
{model}
[data.test]
path = "test.parquet"
target = "y"
positive = 1
groups = ["group"]
features = ["x", "z"]
{data}
[[limit]]
measure = "accuracy_change_from_baseline"
by = ["group"]
min = -0.02
why = "nobody loses more than two points"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, data = tmp_path_factory.mktemp("replace"), table()
    new, old = models("y")
    words = LogisticRegression().fit(data[X], np.where(data["y"] == 1, "yes", "no"))
    for name, model in (("new", new), ("old", old), ("words", words)):
        skops.io.dump(model, made / f"{name}.skops")
    data["decided"], data["scored"] = old.predict(data[X]), old.predict_proba(data[X])[:, 1]
    data["odd"] = "maybe"
    data.to_parquet(made / "test.parquet")
    return made


def measure(folder: Path, model: str = "", data: str = "") -> Any:
    (folder / "audit.toml").write_text(TOML.format(model=model, data=data))
    return measured(folder / "audit.toml", Options(out=folder), Silent())


def test_a_file_and_its_stored_columns_give_the_same_changes(folder: Path) -> None:
    by_file = measure(folder, 'baseline = "old.skops"')
    for columns in (
        '{ prediction = "decided" }',
        '{ score = "scored" }',
        '{ score = "scored", prediction = "decided" }',
    ):
        stored = measure(folder, data=f"baseline = {columns}")
        assert stored.findings[0].message == by_file.findings[0].message
        assert stored.exit_code == by_file.exit_code == 1


@pytest.mark.parametrize(
    ("model", "data", "kind", "words"),
    [
        (
            'baseline = "words.skops"',
            "",
            ModelError,
            r"\[model\] baseline decides between no, yes, the model between 0, 1",
        ),
        ('baseline = "gone.skops"', "", ModelError, r"\[model\] baseline: .*gone.skops does not exist"),
        ('baseline = "old.pkl"', "", UnsafeModelError, r"\[model\] baseline: old.pkl is a pickle"),
        ('baseline = { path = "old.skops", sha256 = "00" }', "", ModelError, "is not the model that sha256"),
        ('baseline = "old.skops"', 'baseline = { score = "scored" }', SpecError, "both give a baseline: keep one"),
        ("", "baseline = { threshold = 0.5 }", SpecError, "needs prediction, score or scores"),
        ("", 'baseline = { prediction = "decided", threshold = 0.5 }', SpecError, "threshold and no score"),
        ("", 'baseline = { prediction = "decidd" }', DataError, r'baseline = "decidd": no such column.*did you mean'),
        (
            "",
            'baseline = { prediction = "odd" }',
            DataError,
            r'\[data.test\] baseline: .*holds "maybe", which is no class',
        ),
        ("", 'baseline = { score = "group" }', DataError, "must hold numbers"),
        ("", "baseline = { column = 1 }", SpecError, "column"),
    ],
)
def test_what_does_not_fit_ends_the_audit_in_one_line(
    folder: Path, model: str, data: str, kind: type[AuditError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        measure(folder, model, data)
    assert "\n" not in str(caught.value)


def test_without_a_baseline_the_limit_is_not_assessed_and_says_how_to_give_one(folder: Path) -> None:
    made = measure(folder)
    assert made.exit_code == 2
    assert 'baseline = "old.skops"' in made.findings[0].remedy


def test_rows_that_the_baseline_left_out_are_no_rows_of_the_comparison_and_are_counted() -> None:
    data = table()
    data["old"] = models("y")[1].predict(data[X]).astype(float)
    data.loc[:99, "old"] = np.nan
    made = run(data=data, baseline={"prediction": "old"})
    assert found(made, "rows_without_baseline").value == 100
    assert found(made, "accuracy_change_from_baseline").n == len(data) - 100
    new, old = models("y")
    rest = data.iloc[100:]
    gap = (new.predict(rest[X]) == rest["y"]).mean() - (old.predict(rest[X]) == rest["y"]).mean()
    assert found(made, "accuracy_change_from_baseline").value == pytest.approx(gap)


def test_rows_that_only_the_model_leaves_out_count_against_it() -> None:
    data = table()
    data["new"], data["old"] = data["y"].astype(float), data["y"]
    data.loc[:79, "new"] = np.nan
    given: dict[str, Any] = {"target": "y", "positive": 1, "prediction": "new", "groups": ["group"], "use": ()}
    made = audit.run(None, data, baseline={"prediction": "old"}, **given).result
    assert found(made, "accuracy_change_from_baseline").value == pytest.approx(-0.1)
    assert found(made, "rows_only_baseline").value == 80


def test_a_baseline_without_any_prediction_is_an_omission() -> None:
    made = run(data=table().assign(old=np.nan), baseline={"prediction": "old"})
    assert {o.detail for o in omitted(made, "")} >= {"the baseline predicted no row"}
    assert not list(made.measurements())


def test_a_baseline_with_another_number_of_predictions_is_refused() -> None:
    class Short:
        classes_ = np.array([0, 1])

        def predict(self, features: Any) -> Any:
            return np.zeros(len(features) // 2, dtype=int)

    with pytest.raises(ModelError, match=r"\[model\] baseline.* predictions for 800 rows"):
        run(baseline=Short())


def test_a_model_as_baseline_of_stored_predictions_is_refused() -> None:
    with pytest.raises(SpecError, match="there is none to compare with them"):
        audit.run(None, table().assign(p=1), target="y", prediction="p", baseline=models("y")[1], use=())
