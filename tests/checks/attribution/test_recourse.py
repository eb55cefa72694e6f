"""Recourse: shares and costs by group, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from audit.checks.attribution.recourse import recourse
from audit.data import Codes
from audit.data.dataset import Roles
from audit.errors import Unavailable
from audit.inputs.groups import Groups, crossed
from tests.attribution.test_inputs import binary, predicted
from tests.attribution.worlds import Classes, table


def given(rows="none", immutable=("age",)):
    rng = np.random.default_rng(0)
    n = 400
    sex = np.arange(n) % 2
    columns = {"income": rng.normal(0, 1, n) - sex, "age": rng.normal(0, 1, n)}
    data = table(columns, roles=Roles(features=("income", "age"), immutable=immutable))

    def function(c):
        p = 1 / (1 + np.exp(-c["income"] - 0.2 * c["age"]))
        return np.column_stack([1 - p, p])

    p = function(columns)[:, 1]
    spec = SimpleNamespace(model=None, evidence=SimpleNamespace(rows=rows))
    case = SimpleNamespace(datasets={}, spec=spec, threshold=None)
    groups = Groups(n=n, sets=(crossed(("sex",), {"sex": Codes(codes=sex.astype(np.int32), levels=("f", "m"))}),))
    return case, Classes(function), data, binary(p, (p > 0.5).astype(int)), groups


def test_the_group_that_stands_further_off_pays_more():
    outcome = recourse(*given(), 1, 0.95)
    cost = {m.slice.get("sex"): m for m in outcome.measurements if m.name == "recourse_cost"}
    assert cost["m"].interval.lower > cost["f"].value
    share = {m.slice.get("sex"): m.value for m in outcome.measurements if m.name == "recourse_share"}
    assert share[None] > 0.9
    assert [row[0] for row in outcome.evidence[0].rows] == ["income"]


def test_single_rows_are_shown_only_where_they_may_be():
    assert len(recourse(*given("none"), 1, 0.95).evidence) == 1
    shown = recourse(*given("sample"), 1, 0.95).evidence[1]
    assert 0 < len(shown.rows) <= 5
    assert "income: " in shown.rows[0][1]
    numbers = [word for row in shown.rows for word in row[1].replace(";", "").split() if word[-1].isdigit()]
    assert len(numbers) >= 2 * len(shown.rows)
    assert max(len(word.lstrip("-0.")) for word in numbers) <= 7  # six digits and a point


def test_when_all_columns_are_immutable_or_nobody_was_refused_it_says_so():
    with pytest.raises(Unavailable, match="no column may change"):
        recourse(*given(immutable=("income", "age")), 1, 0.95)
    case, model, data, _, groups = given()
    with pytest.raises(Unavailable, match="no row has the unfavourable"):
        recourse(case, model, data, binary(np.full(400, 0.9), np.ones(400, int)), groups, 1, 0.95)
    with pytest.raises(Unavailable, match="two outcomes"):
        recourse(case, model, data, predicted(value=np.ones(400), task="regression"), groups, 1, 0.95)


def test_where_nothing_turns_a_decision_none_are_counted_and_no_rows_shown():
    case, _, data, predictions, groups = given(rows="sample", immutable=("income",))
    never = Classes(lambda c: np.tile([0.9, 0.1], (len(c["age"]), 1)))
    outcome = recourse(case, never, data, predictions, groups, 1, 0.95)
    (table_of_columns,) = outcome.evidence
    assert table_of_columns.rows == ()
    assert table_of_columns.note.startswith("0 of ")
    assert {m.value for m in outcome.measurements if m.name == "recourse_share"} == {0.0}
