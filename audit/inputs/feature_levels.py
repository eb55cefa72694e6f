"""The feature columns as a few levels each: categories as they are, numbers in quantile bins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from audit.data import Codes, Dataset

REQUIRES: dict[str, object] = {}

BINS = 5
_FEW = 10  # different numbers that are shown as they are
_KINDS = ("number", "category")


@dataclass(frozen=True, kw_only=True)
class FeatureLevels:
    """One entry a feature, and the sensitive columns with them. ``skipped`` hold text, images or a constant."""

    names: tuple[str, ...]
    columns: tuple[Codes, ...]
    skipped: tuple[str, ...]


def feature_levels(data: Dataset) -> FeatureLevels:
    wanted = tuple(dict.fromkeys((*data.roles.features, *data.roles.groups)))
    coded = {name: levels_of(data, name) for name in wanted if data.column(name).kind in _KINDS}
    found = {name: codes for name, codes in coded.items() if len(codes.levels) > 1}
    skipped = tuple(name for name in wanted if name not in found)
    return FeatureLevels(names=tuple(found), columns=tuple(found.values()), skipped=skipped)


def levels_of(data: Dataset, name: str) -> Codes:
    """Bins that [columns] gives; categories and up to 10 different numbers as they are; else fifths of the rows."""
    column = data.column(name)
    if column.kind == "category" or column.bins or column.labels:
        return data.codes(name)
    values = data.numbers(name)
    there = values[np.isfinite(values)]
    if np.unique(there).size <= _FEW:
        return data.codes(name)
    return quantile_bins(values, there)


def quantile_bins(values: NDArray[np.float64], there: NDArray[np.float64]) -> Codes:
    """Bins of about equal rows, named by their bounds; values that are no finite number are missing."""
    edges = np.unique(np.quantile(there, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    words = [f"up to {edges[0]:g}", *(f"above {a:g} to {b:g}" for a, b in pairwise(edges)), f"above {edges[-1]:g}"]
    codes = np.searchsorted(edges, values).astype(np.int32)
    missing = ~np.isfinite(values)
    codes[missing] = len(words)
    return Codes(codes=codes, levels=(*words, None) if missing.any() else tuple(words))
