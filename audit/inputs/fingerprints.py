"""What the ledger of looks is keyed by: the rows that a model is held against, and the model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from audit.case import Case
from audit.data import Dataset
from audit.data.reading import table_digest
from audit.inputs.predictions import Predictions

REQUIRES: dict[str, object] = {}


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """Digests in hexadecimal. ``audit_set`` does not depend on the predictions, so that retrained models share it."""

    audit_set: str
    model: str


def fingerprints(case: Case, data: Dataset, predictions: Predictions) -> Fingerprints:
    """Of the file of the model where there is one, else of what it predicts."""
    roles = data.roles
    said = (roles.prediction, *roles.predictions, roles.score, *roles.scores)
    stored = [name for name in said if name in data.table.column_names]
    rows = data.sha256 if case.model is not None and data.sha256 else table_digest(data.table.drop_columns(stored))
    model = case.loaded.sha256 if case.loaded is not None else ""
    return Fingerprints(audit_set=rows, model=model or _digest(predictions))


def _digest(found: Predictions) -> str:
    digest = hashlib.sha256()
    for numbers in (found.decision, found.probability, found.score):
        digest.update(b"-" if numbers is None else np.ascontiguousarray(numbers).tobytes())
    return digest.hexdigest()
