"""A task of several labels on the command line: checked, run, judged again, explained, and refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

import audit
from tests.cli.conftest import Call
from tests.worlds.random_tables import LABELS, multilabel_cells

SPEC = """name = "sky"
use = []
[data.test]
path = "sky.csv"
target = ["fog", "ice", "sun"]
scores = ["p_fog", "p_ice", "p_sun"]
features = ["x", "z"]
groups = ["sex"]
[[limit]]
measure = "accuracy"
min = 0.3
[[limit]]
measure = "true_positive_rate"
params = { class = "ice" }
by = ["sex"]
compare = "difference"
max = 0.9
[[limit]]
measure = "worst_class_recall"
min = 0.05
"""
TABLE = pd.DataFrame(multilabel_cells(7))


@pytest.fixture
def sky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv(tmp_path / "sky.csv", index=False)
    (tmp_path / "audit.toml").write_text(SPEC)
    return tmp_path


def test_audit_check_names_every_label_and_plans_each_limit_for_it(sky: Path, call: Call) -> None:
    found = call("check")
    assert found.code == 0
    assert "task     multilabel, target fog, ice and sun" in found.out
    assert (
        "true_positive_rate[class=ice]/difference@sex at most 0.9: 1 of 1 comparison has rows enough to pass"
        in found.out
    )
    planned = call("check", "--json").json()
    assert {limit["id"] for limit in planned["limits"]} >= {f"accuracy[class={name}]" for name in LABELS}
    of_label = [c["params"] for c in planned["checks"] if c["check"] == "fairness.group_rates"]
    assert of_label == [{"class": name} for name in LABELS]


def test_a_run_is_judged_again_from_its_folder_with_the_same_findings(sky: Path, call: Call) -> None:
    found = call("run", "--out", "audits")
    assert found.code == 0, found.out + found.err
    made = audit.open_run(sky / "audits").result
    assert {finding.id for finding in made.findings} == {
        *(f"accuracy[class={name}]" for name in LABELS),
        "true_positive_rate[class=ice]/difference@sex",
        "worst_class_recall",
    }
    again = call("judge", "audits", "--json").json()
    assert (again["exit_code"], len(again["findings"])) == (0, len(made.findings))
    stricter = SPEC.replace("min = 0.3", "min = 0.999")
    (sky / "strict.toml").write_text(stricter)
    assert call("judge", "audits", "--spec", "strict.toml").code == 1
    report = (next((sky / "audits").glob("sky-*")) / "report.html").read_text(encoding="utf-8")
    assert "hare decided correctly (class = ice)" in report
    assert "Which class is served worst" in report


def test_audit_explain_says_how_a_label_is_named(call: Call) -> None:
    assert 'params = { class = "cat" } names the label' in call("explain", "true_positive_rate").out
    assert "In a task of several labels" not in call("explain", "hamming_loss").out


def test_audit_init_takes_no_columns_for_labels_but_says_how_they_are_written(sky: Path, call: Call) -> None:
    assert call("init", "--data", "sky.csv", "-o", "new.toml").code == 0
    text = (sky / "new.toml").read_text()
    assert '# target    = ["fog", "ice", "sun"]  # several labels a row' in text
    assert not [line for line in text.splitlines() if line.startswith("target")]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('target = ["fog", "ice", "sun"]', 'target = ["fog"]', '"data.test.target" must have one entry a label, two'),
        ('target = ["fog", "ice", "sun"]', "target = 3", '"data.test.target" must be a column in quotes, or a list'),
        ('["fog", "ice", "sun"]', '["fog", "ice", "fog"]', '"fog" stands there twice'),
        ('["fog", "ice", "sun"]', '["fog", "ice", "sum"]', '"sum": no such column in sky.csv (did you mean "sun"?)'),
        ('scores = ["p_fog", "p_ice", "p_sun"]', 'scores = ["p_fog", "p_ice"]', "scores has 2 entries for 3 labels"),
        ('scores = ["p_fog", "p_ice", "p_sun"]', 'scores = ["p_ice", "p_fog", "p_sun"]', 'write scores = ["p_fog", "'),
        ('scores = ["p_fog", "p_ice", "p_sun"]', 'score = "p_fog"', "score is one column and target names 3 labels"),
        ('scores = ["p_fog", "p_ice", "p_sun"]', 'prediction = "p_fog"', "prediction is one column and target names 3"),
        ('groups = ["sex"]', 'groups = ["sex"]\nthreshold = [0.5, 0.4]', "threshold has 2 entries for 3 labels"),
        ('groups = ["sex"]', 'groups = ["sex"]\ntask = "binary"', 'task = "binary" is of one target, and target'),
        ('target = ["fog", "ice", "sun"]\nscores = ["p_fog", "p_ice", "p_sun"]',
         'target = "fog"\nscore = "p_fog"\ntask = "multilabel"', 'task = "multilabel" needs target as a list'),
        ('target = ["fog", "ice", "sun"]\nscores = ["p_fog", "p_ice", "p_sun"]',
         'target = "fog"\nprediction = ["fog", "ice"]', "prediction is a list, one a label: give target as a list"),
        ('class = "ice"', 'class = "icy"', 'class = "icy" is no label (did you mean "ice"?): fog, ice, sun'),
        ('"ice", "sun"]\nscores', '"ice", "x"]\nscores', 'target "x" holds "-'),
        ('"p_ice", "p_sun"]', '"p_ice", "z"]', '"z" holds no probabilities, so that no threshold is known'),
    ],
)  # fmt: skip
def test_what_does_not_fit_several_labels_is_refused_with_the_fix(
    sky: Path, call: Call, old: str, new: str, words: str
) -> None:
    assert old in SPEC
    (sky / "audit.toml").write_text(SPEC.replace(old, new, 1))
    found = call("run", "--out", "audits")
    assert found.code == 2
    assert words in found.err
    assert found.err.count("\n") == 1
    assert not (sky / "audits").exists() or not list((sky / "audits").iterdir())


def test_outputs_under_other_names_than_the_targets_are_refused(sky: Path, call: Call) -> None:
    text = SPEC.replace('scores = ["p_fog", "p_ice", "p_sun"]\n', "").replace(
        "[data.test]", '[model]\npath = "m.onnx"\noutput = "logit"\nclasses = ["fog", "ice", "rain"]\n[data.test]'
    )
    (sky / "audit.toml").write_text(text)
    assert "model.classes must be the columns of target, fog, ice, sun, in the model's order" in call("check").err


def test_audit_run_of_a_model_with_a_threshold_a_label_decides_by_it() -> None:
    known = TABLE.dropna()
    model = MultiOutputClassifier(LogisticRegression()).fit(known[["x", "z"]], known[list(LABELS)].astype(int))
    given: dict[str, Any] = {"target": LABELS, "features": ["x", "z"], "use": [], "groups": ["sex"]}
    limits = [{"measure": "selection_rate", "min": 0.0}, {"measure": "hamming_loss", "max": 0.9}]
    found = audit.run(model, TABLE, threshold=[0.2, 0.5, 0.9], limits=limits, **given)
    rates = {f.limit.params.get("class"): f.subject for f in found.findings if f.limit.measure == "selection_rate"}
    for at, (label, threshold) in enumerate(zip(LABELS, (0.2, 0.5, 0.9), strict=True)):
        p = model.predict_proba(TABLE[["x", "z"]])[at][:, 1]
        assert rates[label].value == pytest.approx(float(np.mean(p >= threshold)), abs=1e-12)  # type: ignore[union-attr]


def test_audit_run_of_columns_of_scores_needs_no_model() -> None:
    scores = [f"p_{name}" for name in LABELS]
    found = audit.run(
        None, TABLE, target=LABELS, scores=scores, use=[], limits=[{"measure": "subset_accuracy", "min": 0}]
    )
    assert found.exit_code == 0
