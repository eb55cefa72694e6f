"""Waterfalls of single rows: they add up, they show what is uncertain, and what does not add up is not shown."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution import explain
from audit.checks.attribution.local_explanations import local_explanations
from audit.inputs.explanations import Explanations, LocalRow
from audit.results import Reason
from tests.attribution.worlds import Value, matrix, numbers, table
from tests.checks.attribution.test_global_importance import draws, made

CHOSEN = ("the surest wrong prediction", "the closest decision")


def given(values, completeness=None):
    made_up = made(values, completeness=completeness)
    d = len(made_up.local.names)
    chosen = tuple(LocalRow(row=i, why=CHOSEN[i], values=tuple(f"v{j}" for j in range(d))) for i in range(len(values)))
    return Explanations(overall=made_up.overall, local=made_up.local, chosen=chosen, sensitive=())


def test_a_waterfall_goes_from_the_base_to_the_output():
    values = draws(2, 4)
    for i, waterfall in enumerate(local_explanations(given(values), 0.95).evidence):
        assert waterfall.base + sum(item.value for item in waterfall.items) == pytest.approx(waterfall.output)
        assert waterfall.completeness == pytest.approx(0)
        assert waterfall.title.lower().startswith(CHOSEN[i])
        assert "yes" in waterfall.title


def test_contributions_come_largest_first_with_the_value_that_made_them():
    (first, _) = local_explanations(given(np.array([[1.0, -5.0, 2.0], [0.0, 1.0, 0.0]])), 0.95).evidence
    assert [(item.label, item.shown, item.value) for item in first.items] == [
        ("x1", "v1", -5.0),
        ("x2", "v2", 2.0),
        ("x0", "v0", 1.0),
    ]


def test_many_columns_are_added_up_into_one_and_the_sum_stays_whole():
    values = draws(1, 40)
    (waterfall,) = local_explanations(given(values), 0.95).evidence
    assert len(waterfall.items) == 16
    assert waterfall.items[-1].label == "25 other columns"
    assert sum(item.value for item in waterfall.items) == pytest.approx(values.sum())


def test_a_row_that_does_not_add_up_is_withheld_and_the_others_stay():
    outcome = local_explanations(given(draws(2, 4), completeness=[0.3, 0.01]), 0.95)
    assert [waterfall.title[:11] for waterfall in outcome.evidence] == ["The closest"]
    (omission,) = outcome.omissions
    assert omission.reason is Reason.WITHHELD
    assert "30%" in omission.detail
    assert outcome.measurements[0].value == 0.3


def test_sampled_contributions_carry_their_standard_errors_and_the_note_says_so():
    model = Value(lambda c: np.prod(1 + matrix(c), axis=1))
    local = explain(model, table(numbers(1, 14)), background=table(numbers(9, 14, 1)), evaluations=900, seed=0)
    chosen = (LocalRow(row=0, why=CHOSEN[0], values=("1",) * 14),)
    together = Explanations(overall=local, local=local, chosen=chosen, sensitive=())
    (waterfall,) = local_explanations(together, 0.95).evidence
    assert max(item.error for item in waterfall.items) > 0
    assert "standard errors" in waterfall.note
