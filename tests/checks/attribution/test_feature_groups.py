"""Groups of columns in the checks: one bar, one shuffle, one reason; what is sensitive stands by itself."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from audit.attribution.group_inputs import own_numbers, propensity_design, same_attribute
from audit.attribution.players import Players, sensitive_apart, sensitive_players
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
from tests.attribution.test_inputs import binary, case, predicted
from tests.attribution.worlds import Classes, Value, table

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
