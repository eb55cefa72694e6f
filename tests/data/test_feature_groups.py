"""[feature_groups]: what may stand there, and what is said of every fault, wherever it is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import audit
from audit.cli import main
from audit.data.dataset import Column, FeatureGroup, Roles
from audit.data.feature_groups import feature_groups
from audit.errors import AuditError, SpecError
from tests.attribution.worlds import table

NAMES = ("region_north", "region_south", "bmi", "weight [kg]", "sex")


def data(features=NAMES, roles=None):
    columns = {name: np.arange(4.0) for name in (*NAMES, "region_code", "target")}
    return table(columns, roles=roles or Roles(features=features, target="target", groups=("sex",)))


def resolved(**said):
    return {group.name: group.columns for group in feature_groups(said, data())}


def test_names_patterns_and_brackets_find_their_columns_in_the_order_of_the_features():
    found = resolved(region=["region_s*", "region_n*"], body=("weight [kg]", "bmi"))
    assert found == {"region": ("region_north", "region_south"), "body": ("bmi", "weight [kg]")}
    assert resolved(region=["region_*", "region_south"]) == {"region": ("region_north", "region_south")}
    assert resolved(alone=["sex"]) == {"alone": ("sex",)}
    assert resolved() == {}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"a": ["regoin_north"]}, 'no such column in t.csv: "regoin_north"; the nearest are region_north'),
        ({"a": ["regoin_*"]}, 'no feature fits "regoin_*"; the nearest are region_'),
        ({"a": ["zzz*"]}, 'no feature fits "zzz*"; the nearest are region_north, region_south, bmi'),
        ({"a": ["bmi"], "b": ["b*"]}, '"bmi" is in two groups, "a" and "b"'),
        ({"bmi": ["bmi", "sex"]}, '"bmi" is a column of t.csv: give the group another name'),
        ({"target": ["bmi"]}, '"target" is a column of t.csv'),
        ({"a": []}, '"a" is empty'),
        ({"a": ["target"]}, '"target" is no feature of the model (the target)'),
        ({"a": ["bmi", "region_code"]}, '"region_code" is no feature of the model: a group is made of features alone'),
        ({"a": ["tar*"]}, '"target" is no feature of the model (the target)'),
    ],
)
def test_every_fault_names_the_group_what_is_wrong_and_what_there_is(said, words):
    with pytest.raises(SpecError) as error:
        feature_groups(said, data())
    assert words in str(error.value)
    assert str(error.value).startswith("[feature_groups] ")


def test_a_sensitive_column_is_grouped_only_where_the_model_reads_it():
    assert resolved(person=["sex", "bmi"]) == {"person": ("bmi", "sex")}
    with pytest.raises(SpecError, match=r'"sex" is no feature of the model \(a sensitive column\)'):
        feature_groups({"person": ["sex"]}, data(NAMES[:-1]))


def test_pictures_and_texts_are_not_grouped():
    one = data()
    one.columns["bmi"] = Column(name="bmi", kind="image")
    with pytest.raises(SpecError, match='"bmi" holds image, which is explained part by part'):
        feature_groups({"a": ["bmi", "sex"]}, one)


def test_where_the_features_are_not_known_yet_any_column_without_another_role_may_be_one():
    unknown = data(roles=Roles(target="target", groups=("sex",)))
    assert feature_groups({"a": ["region_*", "sex"]}, unknown)[0].columns == (*NAMES[:2], "sex", "region_code")
    with pytest.raises(SpecError, match="the target"):
        feature_groups({"a": ["target"]}, unknown)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=6), st.lists(st.text(max_size=12), max_size=3), max_size=3))
def test_hostile_names_and_patterns_are_either_found_or_refused_in_words(said):
    try:
        found, words = feature_groups(said, data()), "[feature_groups] "
    except SpecError as error:
        found, words = (), str(error)
    assert words.startswith("[feature_groups] ")
    assert all(isinstance(group, FeatureGroup) and group.columns for group in found)


def written(folder, groups):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 4)), columns=["a", "b", "c", "d"])
    target = (frame["a"] + frame["b"] > 0).astype(int)
    skops.io.dump(LogisticRegression().fit(frame, target), folder / "model.skops")
    frame.assign(y=target).to_csv(folder / "t.csv", index=False)
    head = 'name = "x"\nuse = []\n[model]\npath = "model.skops"\n[data.test]\npath = "t.csv"\ntarget = "y"\n'
    limit = '[[limit]]\nmeasure = "permutation_importance"\nparams = { feature = "front" }\nmin = 0.001\nwhy = "used"\n'
    (folder / "audit.toml").write_text(f"{head}[feature_groups]\n{groups}\n{limit}", encoding="utf-8")
    return folder / "audit.toml", frame, target


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ('front = ["a", "q"]', 'no such column in t.csv: "q"'),
        ('front = ["a", "y"]', "the target"),
        ("front = []", 'the group "front" is empty'),
        ('"" = ["a"]', "a group has no name"),
        ('front = ["a", "a"]', '"a" stands there twice'),
        ("front = 5", '"feature_groups.front" must be a list, got 5'),
        ('a = ["a", "b"]', '"a" is a column of t.csv'),
        ('front = "q*"', 'no feature fits "q*"'),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_fault_ends_check_and_run_with_exit_code_2(tmp_path, monkeypatch, capsys, command, groups, words):
    path, *_ = written(tmp_path, groups)
    monkeypatch.chdir(tmp_path)
    assert main([command, str(path)]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_groups_without_a_model_are_refused():
    with pytest.raises(AuditError, match="say how a model is explained"):
        audit.run(None, {"y": [0, 1], "s": [0.1, 0.9]}, target="y", score="s", feature_groups={"g": ["s"]})


def test_python_says_the_same_faults(tmp_path):
    _, frame, target = written(tmp_path, 'front = ["a", "b"]')
    model = LogisticRegression().fit(frame, target)
    with pytest.raises(AuditError, match=r'groups "front": no such column in .*"q"'):
        audit.explain(model, frame, groups={"front": ["a", "q"]})
    with pytest.raises(AuditError, match=r"must be a table"):
        audit.explain(model, frame, groups=["a", "b"])
    with pytest.raises(AuditError, match="leave one of them out"):
        audit.explain(model, frame, groups={"front": ["a"]}, layer="head")
    assert set(audit.explain(model, frame, groups={"front": "[ab]"}).parts) == {"front", "c", "d"}


def test_an_audit_judges_and_shows_the_group_by_its_name_with_its_members(tmp_path, monkeypatch):
    path, *_ = written(tmp_path, 'front = ["a", "b"]')
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(path), "--out", "out"]) == 0
    run = audit.open_run(tmp_path / "out").result
    finding = next(f for f in run.findings if f.limit.measure == "permutation_importance")
    assert (finding.subject.params, finding.subject.columns) == ({"feature": "front"}, ("a", "b"))
    attribution = [m for r in run.records if r.family == "attribution" for m in r.outcome.measurements]
    names = {m.params["feature"] for m in attribution if "feature" in m.params}
    assert names == {"front", "c", "d"}
    page = next((tmp_path / "out").glob("*/report.html")).read_text(encoding="utf-8")
    assert "columns of front" in page
