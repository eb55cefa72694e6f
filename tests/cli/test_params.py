"""A limit without the parameter that its measure exists for is found before the audit runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cli._params import unanswered
from audit.policy import Limit
from audit.registry import find
from audit.spec import AuditSpec

NOTES = find().notes
SPEC = AuditSpec.model_validate({
    "schema": 1, "name": "edge", "model": {"path": "m.onnx", "variants": {"int8": "i.onnx", "pruned": "p.onnx"}},
    "data": {"test": {"path": "t.csv", "target": "y"}},
})  # fmt: skip


def said(measure: str, level: str = "fail", **params: str) -> list[str]:
    limit = Limit(measure=measure, max=0.5, level=level, params=params, source="audit.toml", line=7)  # type: ignore[arg-type]
    return unanswered([limit], SPEC, ("a", "b"), NOTES)


@pytest.mark.parametrize("measure", ["variant_accuracy_change", "relative_latency", "relative_inference_energy"])
def test_a_limit_on_a_variant_must_name_it_and_is_told_how(measure: str) -> None:
    (fault,) = said(measure)
    assert f"audit.toml line 7: {measure}" in fault
    assert "variant: int8, pruned" in fault
    assert 'give it params = { variant = "int8" }' in fault
    assert said(measure, variant="pruned") == []


def test_a_limit_on_a_class_must_name_it() -> None:
    (fault,) = said("variant_class_recall_change", variant="int8")
    assert 'params = { class = "a", variant = "int8" }' in fault
    assert said("class_recall", **{"class": "b"}) == []


def test_a_variant_that_is_not_there_is_named_with_those_that_are() -> None:
    (fault,) = said("relative_latency", variant="int4")
    assert 'no variant is called "int4"' in fault
    assert "int8, pruned" in fault


def test_without_variants_it_says_where_they_are_named() -> None:
    alone = SPEC.model_copy(update={"model": SPEC.model.model_copy(update={"variants": {}}) if SPEC.model else None})
    limit = Limit(measure="relative_latency", max=0.5)
    (fault,) = unanswered([limit], alone, (), NOTES)
    assert "name the other form in [model] variants" in fault


@given(st.sampled_from(sorted(NOTES)))
def test_a_measure_without_such_a_parameter_is_never_asked_for_one(measure: str) -> None:
    assert bool(said(measure)) == ("each" in NOTES[measure].params.values())
    assert said("latency_p50") == []


def test_a_measure_of_each_class_whose_name_does_not_say_so_must_be_given_one_too() -> None:
    (fault,) = said("relative_self_influence")
    assert 'give it params = { class = "a" }' in fault
    assert said("relative_self_influence", **{"class": "a"}) == []


def test_what_is_only_recorded_is_no_fault() -> None:
    assert said("relative_latency", level="record") == []
