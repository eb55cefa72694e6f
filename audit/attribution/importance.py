"""From contributions of rows to the importance of a column, with what its interval needs. The background is fixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import mean, normal

from .explanation import Explanation


def mean_absolute(explanation: Explanation, j: int) -> Basis:
    """Mean over rows of |phi_j|, in the explanation's unit; Unavailable for fewer than two rows."""
    return mean(np.abs(explanation.values[:, j]))


def share(explanation: Explanation, columns: Sequence[int]) -> Basis:
    """sum |phi| of these columns / sum over all: a ratio of means, with the influence of each row as its spread."""
    sizes = np.abs(explanation.values)
    each, total = sizes[:, list(columns)].sum(axis=1), sizes.sum(axis=1)
    if not total.any():
        raise Unavailable("undefined", "no column moves the output, so there is nothing to share", "nothing to do")
    value = float(each.sum() / total.sum())
    influence = (each - value * total) / total.mean()
    if not 0 < value < 1 or explanation.n < 2:
        return mean(value + influence)  # none or all of it in every row: no spread to put on a logit scale
    se = float(np.std(influence, ddof=1) / np.sqrt(explanation.n))
    return normal(value, se, df=explanation.n - 1, scale="logit", n=explanation.n)
