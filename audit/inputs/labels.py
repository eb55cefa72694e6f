"""The true classes, whatever the model says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.predictions import class_codes

REQUIRES = {"tasks": ("binary", "multiclass"), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Over the rows with a label: ``rows`` are their places in the data."""

    rows: NDArray[np.intp]
    classes: tuple[str, ...]
    label: NDArray[np.int32]


def labels(case: Case, data: Dataset) -> Labels:
    target = data.roles.target
    if not target:
        raise Unavailable("missing_input", "no target was named", "give target in [data.test]")
    if not case.classes:
        raise Unavailable("not_applicable", "the target is a quantity and has no classes", "nothing to do")
    codes = data.codes(target)
    words = np.array(codes.levels, dtype=object)
    label = class_codes(words, case.classes, f'target "{target}"')[codes.codes]
    rows = np.flatnonzero(label >= 0)
    if not len(rows):
        raise Unavailable("undefined", f"no row has a label in {target}", "check the target column")
    return Labels(rows=rows, classes=case.classes, label=label[rows])
