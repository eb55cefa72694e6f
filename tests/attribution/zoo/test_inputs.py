"""Pictures, texts and series as users really give them: right, or an error that says what to do."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

import audit
from audit.errors import AuditError
from audit.models.text import TextModel

from .parts import seeded

CLASSES = {"classes": ["bad", "good"]}
SCAN = {"columns": {"scan": {"kind": "image", "shape": [1, 4, 4]}}, **CLASSES}
NOTE = {"columns": {"note": {"kind": "text"}}, **CLASSES, "output": "probability"}
SIGNAL = {"columns": {"signal": {"kind": "series"}}, **CLASSES, "output": "probability"}


def grey(n, seed=0):
    return np.random.default_rng(seed).random((n, 1, 4, 4)).astype(np.float32)


def pixels(n):
    return pd.DataFrame(grey(n).reshape(n, -1), columns=[f"px_{i}" for i in range(16)])


def conv():
    def make():
        return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(48, 2)).eval()

    return seeded(make)()


def file(values):
    held = io.BytesIO()
    Image.fromarray(values).save(held, "PNG")
    return held.getvalue()


def mean(pictures):
    level = pictures.reshape(len(pictures), -1).mean(axis=1)
    return np.column_stack([1 - level, level])


def tone(frame):
    odds = np.array([str(t).count("good") - str(t).count("bad") for t in frame["note"]], dtype=float)
    p = 1 / (1 + np.exp(-odds))
    return np.column_stack([1 - p, p])


WORDS = {"<pad>": 0, "<unk>": 1, "good": 2, "bad": 3, "film": 4}
TEXTS = {"note": ["the good film", "bad", "film so bad"]}


def tokens(columns):
    return [str(text).split() for text in columns["note"]]


def ids(columns, unknown=1):
    rows = [[WORDS.get(word, unknown) for word in row] for row in tokens(columns)]
    longest = max(1, *map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


class Bag(nn.Module):
    def __init__(self, masked=True):
        super().__init__()
        self.table, self.head, self.masked = nn.Embedding(5, 6, padding_idx=0), nn.Linear(6, 2), masked

    def forward(self, x):
        held = self.table(x)
        return self.head(torch.tanh(held.sum(dim=1) if self.masked else held.mean(dim=1)))


def text_model(encode=ids, masked=True):
    return TextModel(seeded(lambda: Bag(masked))(), encode, tokens, **CLASSES, output="logit")


def test_pictures_in_one_array_are_those_in_a_column_a_pixel():
    whole = audit.explain(conv(), {"scan": grey(3)}, output="logit", **SCAN)
    apart = {"scan": {"kind": "image", "from": "px_*", "shape": [1, 4, 4]}}
    stored = audit.explain(conv(), pixels(3), output="logit", columns=apart, **CLASSES)
    np.testing.assert_array_equal(whole.parts["scan"], stored.parts["scan"])


def test_the_bytes_of_a_file_reach_the_model_whole_and_with_sixteen_bits_a_pixel():
    small = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    seen = []

    def model(pictures):
        seen.append(pictures)
        return mean(pictures)

    columns = {"scan": {"kind": "image"}}
    files = {"scan": [file(small), file(small.astype(np.uint16) * 257)]}
    audit.explain(model, files, output="probability", columns=columns, **CLASSES)
    np.testing.assert_allclose(seen[0][0], seen[0][1], atol=1e-6)
    np.testing.assert_allclose(seen[0][0, 0], small / 255, atol=1e-6)


@pytest.mark.parametrize("size", [1, 4])
def test_a_picture_of_one_pixel_is_explained_by_it(size):
    data = {"scan": grey(3)[:, :, :size, :size]}
    columns = {"scan": {"kind": "image", "shape": [1, size, size]}}
    found = audit.explain(mean, data, output="probability", columns=columns, **CLASSES)
    total = found.parts["scan"].reshape(3, -1).sum(axis=1)
    np.testing.assert_allclose(total, found.output - found.base, atol=1e-4)


def scan(**column):
    return {"columns": {"scan": {"kind": "image", **column}}, **CLASSES, "output": "logit"}


def moved_batch(x):
    return conv()(x - x.mean(dim=0))


class Moves(nn.Module):
    def forward(self, x):
        return moved_batch(x)


BAD_PICTURES = {
    "no size": (conv, pixels(2), scan(**{"from": "px_*"}), r"shape = \[channels, height, width\]"),
    "no channel": (conv, pixels(2), scan(**{"from": "px_*", "shape": [4, 4]}), r"\[channels, height, width\]"),
    "numbers for pictures": (conv, {"scan": [1.0, 2.0]}, scan(), "said to hold pictures and holds double"),
    "words for pixels": (
        conv,
        pixels(2).astype(str).replace(r".*", "x", regex=True),
        scan(**{"from": "px_*", "shape": [1, 4, 4]}),
        "must hold numbers",
    ),
    "another size": (conv, {"scan": np.zeros((2, 1, 4, 5))}, scan(shape=[1, 4, 5]), "do features and encode fit"),
    "one row, centred by the call": (Moves, {"scan": grey(1)}, scan(shape=[1, 4, 4]), "other rows stand beside it"),
    "no picture": (conv, {"scan": [file(np.zeros((4, 4), np.uint8)), None]}, scan(), "row 1 has no picture"),
    "no file": (conv, {"scan": [b"nothing"]}, scan(), "row 0: the picture cannot be read"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_pictures_that_cannot_be_read_say_which_and_what_to_do(name):
    model, data, options, words = BAD_PICTURES[name]
    with pytest.raises(AuditError, match=words):
        audit.explain(model(), data, **options)


@pytest.mark.parametrize("texts", [["", "good"], ["", ""], [""], [None, "good film"], ["good"], ["\u2003", "bad\n"]])
def test_texts_without_words_or_of_one_word_have_what_their_words_say(texts):
    for model, options in ((tone, NOTE), (text_model(), {"columns": NOTE["columns"]})):
        given = ["" if text is None else text for text in texts] if model is not tone else texts
        found = audit.explain(model, {"note": given}, **options)
        total = found.parts["note"].reshape(len(texts), -1).sum(axis=1)
        np.testing.assert_allclose(total, found.output - found.base, atol=1e-3)


def test_a_text_of_ten_thousand_words_is_explained_in_parts():
    found = audit.explain(tone, {"note": ["film " * 9998 + "good good", "bad film"]}, **NOTE)
    assert found.parts["note"][0].sum() == pytest.approx(2.0, abs=1e-3)


BAD_TEXTS = {
    "unknown tokens": (
        text_model(lambda c: ids(c, 99)),
        TEXTS,
        "row 0 the token id 99, .* holds 0 to 4",
    ),
    "negative tokens": (text_model(lambda c: ids(c, -1)), TEXTS, "token id -1"),
    "padding on the left": (text_model(lambda c: ids(c).flip(1)), TEXTS, "padding stands on the right"),
    "a mean over padding": (text_model(masked=False), TEXTS, "Bag returns another output for a text when a longer one"),
    "half a character": (text_model(), {"note": ["good \ud83d film", "bad"]}, 'column "note" .* lone surrogates'),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_texts_that_a_model_cannot_read_say_which_and_what_to_do(name):
    model, data, words = BAD_TEXTS[name]
    with pytest.raises(AuditError, match=words):
        audit.explain(model, data, columns=NOTE["columns"])


BAD_SERIES = {
    "two lengths": ([[1.0, 2.0], [1.0, 2.0, 3.0]], "series of 2 to 3 numbers"),
    "an empty row": ([[1.0, 2.0], None], "holds nothing in row 1"),
    "words": (["a", "b"], "must hold numbers"),
    "one row": ([[1.0, 2.0]], "give background"),
    "numbers and words": ([1.0, "a"], 'column "signal" of test cannot be read'),
}


@pytest.mark.parametrize("name", BAD_SERIES)
def test_series_that_cannot_be_stacked_say_which_and_what_to_do(name):
    signal, words = BAD_SERIES[name]
    with pytest.raises(AuditError, match=words):
        audit.explain(mean, {"signal": signal}, **SIGNAL)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), "a name of its own"),
        (pd.DataFrame({"a": [1, "x"]}), "values of one type"),
        (pd.Series([1.0, 2.0]), "must be a data frame"),
        ({"a": 1.0}, 'column "a" of test cannot be read'),
    ],
)
def test_tables_that_are_none_are_told_by_column(data, words):
    with pytest.raises(AuditError, match=words):
        audit.explain(lambda f: f.sum(axis=1), data, output="value")
