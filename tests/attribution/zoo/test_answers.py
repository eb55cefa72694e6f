"""Models that answer badly, through ``audit.explain``: what cannot be explained is an error that says what to do."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from torch import nn

import audit
from audit.attribution.untouched import state_hash
from audit.errors import AuditError

from .parts import Calls, calls, plain, seeded
from .reference import shapley

NAMES = [f"x{i}" for i in range(4)]


def frame(n: int, seed: int) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, 4)), columns=NAMES)


ROWS, REST = frame(3, 0), frame(8, 1)
LABEL, VALUE = (REST["x0"] > 0).astype(int), REST.sum(axis=1)
VALUED, LOGITS = {"output": "value"}, {"output": "logit", "classes": ["a", "b"]}
PROBABLE = {"output": "probability", "classes": ["a", "b"]}


def sums(f):
    return f.to_numpy().sum(axis=1)


class Own(TransformerMixin, BaseEstimator):
    """A step whose result for a row depends on the others of the call, or that fails."""

    def __init__(self, how):
        self.how = how

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.how(X)


def stateful():
    class Mean(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 1)
            self.register_buffer("mean", torch.zeros(4))
            self.last = None

        def forward(self, x):
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(dim=0)  # another tensor in the buffer's place
            self.last = x.detach()
            return self.head(x - self.mean)

    return seeded(Mean)()


def lazy():
    return nn.LazyLinear(1)


def meta():
    with torch.device("meta"):
        return nn.Linear(4, 1)


def exported():
    return torch.export.export(plain(nn.Tanh)(), (torch.zeros(2, 4),)).module()


def raises(error):
    def how(*_):
        raise error

    return how


def by_size(s, x):
    return s.two(torch.tanh(s.one(x))) * (2 if len(x) > 20 else 1)


def encoding(encode, **options):
    return lambda: audit.TorchModel(plain(nn.Tanh)(), encode, **{"output": "value", **options})


def tensor(columns):
    return torch.from_numpy(np.column_stack(list(columns.values())).astype(np.float32))


def scaled_by_the_call(columns):
    x = tensor(columns)
    return (x - x.mean(dim=0)) / x.std(dim=0)


COMPANY, CHANCE, FIT = "when other rows stand beside it", "different outputs", "refused the data"
REFUSED = {
    "a function that counts rows": (lambda: lambda f: sums(f) + np.arange(len(f)), VALUED, COMPANY),
    "a function of the mean of the call": (lambda: lambda f: sums(f) - f.to_numpy().mean(), VALUED, COMPANY),
    "a function that knows large calls": (lambda: lambda f: sums(f) * (2 if len(f) > 20 else 1), VALUED, COMPANY),
    "a network that knows large calls": (calls(by_size), VALUED, COMPANY),
    "a pipeline that scales by the call": (
        lambda: make_pipeline(Own(lambda X: X - X.mean(axis=0)), LogisticRegression()).fit(REST.to_numpy(), LABEL),
        {},
        COMPANY,
    ),
    "numbers at random": (lambda: lambda f: sums(f) + np.random.normal(size=len(f)), VALUED, CHANCE),
    "a running mean in a buffer": (stateful, VALUED, CHANCE),
    "an encode that draws": (encoding(lambda c: tensor(c) + torch.randn(1)), {}, "encode gives another result"),
    "an encode that scales by the call": (encoding(scaled_by_the_call), {}, "encode gives another result"),
    "an encode of one row": (encoding(lambda c: tensor(c)[:1]), {}, "a row for each of the 3 rows"),
    "an encode of arrays": (encoding(lambda c: tensor(c).numpy()), {}, "got ndarray"),
    "an encode that fails": (encoding(lambda c: c["income"]), {}, "encode of Sequential refused.*KeyError"),
    "logits said to be probabilities": (plain(nn.Tanh), PROBABLE, "declared to return probabilities"),
    "margins said to be probabilities": (lambda: sums, PROBABLE, r"must lie in 0\.\.1"),
    "shares that do not sum to one": (lambda: lambda f: np.full((len(f), 2), 0.3), PROBABLE, "must sum to 1"),
    "four outputs for two classes": (calls(lambda s, x: s.two(s.one(x)), 4), LOGITS, "4 outputs for 2 classes"),
    "two outputs for a value": (calls(lambda s, x: s.two(s.one(x)), 2), VALUED, "2 outputs for one value"),
    "two values of a function": (lambda: lambda f: f.to_numpy()[:, :2], VALUED, "2 values a row"),
    "two values of a regressor": (lambda: Ridge().fit(REST, np.c_[VALUE, VALUE]), {}, "2 values a row"),
    "two values of a forest": (lambda: RandomForestRegressor(3).fit(REST, np.c_[VALUE, VALUE]), {}, "2 values a row"),
    "complex numbers": (lambda: lambda f: sums(f) + 1j, VALUED, "real numbers"),
    "words": (lambda: lambda f: ["a"] * len(f), VALUED, "real numbers"),
    "a function of another column": (lambda: lambda f: f["income"], VALUED, f"{FIT}: KeyError: 'income'"),
    "a function that divides by zero": (lambda: raises(ZeroDivisionError("by zero")), VALUED, FIT),
    "a forward pass without an attribute": (calls(lambda s, x: s.three(x)), VALUED, FIT),
    "a forward pass that asserts": (calls(raises(AssertionError())), VALUED, f"{FIT}: AssertionError"),
    "a transformer of names that are not kept": (
        lambda: make_pipeline(Own(lambda X: pd.DataFrame(X.rank())), LinearRegression()).fit(REST, VALUE),
        {},
        "keeps no column names",
    ),
    "fitted on three columns": (
        lambda: LinearRegression().fit(REST.to_numpy()[:, :3], VALUE),
        {},
        "fitted on 3 columns without names and is given 4",
    ),
    "not fitted": (Ridge, {}, "not fitted"),
    "a class": (lambda: Ridge, {}, "is a class"),
    "lazy layers": (lazy, VALUED, "lazy layers"),
    "no numbers in its weights": (meta, VALUED, "meta device"),
    "exported": (exported, VALUED, "no evaluation mode"),
    "two classes of one name": (plain(nn.Tanh), {"output": "logit", "classes": ["a", "a"]}, 'names "a" twice'),
    "a positive class that is none": (plain(nn.Tanh), {**LOGITS, "positive": "c"}, "a, b"),
}


def streams():
    return random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_words_and_nothing_of_it_is_changed(name):
    build, options, words = REFUSED[name]
    model = build()
    own = isinstance(model, nn.Module) and name not in {"lazy layers", "no numbers in its weights"}
    hashed, before = state_hash(model) if own else "", streams()
    with pytest.raises(AuditError, match=words):
        audit.explain(model, ROWS, background=REST, **options)
    assert streams() == before
    assert not own or state_hash(model) == hashed


@pytest.mark.parametrize("build", [stateful, calls(lambda s, x: s.two(s.one(x - x.mean(dim=0)).tanh()))])
def test_one_row_alone_does_not_hide_what_depends_on_company(build):
    with pytest.raises(AuditError, match=f"{COMPANY}|{CHANCE}"):
        audit.explain(build(), ROWS[:1], background=REST, **VALUED)


def test_a_row_is_not_explained_against_itself_and_a_background_of_one_row_is_one():
    model = LinearRegression().fit(REST, VALUE)
    with pytest.raises(AuditError, match="give background"):
        audit.explain(model, ROWS[:1])
    found = audit.explain(model, ROWS[:1], background=REST[:1])
    expected = model.coef_ * (ROWS.to_numpy()[0] - REST.to_numpy()[0])
    np.testing.assert_allclose([found.parts[name][0] for name in NAMES], expected, atol=1e-12)


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1]])
def test_features_in_another_order_are_given_to_the_model_in_its_own(order):
    model = LinearRegression().fit(REST, VALUE - 2 * REST["x1"])
    found = audit.explain(model, ROWS, background=REST, features=order)
    for j, name in enumerate(NAMES):
        np.testing.assert_allclose(found.parts[name], model.coef_[j] * (ROWS[name] - REST[name].mean()), atol=1e-9)


def test_a_model_that_is_not_given_all_of_its_columns_names_the_one_that_is_left_out():
    with pytest.raises(AuditError, match='leaves out "x0"'):
        audit.explain(LinearRegression().fit(REST, VALUE), ROWS, background=REST, features=NAMES[1:])


def test_a_module_in_double_precision_is_given_its_numbers_in_double_precision():
    module = plain(nn.Tanh)().double()
    with torch.no_grad():
        first = module(torch.from_numpy(ROWS.to_numpy()))[:, 0].numpy()
    found = audit.explain(module, ROWS, background=REST, output="value")
    np.testing.assert_allclose(found.output, first, atol=1e-14)


def test_a_saturated_classifier_in_single_precision_is_not_mistaken_for_one_that_sees_company():
    module = Calls(lambda s, x: torch.sigmoid(40 * s.two(s.one(x))))

    def answer(f):
        with torch.no_grad():
            return module(torch.from_numpy(f.to_numpy().astype(np.float32)))[:, 0].numpy()

    found = audit.explain(answer, ROWS, background=REST, **PROBABLE)

    def worth(coalitions):
        mixed = [np.where(kept, ROWS.to_numpy()[0], REST.to_numpy()) for kept in coalitions]
        p = [np.clip(answer(pd.DataFrame(m)).astype(np.float64), 1e-6, 1 - 1e-6) for m in mixed]
        return np.array([np.mean(np.log(own) - np.log1p(-own)) for own in p])

    np.testing.assert_allclose([found.parts[name][0] for name in NAMES], shapley(worth, 4), rtol=1e-3, atol=1e-3)


def test_a_tensor_with_gradients_is_an_answer_too():
    found = audit.explain(lambda f: torch.tensor(sums(f), requires_grad=True), ROWS, background=REST, **VALUED)
    np.testing.assert_allclose(found.parts["x2"], ROWS["x2"] - REST["x2"].mean(), atol=1e-9)


def test_weights_that_a_call_changed_are_put_back_before_it_is_refused():
    table = nn.Embedding(8, 3, max_norm=0.1)  # looking a row up shortens it
    module = calls(lambda s, x: s.two(s.one(x)) + table((x[:, 0] > 0).long())[:, :1])()
    module.table = table
    hashed = state_hash(module)
    with pytest.raises(AuditError, match="changes its own parameters"):
        audit.explain(module, ROWS, background=REST, **VALUED)
    assert state_hash(module) == hashed
