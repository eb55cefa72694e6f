"""Pipelines of texts, categories and wrapped estimators: right within 1e-3 of all coalitions by hand, on the user's
columns, or refused in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from audit.attribution.tables import explain_table
from audit.errors import Unavailable
from audit.models.sklearn import adapt
from tests.attribution.worlds import table

from .reference import shapley

WORDS = ["late fee", "paid in full", "late again", "good customer", "paid late", "new customer"]
NAMES = ("income", "age", "job", "note")
ROWS, BACKGROUND = 3, 8


def people(n, seed):
    rng = np.random.default_rng(seed)
    job, note = rng.choice(["cook", "clerk", "pilot"], n), rng.choice(WORDS, n)
    income, age = rng.normal(50, 15, n), rng.uniform(18, 80, n).round()
    return {"income": income, "age": age, "job": job.astype(object), "note": note.astype(object)}


FIT = people(240, 0)
VALUE = 0.05 * FIT["income"] + 2 * (FIT["job"] == "pilot") - np.array(["late" in w for w in FIT["note"]])
VALUE = VALUE + 0.02 * FIT["age"] * (FIT["job"] == "cook") + 0.3 * np.random.default_rng(1).normal(size=240)
LABEL = np.where(np.median(VALUE) < VALUE, "yes", "no")
DATA, REST = table(people(ROWS, 5)), table(people(BACKGROUND, 6))


def columns(category, *, text=None, rest="drop", scale=True):
    numbers = StandardScaler() if scale else "passthrough"
    parts = [("n", numbers, ["income", "age"]), ("c", category, ["job"])]
    return ColumnTransformer([*parts, *([("t", text, "note")] if text else [])], remainder=rest, sparse_threshold=0)


ONE_HOT, ORDINAL = OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder()
TFIDF = TfidfVectorizer()
FOREST = RandomForestClassifier(10, max_depth=4, random_state=0)
HGB = HistGradientBoostingClassifier(max_iter=15)
LOGISTIC = LogisticRegression()


def whole(last):
    return make_pipeline(columns(ONE_HOT, text=TFIDF), last)


def native():
    """Categories as HistGradientBoosting reads them itself."""
    to_frame = FunctionTransformer(lambda f: f[["income", "age", "job"]].astype({"job": "category"}))
    return make_pipeline(to_frame, HistGradientBoostingClassifier(max_iter=15, categorical_features="from_dtype"))


CLASSIFIERS = {
    "tf-idf and logistic": whole(LOGISTIC),
    "counts and logistic": make_pipeline(columns(ONE_HOT, text=CountVectorizer()), LOGISTIC),
    "hashed words": make_pipeline(columns(ONE_HOT, text=HashingVectorizer(n_features=32)), LOGISTIC),
    "words in two components": make_pipeline(columns(ONE_HOT, text=make_pipeline(TFIDF, TruncatedSVD(2))), LOGISTIC),
    "tf-idf and trees": whole(FOREST),
    "tf-idf and boosted trees": whole(HGB),
    "text alone": make_pipeline(make_column_transformer((TFIDF, "note")), LOGISTIC),
    "ordinal categories": make_pipeline(columns(ORDINAL), HGB),
    "target encoder": make_pipeline(columns(TargetEncoder(random_state=0)), LOGISTIC),
    "target encoder and trees": make_pipeline(columns(TargetEncoder(random_state=0)), FOREST),
    "dropped first category": make_pipeline(columns(OneHotEncoder(drop="first")), LOGISTIC),
    "rare categories together": make_pipeline(columns(OneHotEncoder(max_categories=2)), LOGISTIC),
    "native categories": native(),
    "ordinal and native categories": make_pipeline(
        columns(ORDINAL, scale=False), HistGradientBoostingClassifier(max_iter=15, categorical_features=[2])
    ),
    "passthrough of the rest": make_pipeline(
        ColumnTransformer([("c", ORDINAL, ["job", "note"])], remainder="passthrough"), HGB
    ),
    "one column dropped": make_pipeline(
        ColumnTransformer([("d", "drop", ["age"]), ("c", ONE_HOT, ["job", "note"])], remainder="passthrough"), LOGISTIC
    ),
    "columns twice": make_pipeline(
        ColumnTransformer(
            [("a", "passthrough", ["income"]), ("b", StandardScaler(), ["income", "age"]), ("c", ONE_HOT, ["job"])]
        ),
        LOGISTIC,
    ),
    "bins": make_pipeline(make_column_transformer((KBinsDiscretizer(4), ["income", "age"])), LOGISTIC),
    "splines": make_pipeline(make_column_transformer((SplineTransformer(), ["income", "age"])), LOGISTIC),
    "products of columns": make_pipeline(columns(ONE_HOT), PolynomialFeatures(2), StandardScaler(), LOGISTIC),
    "a selection": make_pipeline(columns(ONE_HOT, text=TFIDF), SelectKBest(k=4), LOGISTIC),
    "a union": make_pipeline(columns(ONE_HOT), make_union(StandardScaler(), TruncatedSVD(2)), LOGISTIC),
    "calibrated, sigmoid": CalibratedClassifierCV(whole(LOGISTIC), cv=2),
    "calibrated, isotonic": CalibratedClassifierCV(whole(FOREST), cv=2, method="isotonic"),
    "calibrated margins": CalibratedClassifierCV(whole(LinearSVC()), cv=2),
    "soft vote": VotingClassifier([("a", whole(LOGISTIC)), ("b", whole(FOREST))], voting="soft"),
    "stack": StackingClassifier([("a", whole(LOGISTIC)), ("b", whole(FOREST))], cv=2),
    "stack in the pipeline": whole(StackingClassifier([("a", LOGISTIC), ("b", FOREST)], cv=2, passthrough=True)),
    "threshold moved": FixedThresholdClassifier(whole(LOGISTIC), threshold=0.3),
    "neighbours": whole(KNeighborsClassifier(9)),
    "kernel": whole(CalibratedClassifierCV(SVC(), ensemble=False)),
    "naive Bayes": whole(GaussianNB()),
    "stochastic descent": whole(SGDClassifier(loss="log_loss", random_state=0)),
    "extremely random trees": whole(ExtraTreesClassifier(10, max_depth=4, random_state=0)),
    "one tree": whole(DecisionTreeClassifier(max_depth=4, random_state=0)),
}
REGRESSORS = {
    "linear of words": whole(LinearRegression()),
    "boosted": whole(GradientBoostingRegressor(n_estimators=15, random_state=0)),
    "vote of regressors": VotingRegressor([("a", whole(Ridge())), ("b", make_pipeline(columns(ORDINAL), Ridge()))]),
    "target on a log scale": TransformedTargetRegressor(whole(Ridge()), func=np.log, inverse_func=np.exp),
    "kernel of values": whole(SVR()),
    "Poisson": make_pipeline(columns(ORDINAL), HistGradientBoostingRegressor(loss="poisson", max_iter=15)),
}
REFUSED = {
    "hard vote": VotingClassifier([("a", whole(LOGISTIC)), ("b", whole(FOREST))]),
    "margins alone": whole(LinearSVC()),
    "hinge": whole(SGDClassifier(loss="hinge", random_state=0)),
}


def by_hand(model, found, row):
    def worth(coalitions):
        values = []
        for kept in coalitions:
            mixed = {
                name: np.repeat(DATA.features[name][row : row + 1], BACKGROUND) if keep else REST.features[name]
                for name, keep in zip(NAMES, kept, strict=True)
            }
            values.append(np.mean(scalar(model, found, mixed)))
        return np.array(values)

    return shapley(worth, len(NAMES))


def scalar(model, found, given):
    """The explained number from the estimator itself, unwrapped."""
    frame = pd.DataFrame(given)
    if found.unit == "target":
        return model.predict(frame)
    p = model.predict_proba(frame)[:, 1]
    p = p.clip(1e-6, 1 - 1e-6) if "clipped" in found.scalar else p
    return np.log(p) - np.log1p(-p) if found.unit == "log-odds" else p


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*CLASSIFIERS, *REGRESSORS])
def test_a_pipeline_is_explained_on_the_users_columns_as_all_coalitions_say(name):
    estimator = CLASSIFIERS.get(name) or REGRESSORS[name]
    fitted = estimator.fit(pd.DataFrame(FIT), LABEL if name in CLASSIFIERS else np.abs(VALUE) + 0.1)
    found = explain_table(adapt(fitted), DATA, background=REST, seed=0)
    assert found.names == NAMES
    for row in range(ROWS):
        truth = by_hand(fitted, found, row)
        np.testing.assert_allclose(found.values[row], truth, atol=1e-3 * max(1.0, np.abs(truth).sum()))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_a_pipeline_that_gives_labels_alone_is_refused_with_what_to_do(name):
    fitted = REFUSED[name].fit(pd.DataFrame(FIT), LABEL)
    with pytest.raises(Unavailable, match="no probabilities") as caught:
        explain_table(adapt(fitted), DATA, background=REST, seed=0)
    assert "predict_proba" in caught.value.remedy
