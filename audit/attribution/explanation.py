"""What an attribution method returns: one number for each row and column, and what is known of its error.

The explained scalar of a row is split so that ``base + sum of its values = output`` (completeness, also called
efficiency or local accuracy). How far the sum is off is measured for every row and travels with the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audit.results import Scalar

Array = NDArray[np.float64]

AMBER = 0.01  # above this relative error of the sum, it is said
RED = 0.05  # above this the row's values are withheld: they do not add up to what they explain
SMALL_CHANGE = 0.05  # a row whose output hardly differs from the base is held to this share of a typical change


class Explained(Protocol):
    """Attributions of n rows and what is known of them.

    ``parts`` holds, by input (a column, or a layer), an array (n, ...) in the input's own shape, a number a place:
    pixels, tokens, time x channel, or (n,) for a number or a category. Over all parts they add up to ``output`` less
    ``base``, both (n,) and in ``unit``; ``completeness`` (n,) is the relative error of that sum and ``numerical`` (n,)
    the error of the computation as a share of all contributions. ``targets`` names the class that is explained,
    ``groups`` the columns of those parts that stand for several.
    """

    @property
    def modality(self) -> str: ...
    @property
    def parts(self) -> Mapping[str, NDArray[Any]]: ...
    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def base(self) -> Array: ...
    @property
    def output(self) -> Array: ...
    @property
    def completeness(self) -> Array: ...
    @property
    def numerical(self) -> Array: ...
    @property
    def scalar(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def value_function(self) -> str: ...
    @property
    def background_n(self) -> int: ...
    @property
    def evaluations(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def note(self) -> str: ...
    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def facts(self) -> tuple[tuple[str, Scalar], ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Attributions of n rows over d columns, or groups of columns that are explained as one.

    ``values`` (n, d) and ``standard_errors`` (n, d) are in ``unit``; a standard error is that of the computation, given
    the background: 0 where exact, of the sampled permutations for Shapley values, the change between the last two
    quadrature rules for integrated gradients. ``base`` and ``output`` have shape (n,), ``completeness`` (n,) is the
    relative error of each sum. ``targets`` names the class that is explained in each row ("" for a regressor).
    ``halves`` (n, d) is half the difference between the values over two halves of the background: one draw of the error
    that the choice of background rows leaves; None where it was not measured. ``groups`` holds the columns of
    each group.
    """

    names: tuple[str, ...]
    values: Array
    standard_errors: Array
    base: Array
    output: Array
    completeness: Array
    targets: tuple[str, ...]
    scalar: str
    unit: str
    method: str
    value_function: str
    background_n: int
    evaluations: int
    seed: int
    note: str = ""
    halves: Array | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def columns_of(self, name: str) -> tuple[str, ...]:
        """The columns that a name of ``names`` stands for."""
        return self.groups.get(name, (name,))

    @property
    def n(self) -> int:
        return len(self.output)

    @property
    def residual(self) -> Array:
        """(sum of the values) - (output - base), shape (n,)."""
        return np.asarray(self.values.sum(axis=1) - (self.output - self.base))

    @property
    def trusted(self) -> NDArray[np.bool_]:
        """Rows whose values add up to what they explain, shape (n,)."""
        return np.asarray(self.completeness <= RED)

    @property
    def modality(self) -> str:
        return "table"

    @property
    def parts(self) -> Mapping[str, Array]:
        """The values of each column or group, (n,)."""
        return {name: self.values[:, j] for j, name in enumerate(self.names)}

    @property
    def numerical(self) -> Array:
        """The standard errors as a share of all contributions, shape (n,)."""
        size, error = np.abs(self.values).sum(axis=1), self.standard_errors.sum(axis=1)
        return np.asarray(np.divide(error, size, out=np.zeros_like(size), where=size > 0))

    @property
    def facts(self) -> tuple[tuple[str, Scalar], ...]:
        """How the numbers were made and how good they are, for a reader."""
        size = float(np.abs(self.values).sum())
        return facts_of(self, float(self.standard_errors.sum()) / (size or 1.0))

    def take(self, rows: NDArray[Any]) -> Explanation:
        """The same explanation with these rows only (indices or a mask)."""
        kept = np.arange(self.n)[rows]
        return replace(
            self,
            **{name: getattr(self, name)[kept] for name in _ROW_ARRAYS},
            halves=None if self.halves is None else self.halves[kept],
            targets=tuple(self.targets[i] for i in kept),
        )


_ROW_ARRAYS = ("values", "standard_errors", "base", "output", "completeness")


def completeness_error(total: Array, change: Array, typical: Array | float) -> Array:
    """``|total - change| / max(|change|, 5 % of typical)``, shape (n,): how far each sum is off.

    ``typical`` is a change that is usual for this model, so that a row's error does not depend on the rows beside it.
    """
    # a model that is flat here has no change to relate to; rounding must not read as an error of 100 %
    floor = 1e-6
    return np.asarray(
        np.abs(total - change) / np.maximum(np.abs(change), np.maximum(SMALL_CHANGE * np.asarray(typical), floor))
    )


def typical_change(background_outputs: Array) -> Array:
    """Median distance of the background's outputs (m, ...) from their mean; 0 for a single row."""
    distances = np.abs(background_outputs - background_outputs.mean(axis=0))
    return np.asarray(np.median(distances, axis=0), dtype=np.float64)


def facts_of(found: Explained, numerical: float) -> tuple[tuple[str, Scalar], ...]:
    """How the numbers were made and how good they are, for a reader; ``numerical`` is the error over all rows."""
    off = found.completeness
    return (
        ("explained", found.scalar),
        ("method", found.method),
        ("value function", found.value_function),
        ("rows explained", len(found.output)),
        ("background rows", found.background_n),
        ("model evaluations", found.evaluations),
        ("seed", str(found.seed)),  # a name, not an amount: no separators of thousands
        ("median relative error of the sums", float(np.median(off))),
        ("largest relative error of the sums", float(off.max())),
        (f"rows off by more than {AMBER:.0%}", int((off > AMBER).sum())),
        (f"rows off by more than {RED:.0%}, withheld", int((off > RED).sum())),
        ("numerical error, as a share of all contributions", numerical),
        *((f"columns of {name}", ", ".join(columns)) for name, columns in found.groups.items()),
    )
