"""What the checks of rankings share: a number for all rows and every group, with its interval over lists or rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from audit.checks._support import Places, Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.rankings import Rankings
from audit.inputs.sampling import Sampling
from audit.results import Basis
from audit.stats import Listed, beside_each_other, clustered_rate, rate, weighted_rate

Vector = NDArray[np.float64]
Codes = NDArray[np.integer]


def by_group(
    sheet: Sheet,
    name: str,
    ranked: Rankings,
    groups: Groups,
    build: Callable[[Places], Listed],
    *,
    whole: bool = True,
) -> None:
    """``build`` makes the number of some of the ranked rows; groups of one set know that they share lists.

    ``whole`` asks for the number of all rows as well.
    """
    sets: dict[tuple[str, ...], list[tuple[Slice, int, Listed]]] = defaultdict(list)
    for group, at in groups.over(ranked.rows):
        if not (group or whole):
            continue
        try:
            sets[tuple(group)].append((group, len(at), build(at)))
        except Unavailable as why:
            sheet.omit(name, why, n=len(at), rows=len(at), slice=group)
    units = int(ranked.unit.max()) + 1
    for members in sets.values():
        bases = beside_each_other([listed for *_, listed in members], units)
        for (group, rows, listed), basis in zip(members, bases, strict=True):
            sheet.add(name, lambda basis=basis: basis, n=listed.n or rows, rows=rows, slice=group)  # type: ignore[misc]


def alone(basis: Basis) -> Listed:
    """A basis whose rows stand alone, so that groups have no list in common."""
    return Listed(basis=basis, units=np.zeros(0, dtype=np.intp), errors=np.zeros(0))


def row_rate(sampling: Sampling, share: Vector, rows: Places) -> Basis:
    """Rate of rows that stand alone, or are weighted or clustered, where a row may be a part of a success."""
    weight, cluster = sampling.drawn(rows)
    if cluster is not None:
        return clustered_rate(share, cluster, weight)
    return rate(float(share.sum()), len(share)) if sampling.weight is None else weighted_rate(share, weight)


def need_relevance(ranked: Rankings) -> Vector:
    if ranked.relevance is None:
        raise Unavailable("missing_input", "no target was named, so no row has relevance", "give target in [data.test]")
    return ranked.relevance
