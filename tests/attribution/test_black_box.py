"""Maps of models without gradients: exact where the truth is known, and honest about their error."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution.black_box import explain_units, pieces
from audit.attribution.subject import grid
from audit.attribution.trust_grades import read_rules

from .one_call_worlds import CLASSES, signals, softmax
from .text_worlds import TEXTS, texts
from .worlds import Classes, Value, images

WEIGHTS = {"good": 2.0, "bad": -3.0, "film": 0.5}


def patch_means(pixels):
    places = grid(*pixels.shape[2:], 6)
    flat = pixels.sum(axis=1).reshape(len(pixels), -1)
    return np.stack([flat[:, places.reshape(-1) == k].sum(axis=1) for k in range(places.max() + 1)], axis=1)


def test_patches_of_a_sum_hold_what_they_add():
    data, weights = images(4), np.linspace(-1, 1, 36)
    model = Value(lambda c: patch_means(c["scan"]) @ weights)
    found = explain_units(model, data, background=images(20, seed=3), seed=0)
    colour = images(20, seed=3).values("scan").mean()
    pixels = data.values("scan")
    truth = weights * (patch_means(pixels) - patch_means(np.full_like(pixels, colour)))
    by_patch = patch_means(found.maps[0].values[:, None])
    np.testing.assert_allclose(by_patch, truth, atol=1e-4)
    np.testing.assert_allclose(patch_means(found.maps[1].values[:, None]), truth, atol=1e-4)
    assert found.numerical.max() < 1e-4


def test_words_of_a_sum_hold_what_they_add_and_end_where_the_text_ends():
    model = Value(lambda c: np.array([sum(WEIGHTS.get(w, 0) for w in t.split()) for t in c["note"]]))
    found = explain_units(model, texts(), seed=0)
    for row, text in enumerate(TEXTS):
        split = text.split()
        assert found.tokens[row] == tuple(split)
        np.testing.assert_allclose(
            found.parts["note"][row, : len(split)], [WEIGHTS.get(w, 0) for w in split], atol=1e-6
        )
        assert not found.parts["note"][row, len(split) :].any()


def test_words_that_only_count_together_share_what_they_make():
    model = Value(lambda c: np.array([6.0 * ("bad" in t and "film" in t) for t in c["note"]]))
    found = explain_units(model, texts(["the bad film"]), background=texts(), seed=0)
    np.testing.assert_allclose(found.parts["note"][0, :3], [0, 3, 3], atol=1e-6)
    np.testing.assert_allclose(found.maps[1].values[0, :3], [0, 6, 6], atol=1e-6)  # each left out takes the whole


def test_windows_that_are_not_read_hold_nothing():
    model = Value(lambda c: np.tanh(c["signal"][:, 3:5, 1]).sum(axis=1))
    found = explain_units(model, signals(), background=signals(30, seed=1), seed=0)
    outside = found.parts["signal"].copy()
    outside[:, 3:5, 1] = 0
    assert np.abs(outside).max() < 1e-6
    np.testing.assert_allclose(found.parts["signal"].sum(axis=(1, 2)), found.output - found.base, atol=1e-6)


def test_the_stated_error_is_of_the_size_of_the_true_one():
    weights = np.random.default_rng(0).normal(size=(2, 36))

    def bends(columns):
        parts = patch_means(columns["scan"])
        return np.tanh(parts @ weights[0]) * np.cos(parts @ weights[1])

    data = images(3)
    few, many = (explain_units(Value(bends), data, evaluations=e, seed=0) for e in (800, 40_000))
    off = np.abs(few.maps[0].values - many.maps[0].values).reshape(3, -1).sum(axis=1)
    share = off / np.abs(many.maps[0].values).reshape(3, -1).sum(axis=1)
    assert (share < 2 * few.numerical).all()
    assert (share > few.numerical / 4).all()
    assert (many.numerical < few.numerical / 3).all()


def test_rows_are_explained_by_themselves_and_trust_is_graded():
    data, background = texts(), texts()
    model = Classes(
        lambda c: softmax(np.array([[t.count("o"), t.count("bad"), 1.0] for t in c["note"]])), tuple(CLASSES)
    )
    whole = explain_units(model, data, background=background, rules=read_rules(), seed=0)
    alone = explain_units(model, data.take([3]), background=background, seed=0)
    np.testing.assert_allclose(alone.parts["note"][0], whole.parts["note"][3], atol=1e-5)
    assert len(whole.trust) == 2
    assert "trust_stability" not in whole.trust[0].numbers  # words are there or not
    assert [name for name, _ in whole.trust[0].missing] == ["trust_randomisation"]


@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_missing_text_has_no_words_and_its_map_is_empty(text):
    model = Value(lambda c: np.array([float(len(t)) for t in c["note"]]))
    found = explain_units(model, texts([text, "one two"]), seed=0)
    assert found.tokens[0] == ()
    assert not found.parts["note"][0].any()
    np.testing.assert_allclose(found.parts["note"][1].sum(), 7, atol=1e-6)


def test_very_long_texts_are_left_out_in_runs_that_lose_no_word():
    long = " ".join(f"w{i}" for i in range(1234))
    (found, short) = pieces([long, "a b"])
    assert len(found) <= 100
    assert "".join(found) == long
    assert "".join(short) == "a b"
