"""An audit, done: everything a report, a CI writer or a dashboard page may show is a function of this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from audit.policy import Finding, Verdict
from audit.results import Evidence, Look, Measurement, MeasureNote, Omission, Record

__all__ = ["AuditRun", "DataSummary", "Machine", "MeasureNote", "ModelSummary", "Record"]

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """A data set as it was audited. ``columns`` maps a role ("target", "groups", "features") to column names."""

    name: str  # "test"
    path: str
    sha256: str
    rows: int
    columns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """The model as it was audited."""

    kind: str  # "sklearn", "torch", "onnx", "callable", "predictions"
    name: str  # class of the estimator or module
    path: str
    sha256: str
    bytes: int
    task: str  # as in audit.spec.Task
    classes: tuple[str, ...]
    positive: str | None  # the class that a binary score is about
    threshold: float | None
    notes: tuple[str, ...] = ()  # what the reader must know, such as "probabilities are not available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where and when: all that may differ between two runs over the same inputs stands here."""

    created: str  # UTC, ISO 8601
    seconds: float
    timings: Mapping[str, float]  # seconds by check
    tool: str  # "assay 0.1.0"
    python: str
    platform: str
    packages: Mapping[str, str]
    commit: str = ""  # of the repository that audit.toml lies in, with "+" when it was dirty
    command: str = ""
    resumed: tuple[str, ...] = ()  # what was taken over from an interrupted audit of the same inputs
    cpu: str = ""  # processor as the system prints it; "" where it does not, or in a run from before it was kept


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRun:
    """One audit of one model."""

    id: str  # sha256 of the canonical measured content
    name: str
    purpose: str
    verdict: Verdict
    exit_code: int
    exit_reason: str  # one sentence
    findings: tuple[Finding, ...]  # worst first
    records: tuple[Record, ...]
    model: ModelSummary
    data: tuple[DataSummary, ...]
    spec: Mapping[str, Any]  # audit.toml as it was read
    spec_sha256: str
    packs: Mapping[str, str]  # "default@1" -> sha256 of its text
    confidence: float
    seed: int
    measures: Mapping[str, MeasureNote]
    docs: Mapping[str, str]  # check id -> its module docstring, as measured
    notices: tuple[str, ...] = ()  # licences and attributions of data tables that were used
    baseline: str = ""  # id of the run it was compared with
    look: Look | None = None  # the part of the ledger that this audit spent
    groups_sha256: str = ""  # of the rows of evidence/groups.parquet
    machine: Machine
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        for name in ("spec", "packs", "measures", "docs"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def judged_confidence(self) -> float:
        """The level of the intervals that verdicts rest on: higher than ``confidence`` from the second look on."""
        return self.look.confidence(self.confidence) if self.look else self.confidence

    def measurements(self) -> Iterator[tuple[Record, Measurement]]:
        for record in self.records:
            for measurement in record.outcome.measurements:
                yield record, measurement

    def omissions(self) -> Iterator[tuple[Record, Omission]]:
        for record in self.records:
            for omission in record.outcome.omissions:
                yield record, omission

    def evidence(self) -> Iterator[tuple[Record, Evidence]]:
        for record in self.records:
            for item in record.outcome.evidence:
                yield record, item
