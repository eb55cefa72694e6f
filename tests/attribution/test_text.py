"""Text: maps of worlds where the evidence of each token is known, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from audit.attribution.text import explain_text, word_numbers
from audit.attribution.trust_grades import read_rules
from audit.attribution.untouched import state_hash
from audit.errors import ModelError, Unavailable
from audit.models import Embedder
from audit.models.text import TextModel
from audit.models.torch import adapt

from .text_worlds import TEXTS, Adds, Attends, ids, model, texts, tokens, weights, with_mask
from .worlds import mlp, network


def explained(spec, **more):
    return explain_text(adapt(spec, device="cpu"), texts(), seed=0, **more)


def test_tokens_of_an_additive_network_get_their_own_numbers_from_padding():
    module = Adds()
    found = explained(model(module))
    maps = {m.short: m for m in found.maps}
    for i, text in enumerate(TEXTS):
        sign = 1 if found.targets[i] == "yes" else -1
        length = len(text.split())
        got = maps["integrated gradients from the padding token"].values[i]
        np.testing.assert_allclose(got[:length], sign * weights(module, text), atol=1e-5)
        assert not got[length:].any()


def test_both_families_agree_where_nothing_interacts():
    found = explained(model(Adds()))
    mean, _, ablated = found.maps[:3]
    assert ablated.short == "token ablation"
    np.testing.assert_allclose(mean.values, ablated.values, atol=1e-5)


def test_a_word_of_two_tokens_is_left_out_as_one_and_shares_its_fall():
    found = explained(model(Adds()))
    words = next(m for m in found.maps if m.short == "word ablation").values[2]
    single = next(m for m in found.maps if m.short == "token ablation").values[2]
    assert words[1] == pytest.approx(words[2])
    assert words[1] + words[2] == pytest.approx(single[1] + single[2], abs=1e-5)
    assert found.tokens[2] == ("the", "sad", "##ly", "bad", "film")


def test_word_marks_of_both_kinds_are_read():
    assert word_numbers((("un", "##do", "it"),), 4).tolist() == [[0, 0, 2, 3]]
    assert word_numbers((("▁un", "do", "▁it"),), 3).tolist() == [[0, 0, 2]]
    assert word_numbers((("##x", "y"),), 2).tolist() == [[0, 1]]


def test_maps_of_an_attending_network_add_up_and_padding_gets_nothing():
    module = Attends().train()
    before = state_hash(module)
    found = explained(model(module, with_mask), rules=read_rules())
    assert state_hash(module) == before
    for maps in found.maps[:2]:
        assert maps.completeness.max() < 0.02
    for maps in found.maps:
        for i, row in enumerate(found.tokens):
            assert not maps.values[i, len(row) :].any()
    assert len(found.trust) == len(found.maps)


def test_a_text_is_explained_alike_whatever_stands_beside_it():
    adapter = adapt(model(Attends().eval(), with_mask), device="cpu")
    whole = explain_text(adapter, texts(), background=texts(), seed=0)
    alone = explain_text(adapter, texts(TEXTS[1:3]), background=texts(), seed=0)
    for a, b in zip(whole.maps, alone.maps, strict=True):
        np.testing.assert_allclose(a.values[1:3], b.values, atol=1e-5)


def test_only_a_text_model_is_an_embedder_and_it_still_predicts():
    adapter = adapt(model(Adds()), device="cpu")
    assert isinstance(adapter, Embedder)
    assert not isinstance(network(mlp(2)), Embedder)
    assert adapter.predict_proba(texts().features).shape == (5, 2)
    assert isinstance(adapt(model(Adds(), output="value", classes=[]), device="cpu"), Embedder)


def test_what_is_no_text_model_is_refused_in_words():
    with pytest.raises(Unavailable, match="no embedding layer"):
        explain_text(network(mlp(2)), texts(), seed=0)
    with pytest.raises(ModelError, match="has none"):
        TextModel(mlp(2), ids, tokens)
    two = nn.ModuleList([nn.Embedding(2, 2), nn.Embedding(3, 2)])
    with pytest.raises(ModelError, match="has 2"):
        TextModel(two, ids, tokens)
    with pytest.raises(ModelError, match='"2" is no'):
        TextModel(two, ids, tokens, embedding="2")
    with pytest.raises(ModelError, match="padding must be"):
        model(Adds(), padding=99)


@pytest.mark.parametrize("encode", [lambda c: ids(c).float(), lambda c: ids(c)[:, 0], lambda c: ids(c)[:, :2]])
def test_an_encode_that_gives_no_ids_for_the_tokens_is_refused(encode):
    class Any(Adds):
        def forward(self, x):
            return super().forward(x.long().reshape(len(x), -1))

    with pytest.raises(Unavailable, match=r"ids"):
        explained(model(Any(), encode))


def test_an_embedding_that_is_used_twice_is_refused():
    class Twice(Adds):
        def forward(self, x):
            return super().forward(x) + super().forward(x)

    with pytest.raises(ModelError, match="used 2 times"):
        explained(model(Twice()))


def test_an_unknown_token_is_refused_by_the_model_in_words():
    with pytest.raises(ModelError, match=r"gives row \d the token id \d+, and the embedding holds 0 to"):
        explained(model(Adds(), lambda c: ids(c) + 7))
