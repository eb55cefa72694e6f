"""What the checks that time share: models ready to be called, the machine watched meanwhile, times as measurements."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from audit.case import Case
from audit.checks._support import Params, Sheet
from audit.compute.latency import Load, Times, load_average, timed, usable_threads
from audit.data import Columns, Dataset
from audit.energy.host import machine_time
from audit.errors import Unavailable
from audit.models import Model
from audit.models.calling import ready
from audit.results import Basis, Omission, Reason, Table

FEWEST_P95 = 20  # calls a block
ALL = "all"  # of the parameter ``threads``; without it one thread
MODEL = ""  # the name of the model itself beside those of its variants


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Times of the model (under "") and of its variants, in turns, and what else the machine did meanwhile."""

    times: Mapping[str, Times]
    load: Load
    threads: int = 1

    @property
    def words(self) -> str:
        """Words for a method: on how many threads."""
        return "one thread" if self.threads == 1 else f"{self.threads} threads, all that the process may use"

    @property
    def badge(self) -> str:
        """Words for a method: how far the clock can be trusted."""
        return f"contended: {'; '.join(self.load.reasons)}" if self.load.reasons else "the machine was quiet"


def models_of(case: Case, model: Model) -> dict[str, Model]:
    return {MODEL: model, **{name: variant.model for name, variant in case.variants.items()}}


def about(name: str, *, all_threads: bool = False) -> Params:
    """The parameters of a measurement of that model."""
    return {**({"variant": name} if name != MODEL else {}), **({"threads": ALL} if all_threads else {})}


def batch(data: Dataset, rows: int) -> Columns:
    """So many rows as a model is given them; a short table is gone through several times."""
    return data.take(np.arange(rows) % data.n).features


def time_models(models: Mapping[str, Model], columns: Columns, seconds: float, *, threads: int = 1) -> Timed:
    """Each model timed over ``columns`` for ``seconds``, in turns with the others."""
    waiting = load_average()
    with ExitStack() as stack:
        calls = [stack.enter_context(ready(model, columns, threads=threads)) for model in models.values()]
        machine, spent, begun = machine_time(), time.process_time(), time.perf_counter()
        taken = timed(calls, seconds * len(calls), threads=threads)
        elapsed, spent = time.perf_counter() - begun, time.process_time() - spent
        stolen = machine_time().steal_s - machine.steal_s
    load = Load(
        wall_over_cpu=elapsed / max(spent, 1e-9),
        stolen=stolen / (elapsed * (os.cpu_count() or 1)),
        load_average=waiting,
    )
    return Timed(times=dict(zip(models, taken, strict=True)), load=load, threads=threads)


def time_both(models: Mapping[str, Model], columns: Columns, seconds: float) -> tuple[Timed, Timed | Unavailable]:
    """On one thread, and on all that the process may use; the second may not fit its time where the first did."""
    one, threads = time_models(models, columns, seconds), usable_threads()
    if threads == 1:
        return one, one
    try:
        return one, time_models(models, columns, seconds, threads=threads)
    except Unavailable as why:
        return one, why


def add(sheet: Sheet, name: str, basis: Basis | Unavailable, *, n: int, method: str, params: Params) -> None:
    """A measurement that says how it was timed; ``n`` is the calls."""
    if isinstance(basis, Unavailable):
        why = Omission(
            name=name, reason=Reason(basis.reason), detail=basis.detail, remedy=basis.remedy, params=params, n=n
        )
        sheet.omissions.append(why)
        return
    sheet.add(name, lambda: basis, n=n, params=params)
    sheet.measurements[-1] = replace(sheet.measurements[-1], method=f"{sheet.measurements[-1].method}; {method}")


def times_table(every: Sequence[Timed]) -> Table:
    """Medians and spread of the blocks of each model, with the badges in the note."""
    rows = tuple(
        (
            label or "model",
            found.threads,
            len(t.wall),
            t.wall.shape[1],
            *_middle(t, 0.5),
            *_middle(t, 0.95),
            _middle(t, 0.5, cpu=True)[0] if found.threads == 1 else None,
        )
        for found in every
        for label, t in found.times.items()
    )
    spread = ("p50, ms", "across blocks", "p95, ms", "across blocks", "CPU p50, ms")
    columns = ("form", "threads", "blocks", "calls a block", *spread)
    note = "; ".join(f"on {found.words}: {found.badge}" for found in every)
    title = "How long one inference takes"
    return Table(name="latency", title=title, columns=columns, rows=rows, note=f"{note[:1].upper()}{note[1:]}.")


def _middle(times: Times, share: float, *, cpu: bool = False) -> tuple[float, str]:
    """(median over the blocks, "lowest to highest") in milliseconds."""
    blocks = 1e3 * times.quantile(share, cpu=cpu)
    return float(f"{np.median(blocks):.4g}"), f"{blocks.min():.4g} to {blocks.max():.4g}"


def tail_missing(times: Times, share: float) -> Unavailable | None:
    """Why that quantile is not given: a tail needs calls enough in each block; None where it is."""
    calls = times.wall.shape[1]
    if share > 0.5 and calls < FEWEST_P95:
        detail = f"blocks of {calls} calls have no tail to speak of"
        return Unavailable("insufficient_data", detail, "give [compute] more seconds")
    if share < 0.99 or times.settles_p99():
        return None
    detail = "a 99th percentile takes 10,000 calls in 20 blocks that agree within 25 %"
    return Unavailable("insufficient_data", detail, "time it on a quiet machine, with more [compute] seconds")
