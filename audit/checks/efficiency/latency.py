"""Latency of one inference, and of each variant beside the model.

Why it matters: an answer that comes too late is no answer; on a small device the smaller form of a model is there for
its speed, and that speed has to be shown.

How it is measured: one row at a time, on one thread and again on all that the process may use (``threads = "all"``),
the model alone (what turns a table into its input is done before). After a warm-up at least 15 blocks of calls are
timed; each quantile is taken within a block, and the figure is the median over blocks with an interval from their order
statistics, so that a burst of other work does not move it. Beside the clock stands the processor time of the calling
thread. The machine is watched: where the clock ran 1.3 times the processor time, where other guests stole more than 1 %
or more processes waited than it has processors, the figures are marked as contended. The 99th percentile is given only
for 10,000 calls or more in 20 blocks that agree within 25 %. Variants are timed in turns with the model, and compared
block by block: a ratio holds on another machine far better than milliseconds do. Limit the ratio where you can, and
leave 5 % of room. An estimator keeps the threads of its ``n_jobs``. Times differ from run to run: they are taken when a
limit names one of them or with ``--cost timing``, and do not identify a run. ``[compute] seconds`` sets how long each
model is timed.

How to reduce the risk: time on the device that it will run on, with nothing else on it; quantise, prune, export to
ONNX, or answer several rows at a time.

Sources: Georges, Buytaert & Eeckhout, OOPSLA 2007 (times with intervals); Kalibera & Jones, ISMM 2013 (blocks, ratios);
McKean & Schrader 1984 (interval of a median); MLPerf Inference rules (tail latency).
"""

from __future__ import annotations

import numpy as np

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.efficiency._timing import (
    MODEL,
    Timed,
    about,
    add,
    batch,
    models_of,
    tail_missing,
    time_both,
    times_table,
)
from audit.compute.latency import Floats, median_of
from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Model
from audit.results import Basis, Outcome
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "latency_p50": {
        "unit": "ms",
        "better": "lower",
        "words": "median latency",
        "params": {"variant": "str", "threads": "str"},
    },
    "latency_p95": {
        "unit": "ms",
        "better": "lower",
        "words": "95th percentile of latency",
        "params": {"variant": "str", "threads": "str"},
    },
    "latency_p99": {
        "unit": "ms",
        "better": "lower",
        "words": "99th percentile of latency",
        "params": {"variant": "str", "threads": "str"},
    },
    "latency_cpu_p50": {
        "unit": "ms",
        "better": "lower",
        "words": "median processor time of one inference",
        "params": {"variant": "str"},
    },
    "relative_latency": {
        "unit": "1",
        "better": "lower",
        "words": "median latency of a variant over that of the model",
        "params": {"variant": "each", "threads": "str"},
    },
    "relative_cpu_time": {
        "unit": "1",
        "better": "lower",
        "words": "median processor time of a variant over that of the model",
        "params": {"variant": "each"},
    },
    "timing_contention": {"unit": "1", "better": "lower", "words": "time by the clock over processor time"},
}
QUANTILES = (  # measure, share, of processor time; the last is of the calling thread, so of one thread alone
    ("latency_p50", 0.5, False),
    ("latency_p95", 0.95, False),
    ("latency_p99", 0.99, False),
    ("latency_cpu_p50", 0.5, True),
)
RATIOS = (("relative_latency", False), ("relative_cpu_time", True))


@check(cost="timing")
def latency(case: Case, model: Model, data: Dataset, level: float) -> Outcome:
    found, every = time_both(models_of(case, model), batch(data, 1), case.spec.compute.seconds)
    sheet = Sheet(measures=MEASURES, level=level)
    _rows(sheet, found, all_threads=False)
    if isinstance(every, Timed):
        _rows(sheet, every, all_threads=True)
    else:
        sheet.omit("latency_p50", every, n=0, rows=data.n, params=about(MODEL, all_threads=True))
    method = f"over the whole timing; {found.badge}"
    calls = sum(times.calls for times in found.times.values())
    add(sheet, "timing_contention", exact(found.load.wall_over_cpu), n=calls, method=method, params={})
    return sheet.outcome(times_table([found, *([every] if isinstance(every, Timed) and every is not found else [])]))


def _rows(sheet: Sheet, found: Timed, *, all_threads: bool) -> None:
    for name in found.times:
        _quantiles(sheet, found, name, all_threads=all_threads)
        if name != MODEL:
            _ratios(sheet, found, name, all_threads=all_threads)


def _quantiles(sheet: Sheet, found: Timed, name: str, *, all_threads: bool) -> None:
    times, quantiles = found.times[name], QUANTILES[:3] if all_threads else QUANTILES
    blocks = f"{len(times.wall)} blocks of {times.wall.shape[1]} calls, one row each"
    for measure, share, cpu in quantiles:
        method = f"median of {blocks}, {found.words}; {found.badge}"
        basis = tail_missing(times, share)
        add(sheet, measure, basis or _median(1e3 * times.quantile(share, cpu=cpu)), n=times.calls, method=method,
            params=about(name, all_threads=all_threads))  # fmt: skip


def _ratios(sheet: Sheet, found: Timed, name: str, *, all_threads: bool) -> None:
    one, other = found.times[name], found.times[MODEL]
    params = about(name, all_threads=all_threads)
    for measure, cpu in RATIOS[:1] if all_threads else RATIOS:
        theirs = other.quantile(0.5, cpu=cpu)
        ratio = _median(one.quantile(0.5, cpu=cpu) / np.where(theirs > 0, theirs, np.inf))
        method = (
            f"median of the ratios of {len(one.wall)} pairs of blocks, timed in turns, {found.words}; {found.badge}"
        )
        add(sheet, measure, ratio, n=one.calls + other.calls, method=method, params=params)


def _median(blocks: Floats) -> Basis | Unavailable:
    try:
        return median_of(blocks)
    except Unavailable as why:
        return why
