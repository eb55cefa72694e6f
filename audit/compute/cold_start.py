"""A model's first moments in a process of its own: import, load, first inference, and the memory each takes.

The parent sends one JSON object on standard input and reads one from standard output: nothing of the audit's own
process (its caches, its heap, its libraries) is in the figures.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns
from audit.errors import ModelError
from audit.spec import ModelSpec

LIMIT_S = 300
REPEATS = 3  # batches, whose peak is the memory of inference
LIBRARIES = {
    ".skops": ("skops.io", "audit.models.sklearn"),
    ".safetensors": ("safetensors.torch", "audit.models.torch"),
    ".onnx": ("onnxruntime", "audit.models.onnx"),
}
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """Seconds of one start, and bytes. Memory is None where the kernel does not tell."""

    import_s: float
    load_s: float
    first_s: float
    total_s: float  # with the start of the interpreter
    peak_bytes: int | None  # resident at most while it answers a batch, libraries and all
    model_bytes: int | None  # what loading the model added
    inference_bytes: int | None  # the peak of a batch above what was there before it


def cold_start(spec: ModelSpec, root: Path, columns: Columns, *, batch: int, allow_code: bool) -> ColdStart:
    """Start a process that loads the model and answers the first row of ``columns``, then ``batch`` rows like it.

    Raises ModelError where that process fails, with what it said last.
    """
    order = {
        "spec": spec.model_dump(),
        "root": str(root.absolute()),
        "allow_code": allow_code,
        "batch": batch,
        "columns": {name: _packed(values[:1]) for name, values in columns.items()},
    }
    began = time.time()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__],
            input=json.dumps(order, default=str),
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            cwd=root,
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"{spec.path} had not answered {LIMIT_S} s after a cold start") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ModelError(f"{spec.path} did not answer after a cold start: {said[-1] if said else done.returncode}")
    found = json.loads(done.stdout.splitlines()[-1])
    answered = found.pop("answered")  # by the clock of both processes
    return ColdStart(**found, total_s=answered - began)


def _packed(values: NDArray[Any]) -> dict[str, Any]:
    return {"dtype": values.dtype.str if values.dtype != object else "object", "values": values.tolist()}


def _unpacked(packed: Mapping[str, Any], rows: int) -> NDArray[Any]:
    one = np.array(packed["values"], dtype=np.dtype(packed["dtype"]))
    return np.repeat(one, rows, axis=0)


def _memory(field: str) -> int | None:
    """A field of the kernel's account of this process, in bytes."""
    if not STATUS.exists():
        return None
    words = next((line.split() for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:")), None)
    return int(words[1]) * 1024 if words else None


def _reset_peak() -> bool:
    """Let the kernel begin a new peak; whether it does."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return True


ANSWERS = ("predict_proba", "predict_labels", "predict", "decide_labels")


def measured(order: Mapping[str, Any]) -> dict[str, float | int | None]:
    """What the started process does."""
    begun = time.perf_counter()
    spec = ModelSpec.model_validate(order["spec"])
    from audit.models.loading import load_model

    row, batch = (_columns(order, rows) for rows in (1, order["batch"]))
    _import_library(spec.path)
    imported, before = time.perf_counter(), _memory("VmRSS")
    model = load_model(spec, Path(order["root"]), allow_code=order["allow_code"]).model
    loaded, resident = time.perf_counter(), _memory("VmRSS")
    predict = next(found for name in ANSWERS if (found := getattr(model, name, None)) is not None)
    answering = time.perf_counter()
    predict(row)
    answered, clock, warm = time.perf_counter(), time.time(), _memory("VmRSS")
    has_peak = _reset_peak()
    for _ in range(REPEATS):
        predict(batch)
    peak = _memory("VmHWM") if has_peak else None
    return {
        "import_s": imported - begun,
        "load_s": loaded - imported,
        "first_s": answered - answering,
        "answered": clock,
        "peak_bytes": peak,
        "model_bytes": _above(resident, before),
        "inference_bytes": _above(peak, warm),
    }


def _columns(order: Mapping[str, Any], rows: int) -> Columns:
    return {name: _unpacked(packed, rows) for name, packed in order["columns"].items()}


def _above(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else max(0, later - earlier)


def _import_library(path: str) -> None:
    """The library of the format, before the model is loaded: its time is the import's."""
    for name in LIBRARIES.get(Path(path).suffix.lower(), ()):
        importlib.import_module(name)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(json.load(sys.stdin))) + "\n")
