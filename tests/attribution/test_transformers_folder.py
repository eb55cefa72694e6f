"""Transformers folders: a tiny network built from a configuration, never downloaded; what is missing is named."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from audit.attribution.text import explain_text
from audit.attribution.trust_grades import read_rules
from audit.errors import ModelError, UnsafeModelError
from audit.models import Embedder
from audit.models.loading import load_model
from audit.models.transformers import load_folder
from audit.spec import ModelSpec

from .text_worlds import texts

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "the", "not", "sad", "##ly"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    place = tmp_path_factory.mktemp("tiny")
    (place / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = transformers.BertTokenizer(str(place / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        num_labels=2,
        id2label={0: "refused", 1: "granted"},
    )
    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(config)
    model.bert.embeddings.word_embeddings.weight.data *= 20
    model.classifier.weight.data *= 20
    model.save_pretrained(place, safe_serialization=True)
    tokenizer.save_pretrained(place)
    return place


def test_a_folder_predicts_and_its_tokens_are_mapped(folder):
    model = load_folder(folder, device="cpu")
    assert isinstance(model, Embedder)
    assert model.classes == ("refused", "granted")
    found = explain_text(model, texts(["the good film", "bad sadly not the film"]), rules=read_rules(), seed=0)
    assert found.tokens[0] == ("[CLS]", "the", "good", "film", "[SEP]")
    assert "##ly" in found.tokens[1]
    assert [m.short for m in found.maps][-1] == "word ablation"
    assert found.maps[0].completeness.max() < 0.02


def test_padding_changes_no_prediction(folder):
    model = load_folder(folder, device="cpu")
    alone = model.predict_proba(texts(["good"]).features)
    beside = model.predict_proba(texts(["good", "the bad sad film not good the film"]).features)
    np.testing.assert_allclose(alone[0], beside[0], atol=1e-5)


def test_a_folder_named_in_audit_toml_is_loaded_with_its_digest(folder):
    loaded = load_model(ModelSpec(path=folder.name), folder.parent)
    assert loaded.bytes > 1000
    assert load_model(ModelSpec(path=folder.name, sha256=loaded.sha256), folder.parent).sha256 == loaded.sha256
    with pytest.raises(ModelError, match="is not the model that sha256"):
        load_model(ModelSpec(path=folder.name, sha256="0" * 64), folder.parent)


def test_what_a_folder_lacks_is_named_and_pickles_are_refused(tmp_path):
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        load_folder(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match=r"holds no model\.safetensors"):
        load_folder(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(UnsafeModelError, match="pickle"):
        load_folder(tmp_path)


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=r"assay\[transformers\]"):
        load_folder(tmp_path)
