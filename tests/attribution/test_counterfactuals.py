"""Counterfactuals: they turn the decision, change only what may change, and cost what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attribution.counterfactuals import counterfactuals, nearest_rows, options
from audit.data.dataset import Roles

from .worlds import table

NAMES = ("income", "debt", "age", "job")


def people(n=200, seed=0):
    rng = np.random.default_rng(seed)
    job = rng.choice(["cook", "clerk", "pilot"], n).astype(object)
    columns = {
        "income": rng.normal(50, 10, n),
        "debt": rng.normal(20, 5, n),
        "age": rng.integers(20, 70, n),
        "job": job,
    }
    return table(columns, roles=Roles(features=NAMES))


def score(columns):
    z = 0.1 * (columns["income"] - 60) - 0.1 * (columns["debt"] - 20) + 0.05 * (columns["age"] - 45)
    return 1 / (1 + np.exp(-z - 0.5 * (columns["job"] == "pilot")))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.3, 0.9))
def test_every_found_change_turns_the_decision_and_touches_only_what_may_change(seed, goal):
    data = people(60, seed)
    allowed = options(data, ("age",))
    for one in counterfactuals(score, data.features, allowed, goal):
        changed = {name: values[one.row : one.row + 1].copy() for name, values in data.features.items()}
        assert "age" not in {change.column for change in one.changes}
        for change in one.changes:
            assert changed[change.column][0] == change.before != change.after
            changed[change.column][0] = change.after
            assert change.after in next(o.values for o in allowed if o.name == change.column)
        before = score({name: values[one.row : one.row + 1] for name, values in data.features.items()})[0]
        if one.found:
            assert before < goal <= score(changed)[0] == pytest.approx(one.score)
            assert 0 < one.cost < np.inf


def test_the_cheapest_single_change_is_found_as_by_trying_all():
    data = people(120, 3)
    allowed = options(data, ("age",))
    for one in counterfactuals(score, data.features, allowed, 0.5):
        if len(one.changes) != 1:
            continue
        row = {name: values[one.row : one.row + 1] for name, values in data.features.items()}
        costs = []
        for option in allowed:
            for value in option.values:
                tried = {**row, option.name: np.array([value], dtype=row[option.name].dtype)}
                if score(tried)[0] >= 0.5:
                    cost = abs(value - row[option.name][0]) / option.spread if option.spread else 1.0
                    costs.append(cost)
        assert one.cost == pytest.approx(min(costs))


def test_values_stay_within_what_was_observed_and_keep_their_type():
    data = people()
    found = {option.name: option for option in options(data, ())}
    assert set(found) == set(NAMES)
    income = data.features["income"]
    assert found["income"].values.min() >= np.quantile(income, 0.04)
    assert found["income"].values.max() <= np.quantile(income, 0.96)
    assert np.isin(found["income"].values, income).all()
    assert found["age"].values.dtype.kind == "i"
    assert list(found["job"].values) == ["clerk", "cook", "pilot"]
    assert found["job"].cost(np.array(["cook"], dtype=object), np.array(["clerk"], dtype=object)).tolist() == [1.0]


def test_where_nothing_helps_nothing_is_invented():
    data = people(10)
    found = counterfactuals(lambda c: np.zeros(len(c["income"])), data.features, options(data, ()), 0.5)
    assert not any(one.found for one in found)
    assert all(one.cost == np.inf for one in found)


def test_a_change_that_turned_out_unneeded_is_taken_back():
    # the first step goes for debt, which gains most for its cost; income alone then does it all
    def both(c):
        return 0.4 * (c["debt"] == 0) + 0.9 * (c["income"] == 1) * (c["debt"] <= 1)

    data = table({"income": np.array([0.0, 1.0] * 20), "debt": np.array([1.0, 0.0] * 20)})
    (one, *_) = counterfactuals(both, data.features, options(data, ()), 0.8)
    assert [change.column for change in one.changes] == ["income"]


def test_the_nearest_rows_are_eligible_and_never_the_row_itself():
    features = np.array([[0.0], [1], [2], [0.1], [np.nan]])
    eligible = np.array([True, True, True, False, False])
    assert nearest_rows(features, 0, eligible, 5).tolist() == [1, 2]
