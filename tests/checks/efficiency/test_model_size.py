"""Size: exact counts against independent ones, for every kind of model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import audit
from audit.errors import ModelError, Unavailable
from audit.models.loading import load_model
from audit.models.onnx_weights import count_weights
from audit.models.size import numbers_of, size_of
from audit.record import AuditRun
from audit.results import Reason
from audit.spec import ModelSpec
from tests.checks.efficiency.worlds import network, omitted, overall, pruned, quantised, table


@pytest.fixture(scope="module")
def run() -> AuditRun:
    model = network()
    variants = {"int8": quantised(model), "pruned": pruned(model, 0.5)}
    return audit.run(
        model, table(60), target="y", groups=["group"], features=["x", "z"], classes=[0, 1], output="logit",
        device="cpu", variants=variants, use=(),
    ).result  # fmt: skip


def test_a_network_is_counted_exactly(run: AuditRun) -> None:
    assert overall(run, "model_parameters").value == 2 * 16 + 16 + 16 + 1
    assert overall(run, "trainable_parameters").value == 65
    assert overall(run, "inference_flops").value == 2 * (2 * 16 + 16)
    assert overall(run, "model_parameters").interval.kind == "exact"


def test_a_quantised_network_keeps_its_parameters_although_its_own_list_is_empty(run: AuditRun) -> None:
    assert not list(quantised(network()).parameters())
    assert overall(run, "model_parameters", variant="int8").value == 65
    assert overall(run, "trainable_parameters", variant="int8").value == 0
    assert overall(run, "inference_flops", variant="int8").value == overall(run, "inference_flops").value


def test_pruning_shows_in_the_nonzero_parameters_and_not_in_the_size(run: AuditRun) -> None:
    assert overall(run, "nonzero_parameters", variant="pruned").value == 65 - 16 - 8
    assert overall(run, "relative_model_size", variant="pruned").value == pytest.approx(1.0, abs=0.01)


def test_int8_makes_a_network_of_some_size_almost_four_times_smaller() -> None:
    large = torch.nn.Sequential(torch.nn.Linear(500, 500))
    sizes = [_saved(module) for module in (large, quantised(large))]
    assert 3.5 < sizes[0] / sizes[1] < 4


def _saved(module: torch.nn.Module) -> float:
    from audit.models.loading import LoadedModel
    from audit.models.wrapping import wrap

    model = wrap(module, classes=[0, 1], output="logit", device="cpu")
    return size_of(LoadedModel(model=model, sha256="", bytes=0, path=""))[0]


@pytest.mark.parametrize("estimator", [LogisticRegression(), DecisionTreeClassifier(max_depth=3, random_state=0)])
def test_a_scikit_learn_model_is_counted_by_its_own_arrays(estimator: Any) -> None:
    data = table(200)
    fitted = estimator.fit(data[["x", "z"]], data["y"])
    run = audit.run(fitted, data, target="y", use=()).result
    if isinstance(fitted, LogisticRegression):
        expected = fitted.coef_.size + fitted.intercept_.size
    else:
        leaves = fitted.tree_.n_leaves
        expected = leaves * 2 + 2 * (fitted.tree_.node_count - leaves)
    assert overall(run, "model_parameters").value == expected
    assert overall(run, "model_size").value > 500
    assert omitted(run, "inference_flops").reason is Reason.NOT_APPLICABLE


def onnx_file(folder: Path, weights: Any, *, raw: bool) -> Path:
    if raw:
        tensor = numpy_helper.from_array(weights, "w")
    else:
        tensor = helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.flatten().tolist())
    shape = helper.make_tensor("s", TensorProto.INT64, [2], [-1, 1])
    scale = helper.make_tensor("q", TensorProto.FLOAT, [], [2.0])
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Reshape", ["m", "s"], ["p"]),
             helper.make_node("Mul", ["p", "q"], ["o"])]  # fmt: skip
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, k]) for n, k in (("x", len(weights)), ("o", 1))]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [tensor, shape, scale])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    path = folder / "model.onnx"
    path.write_bytes(made.SerializeToString())
    return path


@pytest.mark.parametrize("raw", [True, False])
def test_an_onnx_file_is_counted_without_its_shapes_and_scales(tmp_path: Path, raw: bool) -> None:
    weights = np.array([[1.0], [0.0], [-2.0]], dtype=np.float32)
    path = onnx_file(tmp_path, weights, raw=raw)
    loaded = load_model(ModelSpec(path=path.name, classes=("a", "b"), output="logit"), tmp_path)
    numbers = numbers_of(loaded, tmp_path)
    assert (numbers.parameters, numbers.nonzero, numbers.trainable) == (3, 2, None)
    assert size_of(loaded)[0] == path.stat().st_size
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(Unavailable, match="changed during the audit"):
        numbers_of(loaded, tmp_path)


@pytest.mark.parametrize("content", [b"\x3a\xff", b"\x3a\x05ab", b"\x0f", b"\x80"])
def test_bytes_that_are_no_onnx_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        count_weights(content)


def test_a_function_has_no_inside_and_says_so() -> None:
    run = audit.run(
        lambda f: (f["x"] > 0).to_numpy().astype(float), table(60), target="y", output="probability", use=()
    ).result
    assert omitted(run, "model_parameters").reason is Reason.NOT_APPLICABLE
    assert omitted(run, "model_size").reason is Reason.MISSING_INPUT
