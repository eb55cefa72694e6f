"""A model of every family for every modality, with the rows it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC
from torch import nn

from audit.data import Dataset
from audit.data.dataset import Column, Roles
from audit.models import Model, function, onnx
from audit.models.audio import LogMel
from audit.models.sklearn import adapt
from audit.models.text import TextModel
from audit.models.torch import adapt as adapt_torch

from . import text_worlds as words
from .vit_worlds import TorchViT
from .worlds import Classes, cnn, images, mlp, network, numbers, table

World = tuple[Model, Dataset]
CLASSES = ["a", "b", "c"]


def people(n: int = 30) -> Dataset:
    rng = np.random.default_rng(0)
    return table({**numbers(n, 3), "town": rng.choice(["east", "north", "west"], n)})


def fitted(estimator: Any, *, regression: bool = False, encoded: bool = False) -> World:
    data = people() if encoded else table(numbers(30, 3))
    frame = pd.DataFrame(dict(data.features))
    score = frame["x0"] + frame["x1"] * frame["x2"]
    if encoded:
        estimator = make_pipeline(
            make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough"), estimator
        )
    return adapt(estimator.fit(frame, score if regression else score > 0)), data


def net(module: nn.Module, data: Dataset, **more: Any) -> World:
    return network(module.eval(), **{"classes": CLASSES, **more}), data


def onnx_world(data: Dataset, size: int) -> World:
    """Pictures or rows through Flatten, MatMul and Softmax, as a file."""
    from onnx import TensorProto, helper

    weights = np.random.default_rng(0).normal(size=(size, 3)).astype(np.float32)
    ndim = next(iter(data.features.values())).ndim
    shape = ["n", *[None] * (ndim - 1)] if ndim > 1 else ["n", size]
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["prob"], axis=1),
        ],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("prob", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.tobytes(), raw=True)],
    )
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    return onnx.adapt(file.SerializeToString(), CLASSES, "probability"), data


def signals(n: int = 6, kind: str = "series", shape: tuple[int, ...] = (12, 2), seed: int = 0) -> Dataset:
    width = int(np.prod(shape))
    rows = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    columns = {"signal": Column(name="signal", kind=kind, shape=shape)}  # type: ignore[arg-type]
    stored = pa.table({"signal": pa.array(list(rows))})
    return Dataset(name="test", table=stored, columns=columns, roles=Roles(features=("signal",)))


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.cells, self.head = kind(2, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cells(x)[0][:, -1])


class Along(nn.Module):
    """Convolutions over time, channels first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv1d(channels, 4, 3, padding=1), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tanh(self.conv(x)).mean(dim=2))


