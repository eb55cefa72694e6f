"""What checks share: every number becomes a measurement or, where it has none, an omission that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.results import Basis, Curve, Evidence, Measurement, Omission, Outcome, Reason, Scalar, Series
from audit.stats import Asked, measured_together, rate

MOST_LINES = 6  # of one chart: more cannot be told apart
MOST_POINTS = 100  # of one line

Places = NDArray[np.intp]
Params = Mapping[str, Scalar]

_ALL: Slice = MappingProxyType({})
_NONE: Params = MappingProxyType({})


@dataclass(kw_only=True)
class Sheet:
    """Collects the numbers of one check. ``measures`` is its MEASURES, where each unit is said."""

    measures: Mapping[str, Mapping[str, object]]
    level: float
    omissions: list[Omission] = field(default_factory=list)
    _made: list[Measurement] = field(default_factory=list, init=False)
    _asked: list[Asked] = field(default_factory=list, init=False)

    @property
    def measurements(self) -> list[Measurement]:
        """All so far. Their intervals are made together, when they are first looked at."""
        self._made += measured_together(self._asked, self.level)
        self._asked.clear()
        return self._made

    def add(
        self,
        name: str,
        build: Callable[[], Basis],
        *,
        n: int,
        rows: int | None = None,
        slice: Slice = _ALL,
        params: Params = _NONE,
        columns: tuple[str, ...] = (),
        unit: str = "",
    ) -> None:
        """A measurement of ``build()``; an omission when that raises Unavailable.

        ``n`` is the denominator, ``rows`` the rows that there are in all (default: n), ``unit`` that of what is
        explained, for the measures in it.
        """
        try:
            basis = build()
        except Unavailable as why:
            self.omit(name, why, n=n, rows=n if rows is None else rows, slice=slice, params=params)
            return
        unit = unit or str(self.measures[name]["unit"])
        self._asked.append(Asked(name=name, basis=basis, n=n, unit=unit, slice=slice, params=params, columns=columns))

    def omit(
        self, name: str, why: Unavailable, *, n: int, rows: int, slice: Slice = _ALL, params: Params = _NONE
    ) -> None:
        """An omission that names the group, what it is about and the rows that there are."""
        about = f", {wording.params_words(params)}" if params else ""
        detail = f"{wording.slice_words(slice)}{about} ({wording.count(rows, 'row')}): {why.detail}"
        self.omissions.append(
            Omission(
                name=name, reason=Reason(why.reason), detail=detail, remedy=why.remedy, slice=slice, params=params, n=n
            )
        )

    def outcome(self, *evidence: Evidence) -> Outcome:
        return Outcome(measurements=tuple(self.measurements), omissions=tuple(self.omissions), evidence=evidence)


def share(k: float, n: float, of: str) -> Basis:
    """The rate k/n among the rows that are ``of`` ("labelled positive"). Raises Unavailable where there are none."""
    if n == 0:
        raise Unavailable("undefined", f"no row is {of}", f"give rows of this group that are {of}")
    return rate(float(k), float(n))


def curves(template: Curve, groups: Groups, rows: Places, draw: Callable[[str, Places], Series | None]) -> list[Curve]:
    """The chart over all rows, and one for each sensitive column with its largest groups.

    ``draw`` makes the line of a label from places within ``rows``, or None where there is none to draw.
    """
    drawn = []
    for column, members in _lines(groups, rows):
        series = tuple(line for label, at in members if (line := draw(label, at)) is not None)
        suffix = f" by {column}" if column else ""
        if series:
            drawn.append(
                replace(
                    template, name=template.name + suffix, title=wording.text(template.title + suffix), series=series
                )
            )
    return drawn


def _lines(groups: Groups, rows: Places) -> Iterator[tuple[str, list[tuple[str, Places]]]]:
    yield "", [(wording.ALL_ROWS, np.arange(len(rows)))]
    for group_set in groups.sets:
        if len(group_set.columns) > 1:
            continue
        codes = group_set.codes[rows]
        sizes = np.bincount(codes, minlength=len(group_set.levels))
        largest = sorted(np.argsort(-sizes, kind="stable")[:MOST_LINES].tolist())
        members = [(wording.group_words(group_set.levels[i]), np.flatnonzero(codes == i)) for i in largest]
        yield group_set.columns[0], members


def line(label: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> Series:
    """A line of at most 100 points; its ends are kept."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).round().astype(int))
    return Series(label=label, x=tuple(x[kept].tolist()), y=tuple(y[kept].tolist()))
