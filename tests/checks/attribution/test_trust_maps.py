"""Trust as measurements: one a method and test, with the grade, and what is withheld in words."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution.maps import MapExplanation, Maps
from audit.attribution.trust_grades import Grade, Trust
from audit.checks.attribution.trust_maps import MEASURES, trust_maps
from audit.errors import Unavailable
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import Reason

N = 6
BAD = Grade(letter="withheld", reasons=("it is noise (T4: 0.01)",))


def trust(short, numbers, grade, maps, missing=()):
    return Trust(short=short, numbers=numbers, missing=missing, grade=grade, maps=maps)


def given(*trusts):
    maps = tuple(
        Maps(method=t.short, short=t.short, family=t.short, values=np.zeros((N, 2, 2), np.float32), signed=True)
        for t in trusts
    )
    explanation = MapExplanation(targets=("a",) * N, scalar="the logit", maps=maps, trust=trusts)
    return ExplainedMaps(rows=tuple(range(N)), labels=("",) * N, explanation=explanation)


def outcome():
    faithful = np.array([0.9, 0.8, 0.7, 0.9, np.nan, 0.8])
    good = trust(
        "gradients",
        {"trust_faithfulness": faithful, "trust_deletion": np.ones(N)},
        Grade(),
        (*[Grade()] * (N - 1), BAD),
    )
    why = (("trust_randomisation", Unavailable("not_applicable", "no parameters", "nothing to do")),)
    bad = trust("noise", {"trust_faithfulness": np.linspace(-0.1, 0.1, N)}, BAD, (BAD,) * N, why)
    return trust_maps(given(good, bad), 0.95)


def test_each_test_of_each_method_is_the_mean_over_the_rows_that_have_it():
    found = {(m.name, m.params.get("method")): m for m in outcome().measurements}
    assert found["trust_faithfulness", "gradients"].value == pytest.approx(0.82)
    assert found["trust_faithfulness", "gradients"].n == 5
    assert found["trust_faithfulness", "noise"].value == pytest.approx(0)
    assert found["trust_deletion", "gradients"].value == 1  # all rows alike: still an interval
    assert found["trust_deletion", "gradients"].interval.lower < 0.7
    assert found["trust_withheld_share", None].value == pytest.approx(7 / 12)


def test_a_withheld_method_is_one_line_and_a_withheld_map_names_its_row():
    held = [o for o in outcome().omissions if o.reason is Reason.WITHHELD]
    assert [o.detail.split(":")[0] for o in held] == ["gradients", "noise"]
    assert "its map 6 is withheld" in held[0].detail
    assert "all its maps" in held[1].detail
    assert held[1].n == N


def test_a_test_that_cannot_be_made_is_an_omission_with_its_reason():
    assert any(o.name == "trust_randomisation" and "no parameters" in o.detail for o in outcome().omissions)


def test_the_table_names_every_method_its_grade_and_why_it_is_not_better():
    (table,) = outcome().evidence
    assert [row[:2] for row in table.rows] == [("gradients", "A"), ("noise", "withheld")]
    assert table.rows[1][-1] == "it is noise (T4: 0.01)"
    assert len(table.columns) == len(table.rows[0])


def test_every_measure_says_which_method_it_is_about():
    assert all(set(note.get("params", {})) <= {"method"} for note in MEASURES.values())
