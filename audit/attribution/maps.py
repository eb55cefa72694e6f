"""Maps of a few rows by several methods, and what is known of how far they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.results import Scalar

from .explanation import RED, facts_of
from .trust_grades import Grade, Trust

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """One method's maps (n, ...) of n rows.

    ``completeness`` (n,) where the method promises that they add up to the output less ``base`` (n,); ``numerical``
    (n,) the change in the last refinement, or the standard errors, as a share of all attributions, where there was one.
    """

    method: str
    short: str
    family: str  # maps of one family share their reasoning, so that their agreement says less
    values: NDArray[np.float32]
    signed: bool
    completeness: Floats | None = None
    numerical: Floats | None = None
    base: Floats | None = None
    evaluations: int = 0


def adds_up(completeness: Floats) -> bool:
    """Whether the sums of most rows are right."""
    return float(np.median(completeness)) <= RED


@dataclass(frozen=True, slots=True, kw_only=True)
class MapExplanation:
    """The explained class of each of n rows, and the maps of every method.

    The answer is the first one whose sums add up (else the first), the others are second opinions.

    ``output`` (n,) is the explained scalar in ``unit``; ``feature`` names what the maps are of, ``groups`` the columns
    that are explained as one.
    """

    targets: tuple[str, ...]
    scalar: str
    maps: tuple[Maps, ...]
    trust: tuple[Trust, ...] = ()  # one for each of maps; empty where nobody asked
    unavailable: tuple[Unavailable, ...] = ()  # methods that this network cannot be read by
    evaluations: int = 0
    modality: str = ""
    feature: str = ""
    unit: str = ""
    output: Floats = field(default_factory=lambda: np.zeros(0))
    value_function: str = ""
    background_n: int = 0
    seed: int = 0
    note: str = ""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def grade(self, method: int, row: int) -> Grade | None:
        """Of one map; None where trust was not asked for."""
        return self.trust[method].maps[row] if self.trust else None

    @property
    def answer(self) -> Maps:
        sound = (m for m in self.maps if m.completeness is not None and adds_up(m.completeness))
        return next(sound, self.maps[0])

    @property
    def parts(self) -> Mapping[str, NDArray[np.float32]]:
        """The maps of the answer, by the name of what they are of."""
        return {self.feature: self.answer.values}

    @property
    def method(self) -> str:
        return self.answer.method

    @property
    def base(self) -> Floats:
        return self._known(self.answer.base)

    @property
    def completeness(self) -> Floats:
        return self._known(self.answer.completeness)

    @property
    def numerical(self) -> Floats:
        return self._known(self.answer.numerical)

    @property
    def facts(self) -> tuple[tuple[str, Scalar], ...]:
        """How the numbers of the answer were made and how good they are, for a reader."""
        return facts_of(self, float(np.median(self.numerical)))

    def _known(self, known: Floats | None) -> Floats:
        """Zeros where the method is exact by construction and so measured nothing."""
        return np.zeros(len(self.targets)) if known is None else known
