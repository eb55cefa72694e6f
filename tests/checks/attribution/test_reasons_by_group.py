"""The check of reasons by group: contrasts, exact gaps, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.checks.attribution.reasons_by_group import reasons_by_group
from audit.data import Codes
from audit.data.dataset import Roles
from audit.errors import Unavailable
from audit.inputs.group_explanations import compared
from audit.inputs.groups import crossed
from audit.results import Ranking, Reason, Table
from tests.attribution.worlds import numbers, table
from tests.checks.attribution.test_global_importance import made


def given(levels=("f", "m"), n=200, sizes=None, classes=("",)):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, len(levels), n) if sizes is None else np.repeat(np.arange(len(levels)), sizes)
    codes = codes.astype(np.int32)
    columns = numbers(len(codes), 3)
    data = table(columns, roles=Roles(features=("x0", "x1", "x2")))
    phi = np.column_stack(list(columns.values())) + np.outer(codes == 1, [0.8, 0.0, 0.0])
    one = crossed(("sex",), {"sex": Codes(codes=codes, levels=levels)})
    rows = np.arange(len(codes))
    explained = tuple(
        made(phi * (1 if k == 0 else rng.normal(size=(len(codes), 1)))).overall for k in range(len(classes))
    )
    found = compared(explained, classes, rows, [one], np.ones(len(codes), dtype=bool), rows, {})
    return found, data, phi, codes


def by_name(outcome, name):
    return [m for m in outcome.measurements if m.name == name]


def test_the_parts_add_up_to_the_gap_of_the_scores_and_two_groups_mirror_each_other():
    explained, data, phi, codes = given()
    outcome = reasons_by_group(explained, data, 1, 0.95)
    mirror, whole = by_name(outcome, "score_gap")
    assert mirror.value == pytest.approx(-whole.value)
    scores = phi.sum(axis=1)
    assert whole.slice == {"sex": "m"}
    assert whole.value == pytest.approx(scores[codes == 1].mean() - scores[codes == 0].mean())
    parts = [m for m in by_name(outcome, "score_gap_contribution") if m.slice == whole.slice]
    assert sum(part.value for part in parts) == pytest.approx(whole.value, abs=1e-9)
    assert parts[0].params["feature"] == "x0"
    assert by_name(outcome, "reason_disparity_p_value")[0].value <= 0.01
    assert by_name(outcome, "mechanism_disparity_p_value")[0].value <= 0.01
    ranking = [e for e in outcome.evidence if isinstance(e, Ranking)][1]
    assert "Right of zero" in ranking.note
    assert sum(item.value for item in ranking.items) == pytest.approx(whole.value)
    assert {whole.unit, parts[0].unit} == {ranking.unit} == {"log-odds"}
    assert any(isinstance(e, Table) for e in outcome.evidence)


def test_more_than_two_groups_are_each_held_against_all_others():
    explained, data, _, _ = given(("a", "b", "c"), n=300)
    found = by_name(reasons_by_group(explained, data, 1, 0.95), "score_gap")
    assert [m.slice["sex"] for m in found] == ["a", "b", "c"]


def test_a_group_under_thirty_is_an_omission_with_the_difference_it_could_show():
    explained, data, _, _ = given(sizes=(180, 20))
    outcome = reasons_by_group(explained, data, 1, 0.95)
    assert not outcome.measurements
    assert len(outcome.omissions) == 2
    for omission in outcome.omissions:
        assert omission.reason is Reason.INSUFFICIENT_DATA
        assert "standard deviations" in omission.detail


def test_of_several_classes_each_is_judged_and_its_p_holds_for_all_of_them():
    found, data, _, _ = given(classes=("cat", "dog", "owl"))
    outcome = reasons_by_group(found, data, 1, 0.95)
    p = {m.params["class"]: m.value for m in by_name(outcome, "reason_disparity_p_value") if m.slice["sex"] == "m"}
    alone = reasons_by_group(given(classes=("dog",))[0], data, 1, 0.95)
    assert p["cat"] <= 0.01, "the group's own contribution is in this class alone"
    assert min(p["dog"], p["owl"]) > 0.05
    assert {m.params["class"] for m in by_name(outcome, "mechanism_disparity_p_value")} == {"cat", "dog", "owl"}
    gaps = {m.params["class"]: m for m in by_name(outcome, "score_gap") if m.slice["sex"] == "m"}
    parts = [
        m.value
        for m in by_name(outcome, "score_gap_contribution")
        if m.slice["sex"] == "m" and m.params["class"] == "cat"
    ]
    assert sum(parts) == pytest.approx(gaps["cat"].value, abs=1e-9)
    assert len(by_name(alone, "score_gap")) == 2
    assert any("cat" in e.title for e in outcome.evidence if isinstance(e, Ranking))


def test_a_class_that_is_left_out_is_named_with_what_to_do():
    found, data, _, _ = given(classes=("cat", "dog"))
    (omission,) = reasons_by_group(replace(found, left_out=("owl",)), data, 1, 0.95).omissions
    assert omission.params == {"class": "owl"}
    assert "against the rest" in omission.remedy


def test_rows_whose_sums_miss_are_left_out_for_every_class():
    found, _, _, codes = given(classes=("cat", "dog"))
    one, two = found.explanations
    two = replace(two, completeness=np.where(np.arange(200) < 10, 0.5, 0.0))
    sets = [crossed(("sex",), {"sex": Codes(codes=codes, levels=("f", "m"))})]
    rows = np.arange(200)
    less = compared((one, two), found.classes, rows, sets, np.ones(200, dtype=bool), rows, {})
    assert less.rows.tolist() == list(range(10, 200))
    assert {e.n for e in less.explanations} == {190}


def test_one_group_has_nothing_to_be_compared_with():
    with pytest.raises(Unavailable, match="of one group"):
        given(sizes=(100, 0))
