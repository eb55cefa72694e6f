"""Evidence of the energy of training: the record that ``audit.track`` wrote, read, checked and tied to the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit.case import Case
from audit.energy.intensity import intensity
from audit.energy.plausible import refuse_implausible
from audit.energy.record import ModelMatch, TrainingRecord, from_text
from audit.errors import DataError, Unavailable

__all__ = ["REQUIRES", "TrainingRecord", "read_record", "read_text", "training_record"]

REQUIRES = {"training_record": True}


def read_text(path: Path) -> str:
    """What a training record holds. DataError where it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot read the training record {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not text: give a training record, written by audit.track") from None


def read_record(path: Path, *, model_sha256: str = "", region: str | None = None) -> TrainingRecord:
    """The record in ``path``. ``model_sha256`` is the hash of the audited model's file, "" where there is none.

    Raises DataError for a record that is missing, truncated, changed or impossible.
    """
    record = from_text(read_text(path), path.name)
    refuse_implausible(record, path.name)
    return replace(record, region=region, model_match=_match(record.model_sha256, model_sha256))


def _match(recorded: str, audited: str) -> ModelMatch:
    if not (recorded and audited):
        return "unknown"
    return "same" if recorded == audited else "other"


def training_record(case: Case) -> TrainingRecord:
    training = case.spec.training
    if training.record is None:
        raise Unavailable(
            "missing_input",
            "no training record was given",
            'give [training] record = "training.json", written by audit.track',
        )
    if training.region is not None:
        intensity(training.region)  # an unknown region is a fault of audit.toml, said before anything is measured
    audited = case.loaded.sha256 if case.loaded else ""
    return read_record(case.root / training.record, model_sha256=audited, region=training.region)
