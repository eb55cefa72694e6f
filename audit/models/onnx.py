"""ONNX files through onnxruntime on the CPU: no custom operators, no data outside the file."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.data.dataset import shown
from audit.errors import ModelError
from audit.models.base import Output
from audit.models.label_columns import of_labels
from audit.models.refusals import RAISED, one_value, refused
from audit.models.torch import each_probability, probabilities
from audit.results import Scalar

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}


class _Session:
    kind = "onnx"

    def __init__(self, content: bytes, classes: Sequence[Scalar], output: Output) -> None:
        self.session, self.output, self._content = _open(content), output, content
        self.inputs = self.session.get_inputs()
        self.classes = tuple(map(shown, classes))
        self.name = self.session.get_modelmeta().graph_name or "onnx"
        names = tuple(i.name for i in self.inputs)
        self.features: tuple[str, ...] | None = names if len(names) > 1 else None

    def on_threads(self, threads: int) -> Self:
        """The same model in a session of so many threads, for timing: its sums may differ in the last digits."""
        other = copy.copy(self)
        other.session = _open(self._content, threads)
        return other

    def _outputs(self, columns: Columns) -> NDArray[np.float64]:
        feeds = self.feeds(columns)
        first = self.inputs[0].shape[0]
        n = len(next(iter(feeds.values())))
        size = first if isinstance(first, int) else n
        if n % size:
            raise ModelError(f"the ONNX file takes batches of {size} rows: export it with a dynamic first axis")
        parts = [self.run({k: v[i : i + size] for k, v in feeds.items()}) for i in range(0, n, size)]
        return np.concatenate(parts).reshape(n, -1)

    def run(self, feeds: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        names = [o.name for o in self.session.get_outputs()]
        # A converted classifier returns its label first and its probabilities second.
        wanted = next((n for n in names if "prob" in n.lower()), names[-1])
        try:
            result = self.session.run([wanted], feeds)[0]
        except _faults() as error:
            raise ModelError(f"the ONNX model refused the data: {str(error).splitlines()[0]}") from error
        if isinstance(result, list) and isinstance(result[0], dict):  # ZipMap: one dictionary a row
            keys = list(result[0])
            return np.array([[row[key] for key in keys] for row in result], dtype=np.float64)
        return np.asarray(result, dtype=np.float64)

    def feeds(self, columns: Columns) -> dict[str, NDArray[Any]]:
        try:
            if len(self.inputs) == 1:
                values = list(columns.values())
                whole = values[0] if values[0].ndim > 1 else np.column_stack(values)
                return {self.inputs[0].name: whole.astype(_numpy_type(self.inputs[0]))}
            return {i.name: columns[i.name].astype(_numpy_type(i)).reshape(-1, 1) for i in self.inputs}
        except RAISED as error:
            reads = f"it reads {', '.join(i.name for i in self.inputs)} and is given {', '.join(list(columns)[:12])}"
            raise refused("the ONNX model", error, reads) from error


class OnnxRegressor(_Session):
    def predict_value(self, columns: Columns) -> NDArray[np.float64]:
        return one_value(self._outputs(columns), self.name)

    def predict(self, columns: Columns) -> NDArray[Any]:
        return self.predict_value(columns)


class OnnxClassifier(_Session):
    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        result = probabilities(self._outputs(columns), self.output)
        if result.shape[1] != len(self.classes):
            raise ModelError(
                f"the ONNX model returns {result.shape[1]} outputs for {len(self.classes)} classes: "
                "set classes in [model] to the name of each output, in order"
            )
        return result

    def predict(self, columns: Columns) -> NDArray[Any]:
        return np.asarray(np.array(self.classes, dtype=object)[self.predict_proba(columns).argmax(axis=1)])


class OnnxMultilabel(_Session):
    def run(self, feeds: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Shape (n, labels), also of a converted MultiOutputClassifier, which returns (n, 2) for each label."""
        found = super().run(feeds)
        is_pairs = found.ndim == 3 and found.shape[2] == 2
        return found[:, :, 1].T if is_pairs else found

    def predict_labels(self, columns: Columns) -> NDArray[np.float64]:
        return each_probability(of_labels(self._outputs(columns), self.classes, self.name), self.output)


def adapt(
    content: bytes, classes: Sequence[Scalar], output: Output | None, *, multilabel: bool = False
) -> OnnxRegressor | OnnxClassifier | OnnxMultilabel:
    """An adapter over the bytes of a file. ModelError when onnxruntime is absent or no meaning was given."""
    if output is None:
        raise ModelError('say what the ONNX model returns: output = "logit", "probability" or "value" in [model]')
    if output == "value":
        return OnnxRegressor(content, (), output)
    if not classes:
        raise ModelError("say what the outputs are: classes = [...] in [model], one name an output, in order")
    return (OnnxMultilabel if multilabel else OnnxClassifier)(content, classes, output)


def _open(content: bytes, threads: int = 1) -> Any:
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise ModelError("ONNX models need onnxruntime: pip install 'assay[onnx]'") from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads  # one for results: the order of a sum must not depend on the machine
    options.log_severity_level = 4  # its faults are told once, by the error below
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except _faults() as error:
        raise ModelError(f"the ONNX file cannot be loaded: {str(error).splitlines()[0]}") from error


def _faults() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: a class of its own for every kind of fault, with no common ancestor."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoSuchFile", "NotImplemented")
    return (*(getattr(state, name) for name in names), RuntimeError, ValueError)


def _numpy_type(node: Any) -> Any:
    if node.type not in _TYPES:
        raise ModelError(f'the ONNX input "{node.name}" is a {node.type}, which Assay cannot feed from a table')
    return _TYPES[node.type]
