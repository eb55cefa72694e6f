"""Energy of training, from doing a part of it again.

Why it matters: most models that come to a review were trained without a record. Doing some of it again is evidence of
its own, and shows whether a record or a declared figure can be true.

How it is measured: a scikit-learn model is cloned and fitted again to the training data, whole where that takes at
most 30 s, else on growing parts whose CPU time is scaled as a power of the rows. A network's recipe, a generator that
yields after each step, runs for 10 s after a warm-up and is scaled to the steps of the training. What ran is recorded
by our own tracker. The energy is that of a training on this class of machine; a range of 0.75 to 1.3 for the steps (0.5
to 2 for parts) is combined with that of the record. The replay's range is held against that of every other evidence.
A replay runs with ``--cost retrain``. It measures this machine, so its figures differ from run to run and are no part
of what identifies a run.

How to reduce the risk: record the training itself, with audit.track; where replay and record disagree, find out which
of them stands for another machine or another run.

Sources: replays of 40 steps took 0.77 to 1.12 of the whole training's time for three networks; fits of 11 scikit-learn
estimators scaled as a power of the rows were within 2 times in 82 %.
"""

from __future__ import annotations

from audit.check import check
from audit.checks.energy._figures import energy_measured, rungs
from audit.energy.estimate import miss_factor
from audit.inputs.training_replay import TrainingReplay
from audit.results import Measurement, Omission, Outcome, Reason
from audit.stats import assumption_range, exact, measured

MEASURES = {
    "replayed_training_energy": {"unit": "kWh", "better": "lower", "words": "energy of training, replayed in part"},
    "replayed_training_cpu_time": {"unit": "h", "better": "lower", "words": "CPU time of training, replayed in part"},
    "training_replay_disagreement": {
        "unit": "1",
        "better": "lower",
        "words": "factor by which replay and other evidence miss each other",
    },
}
GIVE_RECORD = 'give [training] record = "training.json" to have both compared'


@check(cost="replay")
def training_replay(training_replay: TrainingReplay, level: float) -> Outcome:
    found = training_replay
    pairs = [(one, other) for one in found.estimates for other in found.others if one.boundary == other.boundary]
    name = "training_replay_disagreement"
    agreement: tuple[Measurement, ...] = ()
    alone: tuple[Omission, ...] = ()
    if pairs:
        worst = max(miss_factor(one, other) for one, other in pairs)
        agreement = (measured(name=name, basis=exact(worst), level=level, n=len(pairs), unit="1"),)
    else:
        detail = "no other evidence shares a boundary with the replay"
        alone = (Omission(name=name, reason=Reason.NOT_APPLICABLE, detail=detail, remedy=GIVE_RECORD),)
    return Outcome(
        measurements=(*_energy(found, level), _cpu_time(found, level), *agreement),
        omissions=(*alone, *_no_energy(found)),
        evidence=(rungs((*found.estimates, *found.others), name="training_replay_rungs"),),
    )


def _energy(found: TrainingReplay, level: float) -> tuple[Measurement, ...]:
    return tuple(energy_measured("replayed_training_energy", best, level) for best in found.estimates[:1])


def _no_energy(found: TrainingReplay) -> tuple[Omission, ...]:
    if found.estimates:
        return ()
    detail, remedy = "the replay used a GPU whose energy cannot be read here", 'pip install "assay[gpu]"'
    return (Omission(name="replayed_training_energy", reason=Reason.MISSING_INPUT, detail=detail, remedy=remedy),)


def _cpu_time(found: TrainingReplay, level: float) -> Measurement:
    hours, around = found.replay.cpu_s / 3600, found.replay.range
    basis = assumption_range(hours, hours * around.lower, hours * around.upper, 0.9)
    return measured(name="replayed_training_cpu_time", basis=basis, level=level, n=1, unit="h")
