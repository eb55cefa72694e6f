"""What the model now in use says of the same rows: by its file, or from columns of the table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audit.case import Case
from audit.data import Dataset
from audit.data.opening import with_features
from audit.errors import DataError, ModelError, Unavailable
from audit.inputs.predictions import Predictions, predicted, stored
from audit.models.loading import LoadedModel

REQUIRES = {"baseline": True, "tasks": ("binary", "multiclass", "regression")}
COMPARED = ("binary", "multiclass", "regression")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """``name`` is a path or the columns; ``sha256`` is of the file, empty for columns."""

    name: str
    sha256: str
    predictions: Predictions


def baseline(case: Case, data: Dataset) -> Baseline:
    """ModelError or DataError, which says that it is the baseline, for one that does not fit the data."""
    if case.task not in COMPARED:
        raise Unavailable("not_applicable", f"a {case.task} is not compared row by row", "audit both by themselves")
    if case.baseline is not None:
        return Baseline(
            name=case.baseline.path, sha256=case.baseline.sha256, predictions=_answered(case, data, case.baseline)
        )
    roles = data.roles.of_baseline()
    if not roles.baseline.columns:
        raise Unavailable(
            "missing_input",
            f"nothing is known of what the model now in use said of the {data.name} data",
            f'give [model] baseline = "old.skops", or [data.{data.name}] baseline = {{ prediction = "old_decision" }}',
        )
    try:
        found = stored(case, replace(data, roles=roles))
    except DataError as error:
        raise DataError(f"[data.{data.name}] baseline: {error}") from error
    return Baseline(name=", ".join(roles.baseline.columns), sha256="", predictions=found)


def _answered(case: Case, data: Dataset, loaded: LoadedModel) -> Predictions:
    """By the baseline's own features and its own threshold."""
    said = case.spec.model.baseline_model if case.spec.model else None
    case = replace(case, spec=case.spec.model_copy(update={"model": said or case.spec.model}))
    own = loaded.model.features
    try:
        if own is not None and own != data.roles.features:
            data = with_features(data, own)
        found = predicted(case, data, loaded.model)
    except (ModelError, DataError) as error:
        raise type(error)(f"[model] baseline: {error}") from error
    if found.decision is not None and len(found.decision) != data.n:
        raise ModelError(
            f"[model] baseline gives {len(found.decision):,} predictions for {data.n:,} rows: it must give one a row"
        )
    return found
