"""Cold start and memory: what it takes until a first answer, and to stay ready.

Why it matters: a service that scales to zero pays the cold start with every burst of users, and a device with 512 MB
runs what fits into it or nothing. Libraries often weigh more than the model.

How it is measured: three processes are started one after the other, each of which imports the library of the format,
loads the model as the audit loads it, and runs one row (for memory: a batch of 64, the same row repeated). Times are
means with a t interval over the starts; the first may find a cold disk. Memory is what the kernel counts as resident
(VmRSS) and its peak (VmHWM, reset before the inference); the largest of the three is given. It holds Python and the
libraries: ``model_memory`` is what loading the model added, ``inference_memory`` what an inference took beyond that.
Given on Linux, and for models from a file. Times differ from run to run: see ``efficiency.latency``.

How to reduce the risk: export to ONNX, whose runtime is smaller than a training library; keep a process warm; score in
smaller batches where the memory of an inference is the problem.

Sources: proc(5), fields VmRSS and VmHWM; MLPerf Tiny rules (what counts as part of an inference).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.efficiency._timing import MODEL, about, add, batch
from audit.compute.cold_start import ColdStart, cold_start
from audit.data import Dataset
from audit.errors import ModelError, Unavailable
from audit.models import Model
from audit.results import Basis, Outcome
from audit.spec.model import ModelSpec
from audit.stats import exact, normal

MEASURES: dict[str, dict[str, object]] = {
    "cold_start": {
        "unit": "s",
        "better": "lower",
        "words": "time from the start of a process to the first answer",
        "params": {"variant": "str"},
    },
    "load_time": {"unit": "s", "better": "lower", "words": "time to load the model", "params": {"variant": "str"}},
    "first_inference": {
        "unit": "s",
        "better": "lower",
        "words": "time of the first answer",
        "params": {"variant": "str"},
    },
    "peak_memory": {
        "unit": "B",
        "better": "lower",
        "words": "peak memory of a process that answers",
        "params": {"variant": "str"},
    },
    "model_memory": {
        "unit": "B",
        "better": "lower",
        "words": "memory that loading the model adds",
        "params": {"variant": "str"},
    },
    "inference_memory": {
        "unit": "B",
        "better": "lower",
        "words": "memory of an inference beyond the loaded model",
        "params": {"variant": "str"},
    },
}
STARTS, ROWS = 3, 64
TIMES = {"cold_start": "total_s", "load_time": "load_s", "first_inference": "first_s"}


@check(cost="timing")
def memory(case: Case, model: Model, data: Dataset, level: float) -> Outcome:
    if case.spec.model is None or case.loaded is None or not case.loaded.bytes:
        detail = f"{model.name} was given in memory, so no other process can load it"
        raise Unavailable("missing_input", detail, "audit it from a file: give [model] path")
    sheet = Sheet(measures=MEASURES, level=level)
    for name, spec in {MODEL: case.spec.model, **case.spec.model.variant_models()}.items():
        starts = _starts(case, case.spec.to_load(spec), data)
        for measure, field in TIMES.items():
            found = _mean([getattr(start, field) for start in starts])
            add(sheet, measure, found, n=STARTS, method=f"mean of {STARTS} starts", params=about(name))
        for measure, values in _memories(starts).items():
            method = f"largest of {STARTS} starts, batch of {ROWS} rows, Python and libraries as they are"
            add(sheet, measure, _largest(values), n=STARTS, method=method, params=about(name))
    return sheet.outcome()


def _starts(case: Case, spec: ModelSpec, data: Dataset) -> list[ColdStart]:
    """The times of the first row alone, the memory of a batch."""
    row = batch(data, 1)
    try:
        return [cold_start(spec, case.root, row, batch=ROWS, allow_code=case.allow_code) for _ in range(STARTS)]
    except ModelError as error:
        raise Unavailable("undefined", str(error), "load the model in a fresh Python and mend what it says") from error


def _memories(starts: Sequence[ColdStart]) -> dict[str, list[int | None]]:
    return {
        "peak_memory": [start.peak_bytes for start in starts],
        "model_memory": [start.model_bytes for start in starts],
        "inference_memory": [start.inference_bytes for start in starts],
    }


def _mean(seconds: Sequence[float]) -> Basis:
    se = float(np.std(seconds, ddof=1)) / len(seconds) ** 0.5
    return normal(float(np.mean(seconds)), se, len(seconds) - 1, scale="log", n=len(seconds))


def _largest(values: Sequence[int | None]) -> Basis | Unavailable:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        detail = "the system does not tell a process its memory and its peak"
        return Unavailable("missing_input", detail, "measure on Linux, with /proc mounted")
    return exact(max(known))
