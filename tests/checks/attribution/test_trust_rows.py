"""Trust in a table's contributions: graded, by group with enough rows of each, and independent of the rows' order."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution.trust_grades import read_rules
from audit.checks.attribution._trust import rows_table
from audit.checks.attribution.trust_rows import trust_rows
from audit.inputs.explanations import explanations
from audit.inputs.groups import Groups
from audit.results import Reason, Table
from tests.attribution.test_inputs import case, predicted
from tests.attribution.worlds import Value, matrix, numbers, table
from tests.inputs.test_group_explanations import groups


def outcome(columns=None, codes=None, n=900):
    columns = columns or numbers(n, 4)
    data, model = table(columns), Value(lambda c: np.tanh(matrix(c)).sum(axis=1))
    predictions = predicted(value=model.predict_value(data.features), task="regression")
    explained = explanations(case(None), model, data, predictions, seed=1)
    given = Groups(n=data.n, sets=()) if codes is None else groups(sex=codes)
    return trust_rows(explained, predictions, given, model, data, case(None), 1, 0.95)


def measured(found):
    return {(m.name, m.slice.get("sex")): m for m in found.measurements}


def test_true_contributions_of_independent_columns_get_an_a_with_all_tests_in_the_table():
    found = outcome()
    (evidence,) = found.evidence
    assert isinstance(evidence, Table)
    assert evidence.title.endswith("Grade A")
    assert [row[0] for row in evidence.rows] == ["T1", "T4", "T8", "T8"]
    assert [row[3] for row in evidence.rows] == ["A", "A", "A", "A"]


def test_rows_that_do_not_occur_lower_the_grade_and_the_reason_says_so():
    x = np.random.default_rng(0).normal(size=900)
    tied = {f"x{j}": x + 0.01 * j * np.random.default_rng(j).normal(size=900) for j in range(4)}
    found = outcome(tied)
    assert measured(found)["trust_manifold_gap", None].value > 0.9
    assert found.evidence[0].title.endswith("Grade C")
    assert "the rows that it asks about are easily told from real ones" in found.evidence[0].note


def test_a_small_group_is_given_rows_of_its_own_and_one_that_hardly_exists_is_refused():
    codes = np.concatenate([np.zeros(840), np.ones(50), np.full(10, 2)]).astype(int)
    found = outcome(codes=np.random.default_rng(0).permutation(codes))
    assert measured(found)["trust_row_faithfulness", "sex1"].n >= 30
    assert measured(found)["trust_row_faithfulness", None].n <= 200, "its rows are not among the shared ones"
    (few,) = [o for o in found.omissions if o.name == "trust_row_faithfulness"]
    assert few.slice == {"sex": "sex2"}
    assert few.reason is Reason.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("name", "value", "letter"),
    [
        ("trust_manifold_gap", 0.6, "A"),
        ("trust_manifold_gap", 0.8, "B"),
        ("trust_manifold_gap", 0.95, "C"),
        ("trust_context_shift", 0.1, "A"),
        ("trust_context_shift", 0.2, "B"),
        ("trust_context_shift", 0.4, "withheld"),
        ("trust_row_faithfulness", 0.1, "C"),
        ("trust_row_completeness_error", 0.2, "withheld"),
    ],
)
def test_the_letter_follows_from_the_pack(name, value, letter):
    assert read_rules().grade({name: value}).letter == letter


def test_without_any_measurement_the_table_is_empty_and_says_by_which_rules():
    assert rows_table("Exact", []).rows == ()
    assert "trust@1" in rows_table("Exact", []).note
