"""Adapters give the numbers of the model they wrap, and say what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audit.errors import ModelError
from audit.models import Predictor, ProbabilisticClassifier, Regressor
from audit.models import onnx as onnx_models
from audit.models.calling import ready
from audit.models.torch import TorchModel, adapt, probabilities
from audit.models.wrapping import wrap

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 2))
COLUMNS = {"a": X[:, 0], "b": X[:, 1]}
Y = (X[:, 0] + RNG.normal(size=50) > 0).astype(int)


def test_a_classifier_has_probabilities_and_a_decider_has_none() -> None:
    soft, hard = LogisticRegression().fit(X, Y), RidgeClassifier().fit(X, Y)
    one, other = wrap(soft), wrap(hard)
    assert isinstance(one, ProbabilisticClassifier)
    assert not isinstance(other, ProbabilisticClassifier)
    assert isinstance(other, Predictor)
    np.testing.assert_allclose(one.predict_proba(COLUMNS), soft.predict_proba(X), rtol=1e-12)
    assert other.predict(COLUMNS).tolist() == [str(v) for v in hard.predict(X)]


def test_a_pipeline_takes_its_columns_by_name() -> None:
    import pandas as pd

    table = pd.DataFrame(COLUMNS)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, np.where(Y, "yes", "no"))
    adapter = wrap(model)
    assert (adapter.features, adapter.classes, adapter.name) == (
        ("a", "b"),
        ("no", "yes"),
        "Pipeline(LogisticRegression)",
    )
    assert isinstance(adapter, ProbabilisticClassifier)
    np.testing.assert_array_equal(adapter.predict_proba(COLUMNS), model.predict_proba(table))


def test_a_regressor_gives_values() -> None:
    model = LinearRegression().fit(X, X[:, 0])
    adapter = wrap(model)
    assert isinstance(adapter, Regressor)
    assert adapter.classes == ()
    np.testing.assert_allclose(adapter.predict_value(COLUMNS), model.predict(X), rtol=1e-12)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (LogisticRegression(), "is not fitted"),
        (StandardScaler(), "cannot audit a StandardScaler"),
        (5, "cannot audit a int"),
    ],
)
def test_what_is_no_fitted_model_is_told(model: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        wrap(model)


def test_data_that_do_not_fit_the_model_are_told() -> None:
    adapter = wrap(LogisticRegression().fit(X, Y))
    assert isinstance(adapter, Predictor)
    with pytest.raises(ModelError, match="do model and columns fit"):
        adapter.predict({"a": X[:, 0]})


def test_functions_say_what_they_return() -> None:
    soft = wrap(lambda table: table["a"] * 0 + 0.25, output="probability", classes=[0, 1])
    hard = wrap(lambda table: table["a"] > 0, output="decision", classes=[False, True])
    value = wrap(lambda table: table["a"], output="value")
    assert isinstance(soft, ProbabilisticClassifier)
    assert isinstance(hard, Predictor)
    assert isinstance(value, Regressor)
    np.testing.assert_array_equal(soft.predict_proba(COLUMNS)[0], [0.75, 0.25])
    assert set(hard.predict(COLUMNS)) == {"false", "true"}
    np.testing.assert_array_equal(value.predict_value(COLUMNS), X[:, 0])
    with pytest.raises(ModelError, match="say what the function returns"):
        wrap(lambda table: table)
    short = wrap(lambda table: table["a"][:3], output="value")
    assert isinstance(short, Regressor)
    with pytest.raises(ModelError, match="one row for each of the 50 rows"):
        short.predict_value(COLUMNS)


def network(module: torch.nn.Module, **more: Any) -> Any:
    return adapt(TorchModel(module, **{"classes": ["no", "yes"], "output": "logit", **more}), device="cpu")


def test_one_logit_is_that_of_the_second_class_and_several_are_a_softmax() -> None:
    module = torch.nn.Linear(2, 1)
    with torch.no_grad():
        logit = module(torch.tensor(X, dtype=torch.float32)).double().numpy()[:, 0]
    expected = 1 / (1 + np.exp(-logit))
    np.testing.assert_allclose(network(module).predict_proba(COLUMNS)[:, 1], expected, rtol=1e-12)
    three = network(torch.nn.Linear(2, 3), classes=["a", "b", "c"])
    np.testing.assert_allclose(three.predict_proba(COLUMNS).sum(axis=1), 1, rtol=1e-12)


def test_a_large_logit_is_sure_and_an_infinite_one_has_no_probability() -> None:
    found = probabilities(np.array([[1e5], [-1e5], [np.inf]]), "logit")
    np.testing.assert_array_equal(found[:2, 1], [1, 0])
    assert np.isnan(found[2]).all()


def test_the_modes_of_every_part_are_as_they_were_and_prediction_is_in_evaluation_mode() -> None:
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)
    )
    module.train()
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    adapter = network(module)
    one, other = adapter.predict_proba(COLUMNS), adapter.predict_proba(COLUMNS)
    np.testing.assert_array_equal(one, other)
    assert [part.training for part in module.modules()] == [True, True, False, True, True]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_an_encode_hook_may_give_several_inputs() -> None:
    class Two(torch.nn.Module):
        def forward(self, number: torch.Tensor, word: torch.Tensor) -> torch.Tensor:
            return number + word

    def encode(columns: Any) -> tuple[torch.Tensor, ...]:
        words = torch.tensor([float(w == "x") for w in columns["w"]])
        return torch.tensor(columns["a"], dtype=torch.float32)[:, None], words[:, None]

    columns = {"a": np.array([1.0, 2.0]), "w": np.array(["x", None], dtype=object)}
    assert network(Two(), encode=encode, output="value").predict_value(columns).tolist() == [2.0, 2.0]
    with pytest.raises(ModelError, match="encode hook"):
        network(Two()).predict_proba(columns)


@pytest.mark.parametrize("answer", [(1, 2), torch.tensor(1.0), torch.zeros(3, 1), torch.zeros(50, 5)])
def test_a_network_that_returns_something_else_is_told(answer: Any) -> None:
    class Odd(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return answer

    with pytest.raises(ModelError, match=r"Odd (must return one tensor|returns 5 outputs for 2 classes)"):
        network(Odd()).predict_proba(COLUMNS)


def graph(outputs: int = 1, batch: Any = "n", width: int = 2) -> bytes:
    """y = x W + 1, as a converter would write it."""
    weights = numpy_helper.from_array(np.arange(width * outputs, dtype=np.float32).reshape(width, outputs), "w")
    one = numpy_helper.from_array(np.ones(outputs, dtype=np.float32), "b")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["xw"]), helper.make_node("Add", ["xw", "b"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, width])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, outputs])
    made = helper.make_model(
        helper.make_graph(nodes, "linear", [x], [y], [weights, one]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def test_an_onnx_graph_gives_its_own_numbers() -> None:
    adapter = onnx_models.adapt(graph(), (), "value")
    assert isinstance(adapter, Regressor)
    np.testing.assert_allclose(adapter.predict_value(COLUMNS), X[:, 1] + 1, rtol=1e-6)
    soft = onnx_models.adapt(graph(2), ("no", "yes"), "logit")
    assert isinstance(soft, ProbabilisticClassifier)
    logits = X.astype(np.float32) @ np.array([[0, 1], [2, 3]]) + 1
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(soft.predict_proba(COLUMNS), expected, rtol=1e-5)


def test_an_onnx_graph_timed_on_more_threads_gives_the_same_numbers_in_a_session_of_its_own() -> None:
    adapter = onnx_models.adapt(graph(), (), "value")
    columns = {"a": X[:, 0], "b": X[:, 1]}
    before = adapter.session
    with ready(adapter, columns, threads=4) as call:
        np.testing.assert_allclose(np.ravel(call()), adapter.predict(columns), rtol=1e-6)  # type: ignore[call-overload]
    assert adapter.session is before
    assert adapter.on_threads(4).session.get_session_options().intra_op_num_threads == 4
    assert before.get_session_options().intra_op_num_threads == 1


def test_an_onnx_graph_of_fixed_batches_is_called_batch_by_batch() -> None:
    adapter = onnx_models.adapt(graph(batch=10), (), "value")
    assert isinstance(adapter, Regressor)
    np.testing.assert_allclose(adapter.predict_value(COLUMNS), X[:, 1] + 1, rtol=1e-6)
    seven = onnx_models.adapt(graph(batch=7), (), "value")
    assert isinstance(seven, Regressor)
    with pytest.raises(ModelError, match="export it with a dynamic first axis"):
        seven.predict_value(COLUMNS)


@pytest.mark.parametrize(
    ("content", "output", "classes", "words"),
    [
        (b"nothing", "value", (), "cannot be loaded"),
        (graph(), None, (), "say what the ONNX model returns"),
        (graph(), "logit", (), "say what the outputs are"),
    ],
)
def test_an_onnx_file_that_cannot_be_used_is_told(content: bytes, output: Any, classes: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        onnx_models.adapt(content, classes, output)


def test_an_onnx_graph_for_other_columns_is_told() -> None:
    adapter = onnx_models.adapt(graph(width=3), (), "value")
    assert isinstance(adapter, Regressor)
    with pytest.raises(ModelError, match="refused the data"):
        adapter.predict_value(COLUMNS)
    three = onnx_models.adapt(graph(3), ("no", "yes"), "logit")
    assert isinstance(three, ProbabilisticClassifier)
    with pytest.raises(ModelError, match="returns 3 outputs for 2 classes"):
        three.predict_proba(COLUMNS)


@pytest.mark.parametrize("node", ["MatMul", "Identity"])
def test_an_onnx_file_reads_nothing_outside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    made = onnx.load_from_string(graph())
    if node == "Identity":
        made.graph.node[1].CopyFrom(helper.make_node("Identity", ["w"], ["y"]))
    onnx.save_model(made, str(tmp_path / "m.onnx"), save_as_external_data=True, location="w.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError):
        onnx_models.adapt((tmp_path / "m.onnx").read_bytes(), (), "value").predict({"a": X[:, 0], "b": X[:, 1]})
