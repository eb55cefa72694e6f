"""The check of reasons by group: contrasts, exact gaps, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.checks.attribution.reasons_by_group import reasons_by_group
from audit.data import Codes
from audit.data.dataset import Roles
from audit.errors import Unavailable
from audit.inputs.groups import Groups, crossed
from audit.results import Ranking, Reason, Table
from tests.attribution.worlds import numbers, table
from tests.checks.attribution.test_global_importance import made


def given(levels=("f", "m"), n=200, sizes=None):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, len(levels), n) if sizes is None else np.repeat(np.arange(len(levels)), sizes)
    codes = codes.astype(np.int32)
    columns = numbers(len(codes), 3)
    data = table(columns, roles=Roles(features=("x0", "x1", "x2")))
    phi = np.column_stack(list(columns.values())) + np.outer(codes == 1, [0.8, 0.0, 0.0])
    explained = replace(made(phi), rows=np.arange(len(codes)))
    one = crossed(("sex",), {"sex": Codes(codes=codes, levels=levels)})
    return explained, Groups(n=len(codes), sets=(one,)), data, phi, codes


def by_name(outcome, name):
    return [m for m in outcome.measurements if m.name == name]


def test_the_parts_add_up_to_the_gap_of_the_scores_and_two_groups_mirror_each_other():
    explained, groups, data, phi, codes = given()
    outcome = reasons_by_group(explained, groups, data, 1, 0.95)
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
    assert sum(item.value for item in ranking.items) == pytest.approx(whole.value)
    assert any(isinstance(e, Table) for e in outcome.evidence)


def test_more_than_two_groups_are_each_held_against_all_others():
    explained, groups, data, _, _ = given(("a", "b", "c"), n=300)
    found = by_name(reasons_by_group(explained, groups, data, 1, 0.95), "score_gap")
    assert [m.slice["sex"] for m in found] == ["a", "b", "c"]


def test_a_group_under_thirty_is_an_omission_with_the_difference_it_could_show():
    explained, groups, data, _, _ = given(sizes=(180, 20))
    outcome = reasons_by_group(explained, groups, data, 1, 0.95)
    assert not outcome.measurements
    assert len(outcome.omissions) == 2
    for omission in outcome.omissions:
        assert omission.reason is Reason.INSUFFICIENT_DATA
        assert "standard deviations" in omission.detail


def test_without_groups_or_with_several_explained_classes_it_is_refused():
    explained, groups, data, _, _ = given()
    with pytest.raises(Unavailable, match="of one group"):
        reasons_by_group(*given(sizes=(100, 0))[:3], 1, 0.95)
    with pytest.raises(Unavailable, match="no column has the role groups"):
        reasons_by_group(explained, Groups(n=200, sets=()), data, 1, 0.95)
    mixed = replace(explained.overall, targets=("a",) * 100 + ("b",) * 100)
    with pytest.raises(Unavailable, match="different classes"):
        reasons_by_group(replace(explained, overall=mixed), groups, data, 1, 0.95)