class ByTime(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Along(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x.transpose(1, 2))


def softmax(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


def asked(data: Dataset) -> World:
    """A function of one column of arrays that bends."""
    name = data.roles.features[0]
    weights = np.random.default_rng(1).normal(size=(int(np.prod(data.features[name].shape[1:])), 3))
    return Classes(
        lambda c: softmax(np.tanh(c[name].reshape(len(c[name]), -1)) @ weights), classes=tuple(CLASSES)
    ), data


def beeps() -> World:
    front = LogMel(8000, bands=12, window=128, hop=64)
    encode = lambda columns: front(torch.from_numpy(columns["signal"]))  # noqa: E731
    return net(Along(12), signals(4, "audio", (800,)), encode=encode)


def texted(module: nn.Module, encode: Any) -> World:
    return adapt_torch(words.model(module, encode), device="cpu"), words.texts()


def bag_of_words() -> World:
    texts = pd.Series([*words.TEXTS, "sad", "good"])
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    wrapped = make_pipeline(make_column_transformer((model.steps[0][1], "note")), model.steps[1][1])
    return adapt(wrapped.fit(pd.DataFrame({"note": texts}), [1, 0, 0, 1, 1, 0, 1])), words.texts()


def counted() -> World:
    def count(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        good, bad = (frame["note"].str.count(word) for word in ("good", "bad"))
        return 1 / (1 + np.exp(-(good - 2 * bad + 0.5 * good * bad).to_numpy()))

    return function.adapt(count, output="probability", classes=["no", "yes"]), words.texts()


def wards(n: int = 8, seed: int = 0) -> Dataset:
    """A picture of 8 x 8, a note, and two numbers with a town."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((n, 64)).astype(np.float32)
    cells: dict[str, Any] = {f"p{j}": pixels[:, j] for j in range(64)}
    cells |= {"note": rng.choice(words.TEXTS, n), "age": rng.normal(size=n), "town": rng.choice(["east", "west"], n)}
    columns = {
        "scan": Column(name="scan", kind="image", sources=tuple(f"p{j}" for j in range(64)), shape=(1, 8, 8)),
        "note": Column(name="note", kind="text"),
        "age": Column(name="age", kind="number"),
        "town": Column(name="town", kind="category"),
    }
    roles = Roles(features=("scan", "note", "age", "town"))
    return Dataset(name="test", table=pa.table(cells), columns=columns, roles=roles)


def as_table(columns: Any) -> torch.Tensor:
    """The age, and the town as one-hot columns."""
    parts = [columns["age"], columns["town"] == "east", columns["town"] == "west"]
    return torch.from_numpy(np.column_stack(parts).astype(np.float32))


class Reads(nn.Module):
    """A picture and a table, with the words of a note where ``note``; they meet in a hidden layer."""

    def __init__(self, *, note: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(8, 4, padding_idx=0) if note else None
        self.see, self.rows = nn.Conv2d(1, 4, 3, stride=2), nn.Linear(3, 4)
        self.mix, self.head = nn.Linear(12 if note else 8, 6), nn.Linear(6, 3)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        scan, rows = inputs[-2:]
        parts = [torch.tanh(self.see(scan)).mean(dim=(2, 3)), self.rows(rows)]
        if self.words is not None:
            parts.append((self.words(inputs[0]) * inputs[1][:, :, None]).sum(dim=1))
        return self.head(torch.tanh(self.mix(torch.cat(parts, dim=1))))


def ward_with_notes() -> World:
    def encode(columns: Any) -> tuple[torch.Tensor, ...]:
        ids, mask = words.with_mask(columns)
        return ids, mask.float(), torch.from_numpy(columns["scan"]), as_table(columns)

    spec = TextModel(Reads(note=True), encode, words.tokens, CLASSES, "logit")
    return adapt_torch(spec, device="cpu"), wards()


def ward_without_notes() -> World:
    data = wards()
    data = Dataset(name="test", table=data.table, columns=data.columns, roles=Roles(features=("scan", "age", "town")))
    encode = lambda columns: (torch.from_numpy(columns["scan"]), as_table(columns))  # noqa: E731
    return net(Reads(note=False), data, encode=encode)


def ward_asked() -> World:
    def probabilities(c: Any) -> np.ndarray[Any, Any]:
        bright, ill = c["scan"].mean(axis=(1, 2, 3)), np.array(["bad" in note for note in c["note"]])
        return softmax(np.column_stack([bright * c["age"], ill * 1.0, (c["town"] == "east") * bright]))

    return Classes(probabilities, classes=tuple(CLASSES)), wards()


WORLDS: dict[str, Callable[[], World]] = {
    "table/logistic regression": lambda: fitted(LogisticRegression()),
    "table/ridge regression": lambda: fitted(Ridge(), regression=True),
    "table/random forest": lambda: fitted(RandomForestClassifier(5, max_depth=3, random_state=0)),
    "table/boosted trees": lambda: fitted(GradientBoostingClassifier(n_estimators=5, random_state=0)),
    "table/histogram boosting": lambda: fitted(HistGradientBoostingRegressor(max_iter=5), regression=True),
    "table/pipeline with one-hot columns": lambda: fitted(LogisticRegression(), encoded=True),
    "table/nearest neighbours": lambda: fitted(KNeighborsClassifier(5)),
    "table/support vectors": lambda: fitted(SVC(probability=True, random_state=0)),
    "table/perceptron": lambda: net(mlp(3, outputs=3), table(numbers(8, 3))),
    "table/ONNX": lambda: onnx_world(table(numbers(8, 3)), 3),
    "image/convolutions": lambda: net(cnn(), images(4)),
    "image/vision transformer": lambda: net(TorchViT(), images(3, size=16)),
    "image/perceptron": lambda: net(nn.Sequential(nn.Flatten(), mlp(64, outputs=3)), images(4)),
    "image/ONNX": lambda: onnx_world(images(4), 64),
    "image/function": lambda: asked(images(4)),
    "text/bag of embeddings": lambda: texted(words.Adds(), words.ids),
    "text/transformer": lambda: texted(words.Attends(), words.with_mask),
    "text/TF-IDF pipeline": bag_of_words,
    "text/function": counted,
    "audio/log-mel convolutions": beeps,
    "audio/convolutions of the wave": lambda: net(
        nn.Sequential(nn.Unflatten(1, (1, 64)), Along(1)), signals(4, "audio", (64,))
    ),
    "audio/function": lambda: asked(signals(4, "audio", (64,))),
    "audio/ONNX": lambda: onnx_world(signals(4, "audio", (64,)), 64),
    "series/GRU": lambda: net(Recurrent(nn.GRU), signals()),
    "series/LSTM": lambda: net(Recurrent(nn.LSTM), signals()),
    "series/convolutions": lambda: net(ByTime(), signals()),
    "series/function": lambda: asked(signals()),
    "several/picture and table": ward_without_notes,
    "several/picture, note and table": ward_with_notes,
    "several/function": ward_asked,
}
