"""XGBoost and LightGBM files: the library's own answers, from arrays that are read out of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from audit.attribution.closed_form import closed_form
from audit.errors import ModelError
from audit.models.boosters import load_lightgbm, load_xgboost
from audit.models.forest import answers
from audit.models.sklearn import TreeClassifier, adapt

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 5))
X[:, 4] = RNG.integers(0, 7, 500)
X[RNG.random(X.shape) < 0.08] = np.nan
X[:40, 1] = 0.0
VALUE = np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1]) + (X[:, 4] % 3 == 1) + np.nan_to_num(X[:, 2])
BINARY, SEVERAL = (VALUE > 0.3).astype(int), np.digitize(VALUE, [0, 0.8])
COLUMNS = {name: X[:, j] for j, name in enumerate("abcde")}


def xgboost_file(objective, y, **options):
    xgboost = pytest.importorskip("xgboost")
    kinds = ["q", "q", "q", "q", "c"]
    data = xgboost.DMatrix(X, y, feature_types=kinds, feature_names=list("abcde"), enable_categorical=True)
    booster = xgboost.train({"objective": objective, "max_depth": 5, "seed": 0, **options}, data, 15)
    return bytes(booster.save_raw("ubj")), booster, data


def lightgbm_file(objective, y, **options):
    lightgbm = pytest.importorskip("lightgbm")
    data = lightgbm.Dataset(X, y, categorical_feature=[4], feature_name=list("abcde"), free_raw_data=False)
    settings = {"objective": objective, "verbose": -1, "min_data_per_group": 5, "cat_smooth": 1, "num_threads": 1}
    booster = lightgbm.train(settings | options, data, 15)
    return booster.model_to_string().encode(), booster


def require_same(model, expected):
    """The arrays give what the library does, and their Shapley values add up to it."""
    forest = model.forest()
    read = answers(forest.link, forest.raw(model.design(COLUMNS)))
    np.testing.assert_allclose(read, expected, atol=2e-6, rtol=2e-6)
    rows, background = ({k: v[part] for k, v in COLUMNS.items()} for part in (slice(20), slice(100, 160)))
    found = closed_form(model, rows, background, None, 0)
    np.testing.assert_allclose(found.values.sum(axis=1), found.output - found.base, atol=1e-9)


@pytest.mark.parametrize(
    ("objective", "y", "options"),
    [
        ("binary:logistic", BINARY, {}),
        ("binary:logistic", BINARY, {"max_cat_to_onehot": 1}),
        ("binary:logistic", BINARY, {"booster": "dart", "rate_drop": 0.3}),
        ("multi:softprob", SEVERAL, {"num_class": 3}),
        ("reg:squarederror", VALUE, {"max_cat_to_onehot": 1}),
    ],
)
def test_xgboost_trees_are_read_as_the_library_reads_them(objective, y, options):
    content, booster, data = xgboost_file(objective, y, **options)
    model = load_xgboost(content, "m.ubj", [])
    expected = booster.predict(data)
    if objective.startswith("binary"):
        expected = np.column_stack([1 - expected, expected])
    require_same(model, expected)
    own = model.predict_value(COLUMNS) if objective.startswith("reg") else model.predict_proba(COLUMNS)
    np.testing.assert_allclose(own, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("objective", "y", "options"),
    [
        ("binary", BINARY, {}),
        ("binary", BINARY, {"sigmoid": 2.0, "zero_as_missing": True}),
        ("binary", BINARY, {"use_missing": False}),
        ("binary", BINARY, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}),
        ("multiclass", SEVERAL, {"num_class": 3}),
        ("regression", VALUE, {"boosting": "dart"}),
    ],
)
def test_lightgbm_trees_are_read_as_the_library_reads_them(objective, y, options):
    content, booster = lightgbm_file(objective, y, **options)
    model = load_lightgbm(content, "m.txt", [])
    expected = booster.predict(X)
    if objective == "binary":
        expected = np.column_stack([1 - expected, expected])
    require_same(model, expected)
    own = model.predict_value(COLUMNS) if objective == "regression" else model.predict_proba(COLUMNS)
    np.testing.assert_allclose(own, expected, atol=1e-9)


@pytest.mark.parametrize("levels", [["pilot", "cook", "clerk", "a b"], [30, 10, 20, 5]])
def test_xgboost_categories_are_given_by_the_names_that_the_file_holds(levels):
    xgboost, pandas = pytest.importorskip("xgboost"), pytest.importorskip("pandas")
    job = RNG.choice(np.array(levels, dtype=object), 400)
    x = RNG.normal(size=400)
    frame = pandas.DataFrame({"job": pandas.Categorical(job, categories=levels), "x": x})
    data = xgboost.DMatrix(frame, (job == levels[0]) * 2.0 + x, enable_categorical=True)
    booster = xgboost.train({"objective": "reg:squarederror", "max_cat_to_onehot": 1, "seed": 0}, data, 15)
    model = load_xgboost(bytes(booster.save_raw("ubj")), "m.ubj", ())
    given = job if isinstance(levels[0], str) else job.astype(float)
    found = model.predict_value({"job": given, "x": x})
    np.testing.assert_allclose(found, booster.predict(data), atol=1e-6)
    forest = model.forest()
    np.testing.assert_allclose(forest.raw(model.design({"job": given, "x": x}))[:, 0], found, atol=2e-6)
    with pytest.raises(ModelError, match='"job" holds "baker", which xgboost booster was not trained on'):
        model.predict_value({"job": np.array(["baker"], dtype=object), "x": x[:1]})
    empty = model.predict_value({"job": np.array([None], dtype=object), "x": x[:1]})
    assert np.isfinite(empty).all()


def test_class_names_are_given_or_counted_and_must_be_as_many():
    content, _, _ = xgboost_file("multi:softprob", SEVERAL, num_class=3)
    assert load_xgboost(content, "m.ubj", []).classes == ("0", "1", "2")
    named = load_xgboost(content, "m.ubj", ["low", "mid", "high"])
    assert set(named.predict(COLUMNS)) <= {"low", "mid", "high"}
    with pytest.raises(ModelError, match="3 classes"):
        load_xgboost(content, "m.ubj", ["no", "yes"])


def test_words_where_numbers_are_needed_and_a_missing_column_are_said():
    content, _ = lightgbm_file("binary", BINARY)
    model = load_lightgbm(content, "m.txt", [])
    with pytest.raises(ModelError, match='"c" holds words'):
        model.predict_proba({**COLUMNS, "c": np.array(["x"] * 500, dtype=object)})
    with pytest.raises(ModelError, match="takes 5 columns, got 2"):
        model.predict_proba({"a": X[:, 0], "b": X[:, 1]})


@pytest.mark.parametrize("content", [b"{}", b"{broken", b'{"learner": 3}'])
def test_a_file_that_is_no_xgboost_model_is_refused_in_words(content):
    pytest.importorskip("xgboost")
    with pytest.raises(ModelError, match="not a readable XGBoost model"):
        load_xgboost(content, "m.json", [])


def test_a_text_that_is_no_lightgbm_model_is_refused_in_words():
    pytest.importorskip("lightgbm")
    with pytest.raises(ModelError, match="not a LightGBM model"):
        load_lightgbm(b"hello", "m.txt", [])


@pytest.mark.parametrize(("load", "library"), [(load_xgboost, "xgboost"), (load_lightgbm, "lightgbm")])
def test_a_library_that_is_not_installed_is_named_with_its_extra(load, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModelError, match=rf"assay\[{library}\]"):
        load(b"tree\n", "m.x", [])


@pytest.mark.parametrize(("library", "name"), [("xgboost", "XGBClassifier"), ("lightgbm", "LGBMClassifier")])
def test_the_scikit_learn_wrappers_are_trees_too(library, name):
    wrapper = getattr(pytest.importorskip(library), name)
    model = adapt(wrapper(n_estimators=10, random_state=0).fit(X, BINARY))
    assert isinstance(model, TreeClassifier)
    require_same(model, model.predict_proba(COLUMNS))
