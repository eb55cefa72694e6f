"""What does not hold in the record of a training: places, units, ratings for readings, more than the machine can draw.

Why it matters: trackers of the field write a guess and a counter into the same column. Without a network codecarbon
takes Quebec for the place; without a counter it takes a rating; memory is billed by its size; a mirrored counter is
read twice. The figure looks the same each time.

How it is measured: twelve tests hold the file against itself (parts and total, power and energy, emissions and energy)
and against the ratings of known parts and the grids of known countries. Each fault says what it does to the energy: a
note, a lower rung, or no energy at all. Carbon is never taken from the file. In a record of our own, meter, counters
and sampled power are held against what the machine can draw at most: six times the TDP of a known processor, 1.5
times the power of a known board, 1,500 W a socket and 3,000 W a board of unknown ones. A figure beyond is not used.

How to reduce the risk: record with audit.track and give a meter's reading in kWh; give another tracker its country and
its counters, and name its version in the report.

Sources: codecarbon issues 117, 286, 361, 388, 788, 1268 and 1274; Fischer 2025, arXiv 2509.22092; Ember (2026).
"""

from __future__ import annotations

from audit.check import check
from audit.energy.ceiling import TESTS as CEILING_TESTS
from audit.energy.trackers.log import TrackerLog
from audit.energy.training import TrainingEvidence
from audit.results import Omission, Outcome, Reason, Table
from audit.stats import exact, measured

MEASURES = {
    "training_record_faults": {"unit": "1", "better": "lower", "words": "things that do not hold in the record"},
}
LOG_TESTS = 12
EFFECT = {
    "note": "carbon is taken from this audit's own table",
    "grade": "counts as lower evidence, with a wider range",
    "withhold": "no energy is taken from the file",
}


@check(cost="predict")
def training_record_faults(training_evidence: TrainingEvidence, level: float) -> Outcome:
    log = training_evidence.log
    if log is None and training_evidence.record is None:
        detail = "no record of the training was given"
        return Outcome(
            omissions=(Omission(name="", reason=Reason.NOT_APPLICABLE, detail=detail, remedy="nothing to do"),)
        )
    flags, tests = training_evidence.flags, LOG_TESTS if log else CEILING_TESTS
    found = measured(name="training_record_faults", basis=exact(len(flags)), level=level, n=tests, unit="1")
    whose = f"the file of {log.tool} {log.version}".rstrip() if log else "the record"
    table = Table(
        name="training_record_faults",
        title=f"What does not hold in {whose}",
        columns=("fault", "found", "what follows", "what would help"),
        rows=tuple((flag.name, flag.words, EFFECT[flag.severity], flag.remedy) for flag in flags),
        note="An empty table is no proof: the file does not say how its figures were measured.",
    )
    figures = [_figures(log)] if log else []
    return Outcome(measurements=(found,), evidence=(*figures, *([table] if flags else [])))


def _figures(log: TrackerLog) -> Table:
    parts = {"total": log.kwh, "CPU": log.cpu_kwh, "GPU": log.gpu_kwh, "memory": log.ram_kwh}
    return Table(
        name="training_record_figures",
        title=f"What {log.tool} {log.version} states".replace("  ", " "),
        columns=("part", "kWh", "mean W"),
        rows=tuple((name, kwh, None if kwh is None else kwh * 3.6e6 / log.seconds) for name, kwh in parts.items()),
        note=f"{log.seconds:.4g} s; as stated, before any grading.",
    )
