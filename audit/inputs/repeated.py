"""Some rows a second time, in the opposite order and without the rows that stood between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.data import Dataset
from audit.inputs.model import model
from audit.inputs.predictions import Predictions, predicted

REQUIRES = {"model": True}
MOST_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """What the model says of ``rows`` (m,) of the data when it is asked again; m is at most 100."""

    rows: NDArray[np.int64]
    predictions: Predictions


def repeated(case: Case, data: Dataset) -> Repeated:
    asked = model(case)
    rows = np.unique(np.linspace(0, data.n - 1, min(data.n, MOST_ROWS)).round().astype(np.int64))[::-1].copy()
    return Repeated(rows=rows, predictions=predicted(case, data.take(rows), asked))
