"""Throughput at the best batch: how many rows a second, when many wait.

Why it matters: what is scored in bulk is paid for by the row. The best batch is often twenty times as fast as single
rows, and beyond it memory grows for nothing.

How it is measured: batches of 1, 4, 16 ... 4,096 rows are tried, as long as one batch holds no more than 64 MB; the
fastest is then timed anew, in at least 15 blocks, so that its figure is not the luck of the choice. The median over
blocks is given, with an interval from their order statistics: on one thread, and on all that the process may use
(``threads = "all"``), with the best batch of each. An estimator whose threads are set by ``n_jobs`` keeps that setting.
Times differ from run to run: see ``efficiency.latency``.

How to reduce the risk: score in batches of the size found; export to ONNX or quantise where that is not enough.

Sources: as of ``efficiency.latency``; MLPerf Inference rules (offline scenario).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from audit.case import Case
from audit.check import check
from audit.checks._support import Params, Sheet
from audit.checks.efficiency._timing import MODEL, Timed, about, add, batch, time_models
from audit.compute.latency import held_to, median_of, usable_threads
from audit.data import Columns, Dataset
from audit.errors import Unavailable
from audit.models import Model
from audit.models.calling import ready
from audit.results import Outcome, Table
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "throughput": {
        "unit": "rows/s",
        "better": "higher",
        "words": "rows a second at the best batch",
        "params": {"threads": "str"},
    },
    "best_batch": {
        "unit": "rows",
        "better": "none",
        "words": "rows of the fastest batch",
        "params": {"threads": "str"},
    },
}
SIZES = (1, 4, 16, 64, 256, 1024, 4096)
MOST_BYTES = 64 * 2**20
TRIAL_SHARE = 0.5  # of the budget, for finding the size


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The fastest batch on so many threads, all that were tried with their rows a second, and its times."""

    batch: int
    tried: tuple[tuple[int, float], ...]
    timed: Timed


@check(cost="timing")
def throughput(case: Case, model: Model, data: Dataset, level: float) -> Outcome:
    sheet, seconds, done = Sheet(measures=MEASURES, level=level), case.spec.compute.seconds, dict[int, Best]()
    for threads, params in ((1, about(MODEL)), (usable_threads(), about(MODEL, all_threads=True))):
        try:
            found = done[threads] = done.get(threads) or _best(model, data, seconds, threads=threads)
        except Unavailable as why:  # what one thread does is told where all of them together did not fit, and so on
            for name in MEASURES:
                sheet.omit(name, why, n=0, rows=data.n, params=params)
            continue
        _add(sheet, found, params)
    return sheet.outcome(*([_table(tuple(done.values()))] if done else []))


def _add(sheet: Sheet, found: Best, params: Params) -> None:
    times, at = found.timed.times[MODEL], f"batches of {found.batch:,} rows, {found.timed.words}"
    method = f"median of {len(times.wall)} blocks at {at}; {found.timed.badge}"
    rate = median_of(found.batch / times.quantile(0.5))
    add(sheet, "throughput", rate, n=times.calls, method=method, params=params)
    tried = f"the fastest of those tried, {found.timed.words}"
    add(sheet, "best_batch", exact(found.batch), n=len(found.tried), method=tried, params=params)


def _best(model: Model, data: Dataset, seconds: float, *, threads: int) -> Best:
    """The fastest batch of those that fit, and its times."""
    row = batch(data, 1)
    sizes = [size for size in SIZES if size == 1 or size * _bytes(row) <= MOST_BYTES]
    tried: list[tuple[int, float]] = []
    for size in sizes:
        budget = TRIAL_SHARE * seconds / len(sizes)
        tried.append((size, size / _quickest(model, batch(data, size), budget, threads)))
        if tried[-1][0] / tried[-1][1] > seconds:  # the next batch would take longer still
            break
    best = max(tried, key=lambda pair: pair[1])[0]
    timed = time_models({MODEL: model}, batch(data, best), (1 - TRIAL_SHARE) * seconds, threads=threads)
    return Best(batch=best, tried=tuple(tried), timed=timed)


def _bytes(columns: Columns) -> int:
    """Of one row; words are taken as 64 bytes."""
    return sum(values.nbytes if values.dtype != object else 64 * values.size for values in columns.values())


def _quickest(model: Model, columns: Columns, seconds: float, threads: int) -> float:
    """Seconds of the quickest call: what else the machine does only adds."""
    with held_to(threads), ready(model, columns, threads=threads) as call:
        call()
        taken, end = list[float](), perf_counter() + seconds
        while len(taken) < 2 or (perf_counter() < end and len(taken) < 200):
            begun = perf_counter()
            call()
            taken.append(perf_counter() - begun)
    return max(min(taken), 1e-9)


def _table(every: Sequence[Best]) -> Table:
    return Table(
        name="throughput",
        title="Rows a second by the size of the batch",
        columns=("threads", "rows a batch", "rows a second"),
        rows=tuple((found.timed.threads, size, float(f"{rate:.3g}")) for found in every for size, rate in found.tried),
        note=f"The quickest of a few calls, to find the size; {every[-1].timed.badge}.",
    )
