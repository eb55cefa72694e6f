"""Other forms of the model (quantised, pruned, trained with another seed), on the same rows as the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.data import Dataset
from audit.data.opening import with_features
from audit.errors import ModelError, Unavailable
from audit.inputs.predictions import Predictions, predicted
from audit.models.loading import LoadedModel

REQUIRES = {"model": True, "variants": True}
SEED = "seed"  # a variant whose name begins so is the model trained again: what chance alone changes


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What one variant decided. A row that it cannot decide counts as decided otherwise, and wrongly."""

    name: str
    predictions: Predictions

    @property
    def is_seed(self) -> bool:
        return self.name.startswith(SEED)


@dataclass(frozen=True, kw_only=True)
class Variants:
    """The variants, and the rows that the model itself decided (places in the data)."""

    every: tuple[Variant, ...]
    rows: NDArray[np.intp]

    @property
    def seeds(self) -> tuple[Variant, ...]:
        return tuple(variant for variant in self.every if variant.is_seed)


def variants(case: Case, data: Dataset, predictions: Predictions) -> Variants:
    """ModelError, with the name of the variant, for one that does not fit the data."""
    if not case.variants:
        raise Unavailable(
            "missing_input",
            "no other form of the model was given",
            'give [model] variants = { int8 = "model-int8.onnx" }',
        )
    if predictions.decided is None or not predictions.decided.any():
        raise Unavailable("undefined", "no row has a usable prediction", "find out why the model returns NaN")
    return Variants(
        every=tuple(_predicted(case, data, name, loaded) for name, loaded in case.variants.items()),
        rows=np.flatnonzero(predictions.decided),
    )


def _predicted(case: Case, data: Dataset, name: str, loaded: LoadedModel) -> Variant:
    own = loaded.model.features
    if own is not None and own != data.roles.features:
        data = with_features(data, own)
    try:
        return Variant(name=name, predictions=predicted(case, data, loaded.model))
    except ModelError as error:
        raise ModelError(f'[model] variants, "{name}": {error}') from error
