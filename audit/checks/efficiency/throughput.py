"""Throughput at the best batch: how many rows a second, when many wait.

Why it matters: what is scored in bulk is paid for by the row. The best batch is often twenty times as fast as single
rows, and beyond it memory grows for nothing.

How it is measured: batches of 1, 4, 16 ... 4,096 rows are tried, as long as one batch holds no more than 64 MB; the
fastest is then timed anew, on one thread, in at least 15 blocks, so that its figure is not the luck of the choice. The
median over blocks is given, with an interval from their order statistics. Times differ from run to run: see
``efficiency.latency``. A model on more threads or on a GPU may be faster; this is what one thread does.

How to reduce the risk: score in batches of the size found; export to ONNX or quantise where that is not enough.

Sources: as of ``efficiency.latency``; MLPerf Inference rules (offline scenario).
"""

from __future__ import annotations

from time import perf_counter

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.efficiency._timing import MODEL, add, batch, time_models
from audit.compute.latency import median_of, single_thread
from audit.data import Columns, Dataset
from audit.models import Model
from audit.models.calling import ready
from audit.results import Outcome, Table
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "throughput": {"unit": "rows/s", "better": "higher", "words": "rows a second at the best batch"},
    "best_batch": {"unit": "rows", "better": "none", "words": "rows of the fastest batch"},
}
SIZES = (1, 4, 16, 64, 256, 1024, 4096)
MOST_BYTES = 64 * 2**20
TRIAL_SHARE = 0.5  # of the budget, for finding the size


@check(cost="timing")
def throughput(case: Case, model: Model, data: Dataset, level: float) -> Outcome:
    seconds = case.spec.compute.seconds
    one = batch(data, 1)
    sizes = [size for size in SIZES if size == 1 or size * _bytes(one) <= MOST_BYTES]
    tried: list[tuple[int, float]] = []
    for size in sizes:
        tried.append((size, size / _quickest(model, batch(data, size), TRIAL_SHARE * seconds / len(sizes))))
        if tried[-1][0] / tried[-1][1] > seconds:  # the next batch would take longer still
            break
    best = max(tried, key=lambda pair: pair[1])[0]
    found = time_models({MODEL: model}, batch(data, best), (1 - TRIAL_SHARE) * seconds)
    times = found.times[MODEL]
    sheet = Sheet(measures=MEASURES, level=level)
    method = f"median of {len(times.wall)} blocks at batches of {best:,} rows, one thread; {found.badge}"
    add(sheet, "throughput", median_of(best / times.quantile(0.5)), n=times.calls, method=method, params={})
    add(sheet, "best_batch", exact(best), n=len(tried), method="the fastest of those tried", params={})
    return sheet.outcome(_table(tried, found.badge))


def _bytes(columns: Columns) -> int:
    """Of one row; words are taken as 64 bytes."""
    return sum(values.nbytes if values.dtype != object else 64 * values.size for values in columns.values())


def _quickest(model: Model, columns: Columns, seconds: float) -> float:
    """Seconds of the quickest call: what else the machine does only adds."""
    with single_thread(), ready(model, columns) as call:
        call()
        taken, end = list[float](), perf_counter() + seconds
        while len(taken) < 2 or (perf_counter() < end and len(taken) < 200):
            begun = perf_counter()
            call()
            taken.append(perf_counter() - begun)
    return max(min(taken), 1e-9)


def _table(tried: list[tuple[int, float]], badge: str) -> Table:
    return Table(
        name="throughput",
        title="Rows a second by the size of the batch",
        columns=("rows a batch", "rows a second"),
        rows=tuple((size, float(f"{rate:.3g}")) for size, rate in tried),
        note=f"The quickest of a few calls on one thread, to find the size; {badge}.",
    )
