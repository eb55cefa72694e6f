"""What is asked of groups of columns beside their contributions: mechanisms, trust, one-hot columns, changes."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution.counterfactuals import counterfactuals, options
from audit.attribution.disparity import mechanism_test, propensities
from audit.attribution.indicators import indicator_sets, one_hot_levels
from audit.attribution.players import Players
from audit.attribution.trust_context import context_shift
from audit.attribution.trust_rows import hybrid_gap, row_faithfulness
from audit.data.dataset import FeatureGroup
from audit.errors import Unavailable
from audit.stats import value
from tests.attribution.worlds import Value, numbers, table
from tests.checks.attribution.test_feature_groups import REGION, asked, people, worth


def shifted(seed, n=300, *, mechanism=False):
    """Groups that differ in their inputs, and contributions of three columns that act together."""
    rng = np.random.default_rng(seed)
    group = rng.random(n) < 0.4
    x = rng.normal(size=(n, 4)) + group[:, None] * [0.8, -0.5, 0, 0]
    x[:, 2] *= np.where(group, 1.3, 1)
    phi = np.column_stack([x[:, 0] / (1 + np.exp(-3 * x[:, 1])) + np.abs(x[:, 2]), np.tanh(x[:, 3])])
    if mechanism:
        phi[:, 0] += 0.8 * group * (x[:, 1] > -1)
    likely = propensities(np.column_stack([x, x**2]), group, seed)
    return mechanism_test(phi, [x[:, :3], x[:, 3:]], group, likely, seed)


def test_a_group_that_acts_together_is_no_mechanism_where_only_inputs_differ_and_is_one_where_it_is_used_otherwise():
    assert np.mean([shifted(seed).p < 0.05 for seed in range(20)]) <= 0.15
    found = [shifted(seed, mechanism=True) for seed in range(5)]
    assert max(one.p for one in found) < 0.05
    assert {one.column for one in found} == {0}


def test_a_group_of_more_columns_than_the_rows_can_bear_is_still_compared():
    rng = np.random.default_rng(0)
    group = rng.random(120) < 0.5
    x = rng.normal(size=(120, 100))
    phi = np.column_stack([x[:, 0] + 2.0 * group * x[:, 1], x[:, 2]])
    assert 0 < mechanism_test(phi, [x, x[:, :1]], group, np.full(120, 0.5), 1).p <= 1


def test_trust_is_asked_of_groups_as_they_are_explained():
    data = people(n=90)
    players = Players.in_data(data)
    *_, explained = asked(data)
    values, rows = explained.overall.values, data.take(explained.rows).features
    known = [
        row_faithfulness(Value(worth), rows, s * values, rows, None, np.random.default_rng(0), players) for s in (1, -1)
    ]
    assert np.nanmedian(known[0]) > 0.8
    assert np.nanmedian(known[1]) < -0.8
    x = np.random.default_rng(0).normal(size=(900, 2))
    tied = {"a": x[:, 0], "b": x[:, 0] + 0.05 * x[:, 1], "c": x[:, 1]}
    both = Players.among(tuple(tied), [FeatureGroup(name="ab", columns=("a", "b"))])
    assert value(hybrid_gap(tied, np.random.default_rng(1))) > 0.7
    assert value(hybrid_gap(tied, np.random.default_rng(1), both)) < 0.6
    one = Players.among(tuple(tied), [FeatureGroup(name="all", columns=tuple(tied))])
    with pytest.raises(Unavailable, match="one column cannot be mixed"):
        hybrid_gap(tied, np.random.default_rng(1), one)


def test_the_context_of_a_group_is_what_lies_outside_of_it():
    from audit.attribution.scalar import explained_scalar

    columns = numbers(200, 3)
    product = explained_scalar(Value(lambda c: c["x0"] * c["x1"] + 0 * c["x2"]), None)
    additive = explained_scalar(Value(lambda c: c["x0"] * c["x1"] + c["x2"]), None)
    both = Players.among(tuple(columns), [FeatureGroup(name="both", columns=("x0", "x1"))])
    assert value(context_shift(product, columns, np.random.default_rng(0), both)) == pytest.approx(0.0, abs=1e-9)
    assert value(context_shift(additive, columns, np.random.default_rng(0), both)) < 0.1
    all_of_it = Players.among(tuple(columns), [FeatureGroup(name="all", columns=tuple(columns))])
    with pytest.raises(Unavailable, match="one column"):
        context_shift(product, columns, np.random.default_rng(0), all_of_it)


def test_one_hot_columns_are_found_among_others_and_flags_that_meet_are_not():
    data = people()
    job = np.random.default_rng(3).integers(0, 2, data.n)
    columns = {**data.features, "job_a": job == 0, "job_b": job == 1, "member": np.arange(data.n) % 2}
    everything = table(columns)
    cities = REGION.columns
    assert list(indicator_sets(cities, [everything])) == [cities]
    assert list(indicator_sets(cities[1:], [everything])) == [cities[1:]]  # the first level was left out
    assert set(indicator_sets((*cities, "pay", "job_a", "job_b"), [everything])) == {cities, ("job_a", "job_b")}
    assert list(indicator_sets((*cities, "member"), [everything])) == [cities]
    assert not list(indicator_sets(("member", "job_a"), [everything]))
    twice = table({**{c: everything.values(c).copy() for c in cities}, "pay": data.features["pay"]})
    broken = table({c: np.ones(3) for c in cities})
    assert not list(indicator_sets(cities, [twice, broken]))


@pytest.mark.parametrize("groups", [(REGION,), (FeatureGroup(name="all", columns=(*REGION.columns, "pay", "debt")),)])
def test_a_counterfactual_never_asks_about_a_row_of_two_levels_and_names_the_level(groups):
    data = people(groups=groups)

    def score(c):
        assert (sum(c[name] for name in REGION.columns) == 1).all()
        assert list(c) == list(data.features)
        return 1 / (1 + np.exp(-(3 * c["is_york"] + 0.2 * c["pay"] - 2)))

    one_hot = one_hot_levels([data])
    allowed = options(data, ("sex", "age"), one_hot)
    found = counterfactuals(score, data.features, allowed, 0.5, one_hot)
    moved = [change for one in found for change in one.changes if change.column == groups[0].name]
    assert {change.after for change in moved} == {"is_york"}
    assert {change.before for change in moved} == {"is_bath", "is_hull"}
    assert all(data.features[c.before][one.row] == 1 for one in found for c in one.changes if c in moved)
    assert {o.name for o in options(data, ("is_bath",), one_hot)} == {"sex", "age", "pay", "debt"}
