"""Text maps as evidence: the tokens with their weights, and nothing of what is withheld."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.attribution.maps import Maps
from audit.attribution.text import TextExplanation
from audit.attribution.trust_grades import Grade, Trust
from audit.checks.attribution.text_maps import text_maps
from audit.errors import CheckError
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import ROW_EVIDENCE, TextMap
from reports import charts


def given():
    values = np.array([[0.5, -0.25, 0.25, 0.0], [0.1, 0.2, 0.3, 0.4]], dtype=np.float32)
    maps = Maps(
        method="integrated gradients (up to 9 nodes)", short="gradients", family="g", values=values, signed=True
    )
    explanation = TextExplanation(
        targets=("yes", "no"), scalar="the log-odds", maps=(maps,), tokens=(("a", "b", "c"), ("d", "e", "f", "g"))
    )
    return ExplainedMaps(rows=(3, 9), labels=("no", ""), explanation=explanation)


def test_each_text_shows_its_own_tokens_with_their_weights():
    first, second = text_maps(given(), 0.95).evidence
    assert first.tokens == ("a", "b", "c")
    assert first.weights == (0.5, -0.25, 0.25)
    assert "predicted yes, labelled no" in first.title
    assert len(second.weights) == 4


def test_the_share_of_the_strongest_three_is_what_it_says():
    (share,) = text_maps(given(), 0.95).measurements
    assert share.value == pytest.approx((1 + 0.9) / 2, abs=1e-6)
    assert share.n == 2


def test_a_withheld_text_is_not_drawn():
    bad = Grade(letter="withheld", reasons=("noise",))
    trust = Trust(short="gradients", numbers={}, missing=(), grade=Grade(), maps=(Grade(), bad))
    source = given()
    outcome = text_maps(replace(source, explanation=replace(source.explanation, trust=(trust,))), 0.95)
    assert [item.name for item in outcome.evidence] == ["text_1_map_1"]


def test_a_text_map_is_about_a_row_and_refuses_what_does_not_fit():
    assert TextMap in ROW_EVIDENCE
    with pytest.raises(CheckError, match="2 tokens and 1 weights"):
        TextMap(name="t", title="t", tokens=("a", "b"), weights=(1.0,), method="m", target="x", completeness=None)
    with pytest.raises(CheckError, match="finite"):
        TextMap(name="t", title="t", tokens=("a",), weights=(float("nan"),), method="m", target="x", completeness=None)


def test_the_picture_says_which_words_speak_for_and_which_against():
    item = text_maps(given(), 0.95).evidence[0]
    assert charts.describe(item) == "For yes: “a” and “c”; against it: “b” (integrated gradients)."
    rows = [row for rows in charts.figure(item)["datasets"].values() for row in rows]
    assert [row["sign"] for row in rows] == ["+", "-", "+"]
    assert len(charts.numbers(item).rows) == 3
    assert "<svg" in charts.svg(charts.figure(item), "t", "d")


def test_hostile_tokens_and_long_texts_stay_small_and_inert():
    tokens = ("<script>alert(1)</script>", "\u202eevil", *["word"] * 1000)
    weights = (0.5, -0.5, *[0.001] * 1000)
    item = TextMap(name="t", title="t", tokens=tokens, weights=weights, method="m", target="x", completeness=None)
    text = charts.svg(charts.figure(item), "t", charts.describe(item))
    assert "<script" not in text
    assert "\u202e" not in text
    assert len(text) < 60_000
