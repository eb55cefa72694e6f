"""Groups of columns in the checks: one bar, one shuffle, one reason; what is sensitive stands by itself."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from audit.attribution.counterfactuals import counterfactuals, options
from audit.attribution.disparity import mechanism_test, propensities
from audit.attribution.group_inputs import own_numbers, propensity_design, same_attribute
from audit.attribution.indicators import indicator_sets, one_hot_levels
from audit.attribution.players import Players, sensitive_apart, sensitive_players
from audit.attribution.trust_context import context_shift
from audit.attribution.trust_rows import hybrid_gap, row_faithfulness
from audit.checks.attribution.global_importance import Params as Feature
from audit.checks.attribution.global_importance import global_importance
from audit.checks.attribution.local_explanations import local_explanations
from audit.checks.attribution.permutation_importance import Params, permutation_importance
from audit.checks.attribution.reasons_by_group import reasons_by_group
from audit.checks.attribution.recourse import recourse
from audit.data import Codes
from audit.data.dataset import FeatureGroup, Roles
from audit.errors import Unavailable
from audit.inputs.explanations import explanations
from audit.inputs.group_explanations import group_explanations
from audit.inputs.groups import Groups, crossed
from audit.stats import value
from tests.attribution.test_inputs import binary, case, predicted
from tests.attribution.worlds import Classes, Value, numbers, table

CITIES = ("bath", "hull", "york")
REGION = FeatureGroup(name="city", columns=tuple(f"is_{city}" for city in CITIES))
PERSON = FeatureGroup(name="person", columns=("sex", "age", "pay"))
LEVEL = 0.95


def people(n=240, groups=(PERSON, REGION), seed=0):
    rng = np.random.default_rng(seed)
    city, sex = rng.integers(0, 3, n), rng.integers(0, 2, n).astype(float)
    columns = {"sex": sex, "age": rng.normal(size=n), "pay": rng.normal(size=n) + sex, "debt": rng.normal(size=n)}
    columns |= {f"is_{name}": (city == k).astype(float) for k, name in enumerate(CITIES)}
    return table(columns, roles=Roles(features=tuple(columns), groups=("sex",), feature_groups=tuple(groups)))


def worth(c):
    return 2 * c["sex"] + c["pay"] * (1 + c["age"]) - c["debt"] * c["is_hull"] + c["is_york"]


def asked(data, seed=1):
    model = Value(worth)
    predictions = predicted(value=worth(data.features), task="regression")
    codes = data.features["sex"].astype(np.int32)
    groups = Groups(n=data.n, sets=(crossed(("sex",), {"sex": Codes(codes=codes, levels=("0", "1"))}),))
    return model, predictions, groups, explanations(case(None), model, data, predictions, seed=seed)


def test_importance_is_that_of_the_group_with_its_columns_and_a_member_is_told_where_it_is():
    *_, explained = asked(people())
    outcome = global_importance(explained, LEVEL)
    found = {m.params["feature"]: m for m in outcome.measurements if m.name == "mean_absolute_attribution"}
    assert {name: m.columns for name, m in found.items()} == {
        "person": ("sex", "age", "pay"),
        "debt": ("debt",),
        "city": REGION.columns,
    }
    facts = dict(outcome.evidence[-1].rows)
    assert facts["columns of person"] == "sex, age, pay"
    assert facts["explained by themselves in comparisons of groups"] == "sex"
    within = global_importance(explained, LEVEL, Feature(feature="age")).omissions[0]
    assert 'within the group "person"' in within.detail
    assert 'name "person"' in within.remedy


def test_a_sensitive_column_in_a_group_keeps_the_share_that_it_has_by_itself():
    *_, explained = asked(people())
    *_, apart = asked(people(groups=(replace(PERSON, columns=("age", "pay")), REGION)))
    own, known = (
        {m.params.get("feature"): m.value for m in global_importance(e, LEVEL).measurements if "share" in m.name}
        for e in (explained, apart)
    )
    assert own == known
    assert set(own) == {None, "sex"}
    assert own["sex"] > 0.1
    one = global_importance(explained, LEVEL, Feature(feature="sex"))
    assert [m.value for m in one.measurements if "share" in m.name] == [own["sex"]]


def test_a_group_of_sensitive_columns_alone_is_the_sensitive_attribute():
    data = people(groups=(REGION,))
    whole = replace(data, roles=replace(data.roles, groups=REGION.columns))
    assert sensitive_apart(whole).roles == whole.roles
    assert sensitive_players(whole) == ("city",)
    assert set(same_attribute(whole, ("is_hull",))) == set(REGION.columns)
    assert propensity_design(whole, without=same_attribute(whole, ("is_hull",))).shape[1] == 8
    mixed = replace(data, roles=replace(data.roles, groups=("is_hull", "is_york")))
    assert sensitive_players(mixed) == ("is_hull", "is_york")
    assert "is_bath" in Players.in_data(sensitive_apart(mixed)).names  # one that is left alone is no group


def test_reasons_are_those_of_the_groups_and_the_sensitive_column_has_its_own_line():
    data = people()
    model, predictions, groups, explained = asked(data)
    found = group_explanations(case(None), model, data, predictions, groups, explained, seed=1)
    outcome = reasons_by_group(found, data, 1, LEVEL)
    parts = [m for m in outcome.measurements if m.name == "score_gap_contribution" and m.slice == {"sex": "1"}]
    assert {m.params["feature"]: m.columns for m in parts} == {
        "sex": ("sex",),
        "person": ("age", "pay"),
        "debt": ("debt",),
        "city": REGION.columns,
    }
    total = next(m.value for m in outcome.measurements if m.name == "score_gap" and m.slice == {"sex": "1"})
    assert sum(m.value for m in parts) == pytest.approx(total, abs=1e-9)
    proxies = {row[0]: row for row in next(e for e in outcome.evidence if e.name == "proxies sex = 1").rows}
    assert proxies["sex"][4] == pytest.approx(1.0)
    own = [np.corrcoef(data.features[c][found.rows], data.features["sex"][found.rows])[0, 1] for c in ("age", "pay")]
    assert proxies["person"][5] == pytest.approx(max(own, key=abs))


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


def test_columns_of_a_group_are_shuffled_together():
    data = people()
    truth = worth(data.features)
    predictions = predicted(value=truth, label=truth, task="regression")
    outcome = permutation_importance(Value(worth), data, predictions, 1, LEVEL)
    found = {m.params["feature"]: m for m in outcome.measurements}
    assert {name: m.columns for name, m in found.items()}["city"] == REGION.columns
    expected = 2 * np.var(2 * data.features["sex"] + data.features["pay"] * (1 + data.features["age"]))
    assert found["person"].value == pytest.approx(expected, rel=0.2)
    with pytest.raises(Unavailable, match='"age" is explained within the group "person"'):
        permutation_importance(Value(worth), data, predictions, 1, LEVEL, Params(feature="age"))


def test_a_row_shows_the_level_that_is_one_and_the_first_values_of_other_groups():
    data = people()
    *_, explained = asked(data)
    for chosen in explained.chosen:
        person, _, city = chosen.values
        assert data.features[city][chosen.row] == 1
        assert len(person.split(", ")) == 3
    waterfall = local_explanations(explained, LEVEL).evidence[0]
    assert {item.label for item in waterfall.items} == {"person", "debt", "city"}
    assert waterfall.base + sum(item.value for item in waterfall.items) == pytest.approx(waterfall.output)


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


def test_recourse_changes_the_city_as_one_and_other_columns_of_a_group_each_on_their_own():
    data = people()

    def function(c):
        assert (sum(c[name] for name in REGION.columns) == 1).all()
        p = 1 / (1 + np.exp(-(2 * c["is_york"] + c["pay"] - 1.5)))
        return np.column_stack([1 - p, p])

    p = function(data.features)[:, 1]
    spec = SimpleNamespace(model=None, evidence=SimpleNamespace(rows="sample"))
    *_, groups, _ = asked(data)
    given = SimpleNamespace(datasets={}, spec=spec, threshold=None)
    outcome = recourse(given, Classes(function), data, binary(p, (p > 0.5).astype(int)), groups, 1, LEVEL)
    changed = {row[0] for row in outcome.evidence[0].rows}
    assert changed <= {"city", "pay", "age", "debt"}
    assert {"city", "pay"} <= changed
    assert any("city: is_" in row[1] for row in outcome.evidence[1].rows) or "pay: " in outcome.evidence[1].rows[0][1]


def test_own_numbers_follow_the_players_of_the_comparison():
    data = people()
    shapes = [own.shape[1] for own in own_numbers(data)]
    assert dict(zip(Players.in_data(sensitive_apart(data)).names, shapes, strict=True)) == {
        "sex": 1,
        "person": 2,
        "debt": 1,
        "city": 3,
    }
