"""T9: maps of thirty rows of each group, compared; who has too few rows is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.checks.attribution import trust_maps_by_group as module
from audit.checks.attribution.trust_maps_by_group import trust_maps_by_group
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.results import Reason
from tests.attribution.test_inputs import case, predicted
from tests.attribution.worlds import Value, cnn, images, network, numbers, table
from tests.inputs.test_group_explanations import groups

N = 110
SITES = np.repeat([0, 1, 2], [60, 40, 10])


@pytest.fixture(scope="module")
def world():
    data = images(N)
    model = network(cnn(), classes=["0", "1", "2"])
    predictions = replace(predicted(model.predict_proba(data.features), task="multiclass"), classes=("0", "1", "2"))
    return model, data, predictions


def found(world, codes=SITES):
    model, data, predictions = world
    return trust_maps_by_group(case(None), model, data, predictions, groups(site=codes), 1, 0.95)


@pytest.fixture(scope="module")
def outcome(world):
    return found(world)


def test_three_tests_of_each_method_are_made_on_thirty_rows_of_every_group_that_has_them(outcome):
    of = {(m.name, m.slice["site"], m.params["method"]): m for m in outcome.measurements}
    assert {site for _, site, _ in of} == {"site0", "site1"}
    assert {name for name, _, _ in of} == set(module.MEASURES)
    assert {m.n for (name, _, _), m in of.items() if name == "map_completeness_error_by_group"} == {30}
    assert all(m.value < 0.01 for (name, _, _), m in of.items() if name == "map_completeness_error_by_group")


def test_a_group_with_fewer_is_an_omission_that_says_how_many_it_needs(outcome):
    (few,) = outcome.omissions
    assert few.slice == {"site": "site2"}
    assert few.reason is Reason.INSUFFICIENT_DATA
    assert "30 rows" in few.remedy


def test_the_name_of_another_group_changes_no_number_of_a_group(world, outcome):
    other = found(world, np.where(SITES == 2, 0, SITES))
    values = [
        {(m.name, m.params["method"]): m.value for m in one.measurements if m.slice["site"] == "site1"}
        for one in (outcome, other)
    ]
    assert values[0].keys() == values[1].keys()
    same = [k for k in values[0] if k[0] == "map_completeness_error_by_group"]
    assert all(values[0][k] == pytest.approx(values[1][k], rel=1e-4) for k in same)


def test_what_cannot_be_afforded_or_read_is_refused_with_the_reason(world, monkeypatch):
    model, data, predictions = world
    with pytest.raises(Unavailable, match="no column has the role groups"):
        trust_maps_by_group(case(None), model, data, predictions, Groups(n=N, sets=()), 1, 0.95)
    monkeypatch.setattr(module, "MOST_PARAMETERS", 10)
    with pytest.raises(Unavailable, match="parameters"):
        found(world)
    cells = table(numbers(40, 2))
    with pytest.raises(Unavailable, match="attribution maps need"):
        found((Value(lambda c: c["x0"]), cells, predicted(value=np.zeros(40), task="regression")), np.arange(40) % 2)
