"""audit.toml: what it may say, and how it is read."""

from audit.spec.baseline import BaselineColumns, BaselineSpec
from audit.spec.fields import Task
from audit.spec.model import (
    AuditSpec,
    ColumnSpec,
    ComputeSpec,
    DataSpec,
    DataSpecs,
    EvidenceSpec,
    GateSpec,
    LimitSpec,
    ModelSpec,
    PolicyFile,
    StatsSpec,
    TrainingSpec,
    WaiverSpec,
    relative,
)
from audit.spec.reading import Loaded, limit_lines, load, parse_toml, read_text, validate

__all__ = [
    "AuditSpec",
    "BaselineColumns",
    "BaselineSpec",
    "ColumnSpec",
    "ComputeSpec",
    "DataSpec",
    "DataSpecs",
    "EvidenceSpec",
    "GateSpec",
    "LimitSpec",
    "Loaded",
    "ModelSpec",
    "PolicyFile",
    "StatsSpec",
    "Task",
    "TrainingSpec",
    "WaiverSpec",
    "limit_lines",
    "load",
    "parse_toml",
    "read_text",
    "relative",
    "validate",
]
