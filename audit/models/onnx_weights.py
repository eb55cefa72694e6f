"""The weights of an ONNX file, counted from its bytes: the few fields of its protocol buffer that hold them.

onnxruntime does not show initialisers, and the onnx package is not needed to run a model. Fields by number, of
onnx.proto (IR version 3 and later): ModelProto.graph 7; GraphProto.initializer 5; TensorProto.dims 1, data_type 2,
float_data 4, int32_data 5, int64_data 7, raw_data 9, double_data 10.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from audit.errors import ModelError

GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, FLOATS, INTEGERS, RAW, DOUBLES = 1, 2, 4, 5, 9, 10
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WEIGHTS: dict[int, DTypeLike] = {1: "<f4", 2: "u1", 3: "i1", 10: "<f2", 11: "<f8", 16: "<u2"}
"""Types of weights: float, uint8, int8, float16, double, bfloat16. Shapes and indices are int64, and no weights."""

Field = tuple[int, int | bytes]


def count_weights(content: bytes) -> tuple[int, int]:
    """(numbers, numbers that are not 0) in all initialisers that hold weights. ModelError for bytes that are no ONNX.

    Single numbers (the scale and zero point of a quantised tensor) are no weights.
    """
    try:
        counts = [_tensor(tensor) for graph in _parts(content, GRAPH) for tensor in _parts(graph, INITIALIZER)]
    except (IndexError, ValueError) as error:
        raise ModelError(f"the ONNX file cannot be read: {error}") from error
    return sum(all_ for all_, _ in counts), sum(nonzero for _, nonzero in counts)


def _tensor(content: bytes) -> tuple[int, int]:
    dims: list[int] = []
    kind, raw, others = 0, b"", list[Field]()
    for number, value in _fields(content):
        if number == DIMS:
            dims += [value] if isinstance(value, int) else list(_varints(value))
        elif number == DATA_TYPE and isinstance(value, int):
            kind = value
        elif number == RAW and isinstance(value, bytes):
            raw = value
        elif number in {FLOATS, INTEGERS, DOUBLES}:
            others.append((number, value))
    if not dims or kind not in WEIGHTS:
        return 0, 0
    if raw:
        return prod(dims), int(np.count_nonzero(np.frombuffer(raw, dtype=WEIGHTS[kind])))
    return prod(dims), sum(_nonzero(number, value) for number, value in others)


def _nonzero(number: int, value: int | bytes) -> int:
    if isinstance(value, int):
        return int(value != 0)
    if number == INTEGERS:
        return sum(1 for one in _varints(value) if one)
    return int(np.count_nonzero(np.frombuffer(value, dtype="<f4" if number == FLOATS else "<f8")))


def _parts(content: bytes, wanted: int) -> Iterator[bytes]:
    return (value for number, value in _fields(content) if number == wanted and isinstance(value, bytes))


def _fields(content: bytes) -> Iterator[Field]:
    """(number, value) of every field of a message."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(content, at)
            yield number, value
            continue
        if wire not in {FIXED64, BYTES, FIXED32}:
            raise ValueError(f"wire type {wire}")
        size = {FIXED64: 8, FIXED32: 4}.get(wire, 0)
        if wire == BYTES:
            size, at = _varint(content, at)
        if at + size > len(content):
            raise ValueError("it ends in the middle of a field")
        yield number, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _varints(content: bytes) -> Iterator[int]:
    at = 0
    while at < len(content):
        value, at = _varint(content, at)
        yield value
