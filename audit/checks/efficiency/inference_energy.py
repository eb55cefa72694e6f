"""Energy of 1,000 inferences, with the rung of evidence it rests on.

Why it matters: a model in use answers for years; its inferences soon cost more than its training did. The figure is an
estimate and says how it is known.

How it is measured: one row at a time on one thread, for ``[compute] seconds``, recorded like a training run: counters
of CPU and GPU where this machine shows them, else processor seconds times a power that is affine in the load. The best
rung is given with its boundary and its 90 % range, every rung is listed; ranges are those of ``energy.training_energy``
and wide where the processor is not known. Counters hold the whole machine, so other work on it is billed too. A network
with a GPU that nothing meters gives none. Figures differ from run to run: see ``efficiency.latency``.

How to reduce the risk: measure on the device that it will run on, with nothing else on it; quantise or prune, score in
batches, and compare variants by ``relative_inference_energy``, whose error is far smaller than that of two energies.

Sources: as of ``energy.training_energy``; Henderson et al., JMLR 2020; ISO/IEC 21031:2024 (energy per functional unit).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from audit.case import Case
from audit.check import check
from audit.checks._support import Params, Sheet
from audit.checks.efficiency._timing import about, batch, models_of
from audit.compute.latency import held_to, quiet
from audit.data import Columns, Dataset
from audit.energy.estimate import J_PER_KWH, EnergyEstimate
from audit.energy.ladder import from_record
from audit.energy.replay import recorded
from audit.errors import Unavailable
from audit.models import Model
from audit.models.calling import ready
from audit.results import Outcome, Table
from audit.stats import assumption_range

MEASURES: dict[str, dict[str, object]] = {
    "inference_energy": {
        "unit": "J",
        "better": "lower",
        "words": "energy of 1,000 inferences",
        "params": {"variant": "str"},
    },
    "inference_cpu_time": {
        "unit": "s",
        "better": "lower",
        "words": "processor time of 1,000 inferences",
        "params": {"variant": "str"},
    },
}
PER = 1000
FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferences:
    """So many inferences, their processor seconds, and what is known of their energy, best first."""

    count: int
    cpu_s: float
    estimates: tuple[EnergyEstimate, ...]


@check(cost="timing")
def inference_energy(case: Case, model: Model, data: Dataset, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    rows: list[tuple[str | float, ...]] = []
    for name, one in models_of(case, model).items():
        found = _run(one, batch(data, 1), case.spec.compute.seconds)
        _add(sheet, found, about(name))
        rows += [(name or "model", *_row(estimate, found.count)) for estimate in found.estimates]
    return sheet.outcome(_table(tuple(rows)))


def _run(model: Model, columns: Columns, seconds: float) -> Inferences:
    done: list[int] = []

    def answer() -> None:
        end, count = time.perf_counter() + seconds, 0
        while count < FEWEST or time.perf_counter() < end:
            call()
            count += 1
        done.append(count)

    with ready(model, columns) as call, held_to(1), quiet():
        call()
        before = time.process_time()
        record = replace(recorded(answer), model_match="same")
        cpu_s = time.process_time() - before
    return Inferences(count=done[0], cpu_s=cpu_s, estimates=from_record(record))


def _add(sheet: Sheet, found: Inferences, params: Params) -> None:
    cpu_s = found.cpu_s * PER / found.count
    # Between runs on one machine: 0.9 to 1.1 where all of it is done again.
    sheet.add(
        "inference_cpu_time",
        lambda: assumption_range(cpu_s, 0.9 * cpu_s, 1.1 * cpu_s, 0.9),
        n=found.count,
        params=params,
    )
    if not found.estimates:
        why = Unavailable("missing_input", "a GPU was there whose energy cannot be read", 'pip install "assay[gpu]"')
        sheet.omit("inference_energy", why, n=found.count, rows=found.count, params=params)
        return
    best = found.estimates[0]
    value, lower, upper = _joules(best, found.count)
    sheet.add(
        "inference_energy", lambda: assumption_range(value, lower, upper, best.level), n=found.count, params=params
    )
    short = f"{best.rung} rung, {best.boundary} boundary"
    last = sheet.measurements[-1]
    sheet.measurements[-1] = replace(
        last, method=f"{short}: {best.method}", interval=replace(last.interval, method=short)
    )


def _joules(energy: EnergyEstimate, count: int) -> tuple[float, float, float]:
    """Value, lower and upper for 1,000 of ``count`` inferences."""
    per = J_PER_KWH * PER / count
    return energy.value_kwh * per, energy.lower_kwh * per, energy.upper_kwh * per


def _row(energy: EnergyEstimate, count: int) -> tuple[str | float, ...]:
    words = (energy.method, "; ".join(energy.assumptions), "; ".join(energy.sources))
    return (energy.rung, energy.boundary, *_joules(energy, count), energy.level, *words)


def _table(rows: tuple[tuple[str | float, ...], ...]) -> Table:
    return Table(
        name="inference_energy_rungs",
        title="What is known of the energy of 1,000 inferences, and how",
        columns=("form", "rung", "boundary", "J", "lower", "upper", "level", "method", "assumptions", "sources"),
        rows=rows,
        note="Best evidence first. Compare rows of one boundary only.",
    )
