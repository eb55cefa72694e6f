"""Maps of a few rows by several methods, and what is known of how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable

from .trust_grades import Grade, Trust

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """One method's maps (n, ...) of n rows.

    ``completeness`` (n,) where the method promises that they add up; ``numerical`` (n,) the change in the last
    refinement as a share of all attributions, where there was one.
    """

    method: str
    short: str
    family: str  # maps of one family share their reasoning, so that their agreement says less
    values: NDArray[np.float32]
    signed: bool
    completeness: Floats | None = None
    numerical: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapExplanation:
    """The explained class of each of n rows, and the maps of every method."""

    targets: tuple[str, ...]
    scalar: str
    maps: tuple[Maps, ...]
    trust: tuple[Trust, ...] = ()  # one for each of maps; empty where nobody asked
    unavailable: tuple[Unavailable, ...] = ()  # methods that this network cannot be read by
    evaluations: int = 0

    def grade(self, method: int, row: int) -> Grade | None:
        """Of one map; None where trust was not asked for."""
        return self.trust[method].maps[row] if self.trust else None
