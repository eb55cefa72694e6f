"""A model whose score is a weighted sum of its design columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.models.forest import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Scores = design @ coefficients.T + intercept; ``coefficients`` (outputs, columns), ``intercept`` (outputs,)."""

    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]
    link: Link

    def raw(self, design: NDArray[np.float64]) -> NDArray[np.float64]:
        """Additive scores (n, outputs) of the rows of a design matrix (n, columns)."""
        return np.asarray(design @ self.coefficients.T + self.intercept)
