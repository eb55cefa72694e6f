"""Models with an output a label: every format gives the probabilities that its library gives, each by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import skops.io
import torch
from onnx import TensorProto, helper, numpy_helper
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neural_network import MLPClassifier

from audit.errors import ModelError
from audit.models import Embedder, MultilabelClassifier, MultilabelDecider, ProbabilisticClassifier
from audit.models import onnx as onnx_models
from audit.models.calling import ready
from audit.models.loading import load_model
from audit.models.multilabel import one_label
from audit.models.sklearn import adapt_labels
from audit.models.text import TextModel
from audit.models.wrapping import wrap
from audit.spec import ModelSpec
from tests.attribution.text_worlds import TEXTS, VOCABULARY, ids, tokens
from tests.models.test_adapters import graph

RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 2))
COLUMNS = {"a": X[:, 0], "b": X[:, 1]}
Y = (np.column_stack([X[:, 0], X[:, 1], X[:, 0] - X[:, 1]]) + RNG.normal(size=(120, 3)) > 0).astype(int)
LABELS = ("fog", "ice", "sun")
ONE_ARRAY = {
    "chain": ClassifierChain(LogisticRegression()),
    "one against the rest": OneVsRestClassifier(LogisticRegression()),
    "network": MLPClassifier((4,), max_iter=60, random_state=0),
}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("kind", ONE_ARRAY)
def test_estimators_that_give_one_array_are_read_column_by_column(kind: str) -> None:
    estimator = ONE_ARRAY[kind].fit(X, Y)
    adapter: Any = adapt_labels(estimator, LABELS)
    assert np.allclose(adapter.predict_labels(COLUMNS), estimator.predict_proba(X))
    assert np.array_equal(adapter.decide_labels(COLUMNS), estimator.predict(X) > 0)


@pytest.mark.parametrize("constant", [0, 1])
def test_a_label_that_was_always_the_same_in_training_keeps_that_answer(constant: int) -> None:
    from sklearn.ensemble import RandomForestClassifier

    y = np.column_stack([Y[:, 0], np.full(120, constant)])
    adapter: Any = adapt_labels(RandomForestClassifier(5, random_state=0).fit(X, y), ("fog", "ice"))
    assert (adapter.predict_labels(COLUMNS)[:, 1] == constant).all()


def test_an_estimator_that_decides_words_is_refused() -> None:
    from sklearn.tree import DecisionTreeClassifier

    words = np.where(Y == 1, "yes", "no")
    adapter = adapt_labels(DecisionTreeClassifier(max_depth=2).fit(X, words), LABELS)
    with pytest.raises(ModelError, match="must decide 0 or 1 for each label"):
        adapter.decide_labels(COLUMNS)


def test_an_onnx_graph_with_three_outputs_is_three_labels_and_not_three_classes() -> None:
    raw: Any = onnx_models.adapt(graph(3), LABELS, "probability", multilabel=True)
    soft: Any = onnx_models.adapt(graph(3), LABELS, "logit", multilabel=True)
    columns = {"a": X[:, 0].astype(np.float32), "b": X[:, 1].astype(np.float32)}
    assert soft.predict_labels(columns) == pytest.approx(expit(raw.predict_labels(columns)), abs=1e-9)
    with pytest.raises(ModelError, match="returns 3 outputs for 2 labels"):
        onnx_models.adapt(graph(3), LABELS[:2], "logit", multilabel=True).predict_labels(columns)  # type: ignore[union-attr]


@pytest.mark.parametrize("sequence", [True, False])
def test_a_converted_estimator_with_an_array_a_label_gives_the_probability_of_each(sequence: bool) -> None:
    """As skl2onnx writes a MultiOutputClassifier: (n, 2) for each label, as a sequence or stacked."""
    shape: list[str | int | None] = [3, "n", 2]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    if sequence:
        kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["n", 2]))
        node, y = helper.make_node("SequenceConstruct", ["x", "x", "x"], ["prob"]), helper.make_value_info("prob", kind)
        nodes = [node]
    else:
        axis = numpy_helper.from_array(np.array([0], dtype=np.int64), "axis")
        nodes = [
            helper.make_node("Unsqueeze", ["x", "axis"], ["u"]),
            helper.make_node("Concat", ["u"] * 3, ["prob"], axis=0),
        ]
        y = helper.make_tensor_value_info("prob", TensorProto.FLOAT, shape)
    held = [] if sequence else [axis]
    made = helper.make_model(helper.make_graph(nodes, "m", [x], [y], held),
                             opset_imports=[helper.make_opsetid("", 17)], ir_version=8)  # fmt: skip
    adapter: Any = onnx_models.adapt(made.SerializeToString(), LABELS, "probability", multilabel=True)
    given = {"a": np.array([0.9, 0.2, 0.5, 0.4]), "b": np.array([0.1, 0.8, 0.5, 0.6])}
    assert adapter.predict_labels(given) == pytest.approx(np.column_stack([given["b"]] * 3), abs=1e-6)


def test_files_are_loaded_as_the_task_says(tmp_path: Path) -> None:
    estimator = MultiOutputClassifier(LogisticRegression()).fit(X, Y)
    skops.io.dump(estimator, tmp_path / "m.skops")
    found: Any = load_model(ModelSpec(path="m.skops", task="multilabel", classes=LABELS), tmp_path).model
    assert np.allclose(found.predict_labels(COLUMNS)[:, 2], estimator.predict_proba(X)[2][:, 1])
    torch.manual_seed(0)
    module = torch.nn.Linear(2, 3)
    safetensors.torch.save_file(module.state_dict(), tmp_path / "m.safetensors")
    (tmp_path / "net.py").write_text("import torch\n\n\ndef build():\n    return torch.nn.Linear(2, 3)\n")
    spec = ModelSpec(path="m.safetensors", factory="net.py:build", output="logit", task="multilabel", classes=LABELS)
    network: Any = load_model(spec, tmp_path, allow_code=True).model
    expected = expit(module(torch.from_numpy(X.astype(np.float32))).detach().numpy().astype(float))
    assert network.predict_labels(COLUMNS) == pytest.approx(expected, abs=1e-6)


def test_a_booster_file_of_several_labels_is_refused_with_another_way(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text("tree\n")
    with pytest.raises(
        ModelError, match=r"save the model of several labels as \.skops .* or audit columns of its scores"
    ):
        load_model(ModelSpec(path="m.txt", task="multilabel", classes=LABELS), tmp_path)


def test_an_infinite_logit_has_no_probability() -> None:
    model: Any = wrap(torch.nn.Identity(), classes=LABELS[:2], output="logit", multilabel=True)
    found = model.predict_labels({"a": np.array([0.0, np.inf]), "b": np.array([1.0, 1.0])})
    assert np.isnan(found[1, 0])
    assert found[1, 1] == pytest.approx(expit(1.0), abs=1e-6)


def is_a(model: object, capability: type) -> bool:
    return isinstance(model, capability)


class Reads(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Embedding(len(VOCABULARY), 4, padding_idx=0)
        self.head = torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.table(x).sum(dim=1))
        return out


def test_one_label_of_a_text_model_still_reads_text() -> None:
    text = TextModel(Reads(), ids, tokens, classes=("rude", "threat"), output="logit")
    whole: Any = wrap(text, multilabel=True, device="cpu")
    columns = {"note": np.array(TEXTS, dtype=object)}
    for at in range(2):
        one: Any = one_label(whole, at, ("0", "1"), None)
        assert is_a(one, Embedder)
        assert one.tokens(columns)[0] == ("the", "good", "film")
        assert dict(one.module.named_modules())[one.embedding] is whole.module.table
        assert one.predict_proba(columns)[:, 1] == pytest.approx(whole.predict_labels(columns)[:, at], abs=1e-6)


def test_one_label_of_an_estimator_decides_as_the_estimator_or_by_its_threshold() -> None:
    whole = adapt_labels(MultiOutputClassifier(LogisticRegression()).fit(X, Y), LABELS)
    own: Any = one_label(whole, 1, ("no", "yes"), None)
    strict: Any = one_label(whole, 1, ("no", "yes"), 0.9)
    assert is_a(own, ProbabilisticClassifier)
    p = own.predict_proba(COLUMNS)
    assert np.allclose(p.sum(axis=1), 1)
    assert (own.predict(COLUMNS) == np.where(whole.decide_labels(COLUMNS)[:, 1], "yes", "no")).all()
    assert (strict.predict(COLUMNS) == np.where(p[:, 1] >= 0.9, "yes", "no")).all()


@pytest.mark.parametrize("decides", [True, False])
def test_an_inference_over_all_labels_can_be_timed(decides: bool) -> None:
    estimator = MultiOutputClassifier(LogisticRegression()).fit(X, Y)
    function = (lambda frame: (frame > 0).to_numpy()) if decides else (lambda frame: expit(frame.to_numpy()))
    output = "decision" if decides else "probability"
    for model in (wrap(estimator, classes=LABELS, multilabel=True),
                  wrap(function, classes=LABELS[:2], output=output, multilabel=True)):  # fmt: skip
        assert isinstance(model, MultilabelDecider if decides else MultilabelClassifier) or model.kind == "sklearn"
        with ready(model, COLUMNS) as call:
            assert len(np.asarray(call())[0]) in {2, 120}


def test_a_cold_start_of_several_labels_answers(tmp_path: Path) -> None:
    from audit.compute.cold_start import cold_start

    skops.io.dump(MultiOutputClassifier(LogisticRegression()).fit(X, Y), tmp_path / "m.skops")
    spec = ModelSpec(path="m.skops", task="multilabel", classes=LABELS)
    row = {name: values[:1] for name, values in COLUMNS.items()}
    assert cold_start(spec, tmp_path, row, batch=8, allow_code=False).first_s > 0
