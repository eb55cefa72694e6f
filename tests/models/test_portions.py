"""Models that run out of memory are asked for half of the rows, by every way that asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import audit
from audit.errors import AuditError, ModelError
from audit.models.function import FunctionClassifier
from audit.models.portions import out_of_memory
from audit.models.sklearn import SklearnClassifier, SklearnMultilabelClassifier
from audit.models.torch import TorchModel
from audit.models.torch import adapt as adapt_torch

ROOM = 40
DATA = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)), columns=list("abcd")).assign(y=[0, 1] * 30)


class Small(nn.Module):
    """A network on a device that holds ``room`` rows."""

    def __init__(self, room: int = ROOM) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.room, self.layer = room, nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("no room")
        answer: torch.Tensor = self.layer(torch.tanh(x))
        return answer


class Estimator:
    """A classifier without gradients, of the same kind."""

    classes_ = np.array([0, 1])

    def __init__(self, room: int) -> None:
        self.room = room

    def predict_proba(self, table: Any) -> NDArray[np.float64]:
        if len(table) > self.room:
            raise MemoryError
        p = 1 / (1 + np.exp(-np.asarray(table, dtype=float) @ [1.0, 2.0, -1.0, 0.5]))
        return np.column_stack([1 - p, p])

    def predict(self, table: Any) -> NDArray[np.int64]:
        return np.asarray(self.predict_proba(table)[:, 1] > 0.5, dtype=np.int64)


def features() -> dict[str, NDArray[np.float64]]:
    return {name: DATA[name].to_numpy() for name in "abcd"}


def of_room(room: int) -> Any:
    return adapt_torch(TorchModel(Small(room), classes=[0, 1], output="logit"), device="cpu")


def test_a_network_that_runs_out_of_memory_answers_as_one_that_does_not() -> None:
    narrow, wide = of_room(7).predict_proba(features()), of_room(1000).predict_proba(features())
    assert np.allclose(narrow, wide, atol=1e-6)


def test_a_network_that_cannot_hold_one_row_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="Small refused the data: no room"):
        of_room(0).predict_proba(features())


def test_another_failure_of_a_network_is_not_tried_again() -> None:
    assert not out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))


class Labels(Estimator):
    """Two labels, each with probabilities of its own, as a forest of several targets gives them."""

    classes_ = [np.array([0, 1])] * 2  # type: ignore[assignment]

    def predict_proba(self, table: Any) -> Any:
        p = super().predict_proba(table)
        return [p, p[:, ::-1]]


@pytest.mark.parametrize("room", [1, 7, 50])
def test_an_estimator_or_a_function_out_of_memory_answers_as_one_that_is_not(room: int) -> None:
    narrow, wide = (SklearnClassifier(Estimator(size)) for size in (room, 10**6))
    assert np.allclose(narrow.predict_proba(features()), wide.predict_proba(features()))
    assert narrow.predict(features()).tolist() == wide.predict(features()).tolist()
    few, many = (SklearnMultilabelClassifier(Labels(size), ("p", "q")) for size in (room, 10**6))
    assert np.allclose(few.predict_labels(features()), many.predict_labels(features()))
    one, other = (FunctionClassifier(Estimator(size).predict_proba, (0, 1), None) for size in (room, 10**6))
    assert np.allclose(one.predict_proba(features()), other.predict_proba(features()))


def test_an_estimator_or_a_function_that_cannot_hold_one_row_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"^Estimator.predict_proba: a single row does not fit into the memory: use"):
        SklearnClassifier(Estimator(0)).predict_proba(features())
    with pytest.raises(ModelError, match=r"^predict_proba: a single row does not fit"):
        FunctionClassifier(Estimator(0).predict_proba, (0, 1), None).predict_proba(features())


@pytest.mark.parametrize("room", [1, 7, 50])
def test_a_black_box_that_runs_out_of_memory_is_explained_as_one_that_does_not(room: int) -> None:
    narrow, wide = (
        audit.explain(Estimator(size), DATA.head(6), target="y", background=DATA.head(20)) for size in (room, 10**6)
    )
    for name in "abcd":
        assert np.allclose(narrow.parts[name], wide.parts[name], atol=1e-9)


def test_a_black_box_that_cannot_hold_one_row_is_an_error_in_words() -> None:
    with pytest.raises(AuditError, match="a single row does not fit into the memory"):
        audit.explain(Estimator(0), DATA.head(6), target="y")


@pytest.mark.parametrize("method", ["shapley", "expected_gradients"])
def test_a_network_out_of_memory_is_explained_by_either_method(method: Any) -> None:
    asked = {"target": "y", "classes": [0, 1], "output": "logit", "method": method}
    narrow, wide = (audit.explain(Small(room), DATA.head(20), **asked) for room in (7, 10**6))
    assert np.allclose(narrow.parts["a"], wide.parts["a"], atol=1e-4)
