"""All evidence of the energy of training that the case holds: a record, what [training] tells, the network itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from audit.case import Case
from audit.energy.claims import Claim
from audit.energy.intensity import intensity
from audit.energy.record import TrainingRecord
from audit.energy.trackers.log import TrackerLog
from audit.energy.trackers.reading import is_ours, read_log
from audit.energy.training import Sources, Told, TrainingEvidence, gather
from audit.energy.work import Work
from audit.errors import Unavailable
from audit.inputs.training_record import read_record, read_text
from audit.spec.model import TrainingSpec

__all__ = ["REQUIRES", "TrainingEvidence", "refuse_bad_record", "training_evidence"]

REQUIRES = {"training_evidence": True}
ROWS_COUNTED = 4  # enough for a batch normalisation; operations are proportional to the rows


def _told(training: TrainingSpec) -> Told:
    claim = None
    if training.declared_kwh is not None:
        claim = Claim(kwh=training.declared_kwh, boundary=training.boundary, kgco2e=training.declared_kgco2e)
    return Told(
        region=training.region,
        hardware=training.hardware,
        devices=training.devices,
        hours=training.hours,
        precision=training.precision,
        claim=claim,
        rest_w=training.rest_watts,
        pue=training.pue,
        embodied_kg=training.embodied_kgco2e,
    )


def _recorded(training: TrainingSpec, root: Path, audited: str = "") -> tuple[TrainingRecord | None, TrackerLog | None]:
    """The file that [training] record names: ours, or another tracker's. ``audited``: hash of the model's file."""
    if training.record is None:
        return None, None
    path = root / training.record
    text = read_text(path)
    if not is_ours(text):
        return None, read_log(text, path.name)
    return read_record(path, model_sha256=audited, region=training.region), None


def refuse_bad_record(training: TrainingSpec, root: Path) -> None:
    """DataError for a record that cannot be evidence: the user's to mend, so it ends the audit before it begins."""
    _recorded(training, root)


def _rows_seen(case: Case, record: TrainingRecord | None) -> float | None:
    """Rows over all epochs and trials: as told, with the training data for the rows of an epoch, else as recorded."""
    training = case.spec.training
    rows = training.samples or (case.datasets["train"].n if "train" in case.datasets else None)
    if rows and training.epochs:
        return rows * training.epochs * training.trials
    return float(record.samples * training.trials) if record is not None and record.samples else None


def _counter(case: Case) -> Callable[[float], Work] | None:
    """How the operations of the model are counted; None for a model that is no network."""
    if case.model is None or case.model.kind != "torch":
        return None
    from audit.energy.network_work import work_of  # torch is needed for networks alone
    from audit.models.base import Differentiable

    model, training, test = case.model, case.spec.training, case.datasets["test"]
    if not isinstance(model, Differentiable):
        return None
    few = test.take(range(min(ROWS_COUNTED, test.n)))

    def count(rows: float) -> Work:
        inputs = model.encode(few.features)
        return work_of(model.module, inputs, rows, batch=training.batch, precision=training.precision)

    return count


def training_evidence(case: Case) -> TrainingEvidence:
    """Everything that tells the energy of the training. DataError for a file that cannot be evidence."""
    training = case.spec.training
    if not training.tells_energy:
        raise Unavailable(
            "missing_input",
            "nothing was said of the training",
            'give [training] record = "training.json", or hardware with hours or with epochs',
        )
    if training.region is not None:
        intensity(training.region)  # an unknown region is a fault of audit.toml, said before anything is measured
    record, log = _recorded(training, case.root, case.loaded.sha256 if case.loaded else "")
    return gather(
        Sources(
            told=_told(training),
            record=record,
            log=log,
            rows_seen=_rows_seen(case, record),
            count_work=_counter(case),
            kind=case.model.kind if case.model else "",
        )
    )
