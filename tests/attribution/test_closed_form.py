"""Closed forms through explain(): the same numbers as the black box, on the user's columns, or the black box itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from audit.attribution import explain
from audit.attribution.closed_form import affordable_background
from audit.data.dataset import Roles
from audit.errors import Unavailable
from audit.models import LinearModel, TreeEnsemble
from audit.models import sklearn_additive as additive
from audit.models.sklearn import adapt
from audit.stats import generator

from .worlds import Value, slow_shapley, table

NAMES = ("income", "age", "job", "city")


def people(n=400, seed=0, missing=False):
    rng = np.random.default_rng(seed)
    income, age = rng.normal(50, 15, n), rng.uniform(18, 80, n)
    job, city = rng.choice(["cook", "clerk", "pilot"], n), rng.choice(["a", "b", "c", "d"], n)
    y = 0.05 * income + (job == "pilot") * (age > 40) * 2 - (city == "b") + 0.5 * rng.normal(size=n)
    columns = {"income": income, "age": age, "job": job.astype(object), "city": city.astype(object)}
    if missing:
        income[rng.random(n) < 0.2] = np.nan
    return columns, y


def pipeline(model, *, scale=True):
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler() if scale else "passthrough")
    encode = make_column_transformer(
        (numbers, ["income", "age"]), (OneHotEncoder(handle_unknown="ignore"), ["job", "city"])
    )
    return make_pipeline(encode, model)


def classes(y):
    return np.where(y > np.median(y), "yes", "no")


def several(y):
    return np.array(["low", "mid", "high"])[np.digitize(y, np.quantile(y, [0.3, 0.7]))]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("last", [LogisticRegression(), HistGradientBoostingClassifier(max_iter=20)])
def test_a_pipeline_is_explained_on_the_users_columns_as_its_black_box_is(last, missing):
    columns, y = people(missing=missing)
    model = adapt(pipeline(last).fit(pd.DataFrame(columns), classes(y)))
    data = table(columns)
    rows = np.arange(6)
    found = explain(model, data, rows=rows, background_rows=30, seed=1)
    black_box = explain(model, data, rows=rows, background_rows=30, method="shapley", seed=1)
    assert found.method.startswith("exact Shapley values")
    assert found.note == ""
    assert found.names == NAMES
    np.testing.assert_allclose(found.values, black_box.values, atol=1e-7)
    np.testing.assert_allclose(found.output, black_box.output, atol=1e-9)
    assert found.completeness.max() < 1e-10
    assert not found.standard_errors.any()


def test_linear_attributions_are_weight_times_the_distance_from_the_mean():
    columns, y = people()
    numbers = {name: columns[name] for name in ("income", "age")}
    model = make_pipeline(StandardScaler(), Ridge()).fit(pd.DataFrame(numbers), y)
    found = explain(adapt(model), table(numbers), seed=0)
    weights = model[-1].coef_ / model[0].scale_
    X = np.column_stack(list(numbers.values()))
    np.testing.assert_allclose(found.values, weights * (X - X.mean(axis=0)), atol=1e-12)


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_the_positive_class_decides_the_sign(positive):
    columns, y = people()
    model = adapt(pipeline(LogisticRegression()).fit(pd.DataFrame(columns), classes(y)))
    data = table(columns, roles=Roles(features=NAMES, positive=positive))
    found = explain(model, data, rows=np.arange(20), seed=0)
    p = model.predict_proba({k: v[:20] for k, v in columns.items()})[:, ["no", "yes"].index(positive)]
    np.testing.assert_allclose(found.output, np.log(p / (1 - p)), atol=1e-9)
    assert f'class "{positive}"' in found.scalar


@pytest.mark.parametrize("last", [LogisticRegression(), HistGradientBoostingClassifier(max_iter=10)])
def test_several_classes_are_explained_by_the_logit_of_the_predicted_one(last):
    columns, y = people()
    model = adapt(pipeline(last).fit(pd.DataFrame(columns), several(y)))
    found = explain(model, table(columns), rows=np.arange(12), background_rows=20, seed=0)
    p = model.predict_proba({k: v[:12] for k, v in columns.items()})
    assert found.targets == tuple(model.classes[i] for i in p.argmax(axis=1))
    assert found.unit == "logit"
    logits = model.estimator.decision_function(pd.DataFrame({k: v[:12] for k, v in columns.items()}))
    np.testing.assert_allclose(found.output, logits.max(axis=1), atol=1e-9)
    assert found.completeness.max() < 1e-9


def test_a_random_forest_is_explained_by_the_probability_that_it_averages():
    columns, y = people()
    encode = make_column_transformer((OrdinalEncoder(), ["job", "city"]), remainder="passthrough")
    forest = RandomForestClassifier(8, max_depth=6, random_state=0)
    model = adapt(make_pipeline(encode, forest).fit(pd.DataFrame(columns), classes(y)))
    data = table(columns)
    found = explain(model, data, rows=np.arange(3), background_rows=12, seed=0)
    assert found.scalar == 'the probability of class "yes"'
    rows = _background(data, 12, seed=0)
    for i in range(3):
        one = {n: v[[i]] for n, v in data.features.items()}
        expected = slow_shapley(lambda c: model.predict_proba(c)[:, 1], one, rows)
        np.testing.assert_allclose(found.values[i], expected, atol=1e-10)


def _background(data, rows, seed):
    return data.take(generator(seed, "attribution.background").permutation(data.n)[:rows]).features


@pytest.mark.parametrize(
    ("estimator", "why"),
    [
        (make_pipeline(StandardScaler(), PCA(2), LogisticRegression()), "mixes several columns"),
        (make_pipeline(KNNImputer(), HistGradientBoostingClassifier(max_iter=5)), "mixes several columns"),
    ],
)
def test_preprocessing_that_mixes_columns_is_explained_as_a_black_box_and_says_so(estimator, why):
    columns, y = people(missing=isinstance(estimator[0], KNNImputer))
    numbers = {name: columns[name] for name in ("income", "age")}
    model = adapt(estimator.fit(pd.DataFrame(numbers), classes(y)))
    found = explain(model, table(numbers), rows=np.arange(5), background_rows=20, seed=0)
    assert why in found.note
    assert found.completeness.max() < 1e-6
    with pytest.raises(Unavailable, match=why):
        explain(model, table(numbers), rows=np.arange(5), method="exact", seed=0)


class Halved(HistGradientBoostingRegressor):
    """A subclass that answers otherwise than its trees."""

    def predict(self, X):
        return super().predict(X) / 2


def test_a_model_that_answers_otherwise_than_its_trees_is_explained_as_a_black_box():
    columns, y = people()
    numbers = {name: columns[name] for name in ("income", "age")}
    model = adapt(Halved(max_iter=5).fit(pd.DataFrame(numbers), y))
    found = explain(model, table(numbers), rows=np.arange(5), background_rows=20, seed=0)
    assert "answers otherwise" in found.note
    np.testing.assert_allclose(found.output, model.predict_value({k: v[:5] for k, v in numbers.items()}))


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_a_boosted_model_on_a_log_scale_is_explained_in_the_targets_own_unit(loss):
    columns, y = people()
    numbers = {name: columns[name] for name in ("income", "age")}
    model = adapt(HistGradientBoostingRegressor(loss=loss, max_iter=5).fit(pd.DataFrame(numbers), np.exp(y / 4)))
    found = explain(model, table(numbers), rows=np.arange(5), background_rows=20, seed=0)
    assert "answers otherwise" in found.note
    assert found.unit == "target"


def test_what_hides_its_inside_is_no_tree_and_no_linear_model():
    columns, y = people()
    X = pd.DataFrame({name: columns[name] for name in ("income", "age")})
    calibrated = adapt(CalibratedClassifierCV(LogisticRegression(), cv=2).fit(X, classes(y)))
    scaled = adapt(TransformedTargetRegressor(LinearRegression()).fit(X, y))
    for model in (calibrated, scaled):
        assert not isinstance(model, TreeEnsemble | LinearModel)


def test_the_halves_of_the_background_say_how_much_its_choice_matters():
    columns, y = people(2000)
    model = adapt(pipeline(HistGradientBoostingClassifier(max_iter=20)).fit(pd.DataFrame(columns), classes(y)))
    data = table(columns)
    sizes = [
        np.abs(explain(model, data, rows=np.arange(50), background_rows=m, seed=0).halves).mean() for m in (40, 1000)
    ]
    assert sizes[1] < sizes[0] / 2.5


def test_deep_trees_are_held_to_a_background_that_takes_seconds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 12))
    deep = RandomForestClassifier(20, random_state=0).fit(X, rng.integers(0, 2, 3000))
    shallow = RandomForestClassifier(20, max_depth=6, random_state=0).fit(X, rng.integers(0, 2, 3000))
    assert affordable_background(additive.forest(shallow), 5000) == 1000
    assert 50 <= affordable_background(additive.forest(deep), 500) < 1000


def test_an_unknown_exact_model_is_refused_with_what_to_do():
    with pytest.raises(Unavailable, match="no tree or linear model") as error:
        explain(Value(lambda c: c["x"]), table({"x": np.ones(3)}), method="exact", seed=0)
    assert "shapley" in error.value.remedy
