"""Several kinds of input in one report: shares, their overlap with Shapley values, and what is drawn."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from audit.attribution.several import explain_several
from audit.attribution.trust_grades import Grade, Trust
from audit.checks.attribution.multimodal_maps import multimodal_maps
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import ImageMap, TextMap, Waterfall
from tests.attribution.one_call_worlds import WORLDS
from tests.attribution.test_several import Adds, value, without_notes

CASE = SimpleNamespace(datasets={}, positive=None)


def given(model, data, rows=(1, 4, 2)):
    found = explain_several(model, data.take(list(rows)), background=data, seed=0)
    return ExplainedMaps(rows=tuple(rows), labels=("",) * len(rows), explanation=found)


def test_each_row_is_a_bar_for_each_input_a_map_of_its_picture_and_its_words():
    model, data = WORLDS["several/picture, note and table"]()
    source = given(model, data)
    evidence = multimodal_maps(source, model, data, CASE, 1, 0.95).evidence
    assert [type(item) for item in evidence] == [Waterfall, ImageMap, TextMap] * 3
    bars, picture, text = evidence[:3]
    assert {item.label for item in bars.items} == {"scan", "note", "age", "town"}
    assert bars.base + sum(item.value for item in bars.items) == pytest.approx(bars.output, abs=1e-3)
    pixels = np.frombuffer(picture.attributions.data, "<f4").reshape(8, 8)
    np.testing.assert_allclose(pixels, source.explanation.parts["scan"][0], atol=1e-6)
    assert text.tokens == tuple(data.values("note")[1].split())


def test_shares_of_a_sum_are_those_of_exact_shapley_values():
    model, data = value(Adds()), without_notes(40)
    outcome = multimodal_maps(given(model, data, tuple(range(8))), model, data, CASE, 1, 0.95)
    found = {(m.name, m.params.get("modality")): m.value for m in outcome.measurements}
    assert found["multimodal_gradient_share", "scan"] + found["multimodal_gradient_share", "table"] == pytest.approx(1)
    assert found["multimodal_share_overlap", None] > 0.85  # the backgrounds differ: their mean, and twenty of them


def test_a_row_whose_map_is_withheld_is_neither_drawn_nor_counted():
    model, data = WORLDS["several/picture and table"]()
    source = given(model, data)
    bad = Grade(letter="withheld", reasons=("noise",))
    trust = Trust(short="gradients", numbers={}, missing=(), grade=Grade(), maps=(Grade(), bad, Grade()))
    source = replace(source, explanation=replace(source.explanation, trust=(trust,)))
    outcome = multimodal_maps(source, model, data, CASE, 1, 0.95)
    assert {item.name.split("_")[1] for item in outcome.evidence} == {"1", "3"}
    assert {m.n for m in outcome.measurements if m.name == "multimodal_gradient_share"} == {2}


def test_where_no_row_can_be_trusted_nothing_is_measured_and_the_reason_is_said():
    model, data = WORLDS["several/picture and table"]()
    source = given(model, data)
    bad = (Grade(letter="withheld", reasons=("noise",)),) * 3
    trust = Trust(short="gradients", numbers={}, missing=(), grade=bad[0], maps=bad)
    outcome = multimodal_maps(
        replace(source, explanation=replace(source.explanation, trust=(trust,))), model, data, CASE, 1, 0.95
    )
    assert not outcome.measurements
    assert any("can be trusted" in o.detail for o in outcome.omissions)
