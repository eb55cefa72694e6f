"""What changed between two runs: measure by measure, finding by finding, feature by feature."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from audit import wording
from audit.record import AuditRun, Record
from audit.results import Basis, Interval, Measurement, RankedItem, Ranking
from audit.stats import difference
from audit.stats.bases import METHODS, evaluate
from reports import grids, selection
from reports.charts.ranking import ranked

_BETTER = {"higher": ("better", "worse"), "lower": ("worse", "better")}  # for a rise, for a fall


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One measurement that both runs hold. ``interval`` is of after minus before; None where no basis allows one."""

    measure: str
    who: str
    before: Measurement
    after: Measurement
    interval: Interval | None
    reading: str  # "better", "worse", "higher", "lower", "no change shown", "unknown"

    @property
    def value(self) -> float:
        return self.after.value - self.before.value

    @property
    def shown(self) -> bool:
        return self.reading not in {"no change shown", "unknown"}

    @property
    def sampled(self) -> bool:
        """Whether the interval leaves something open; counts and times of two runs just differ."""
        return self.interval is not None and self.interval.kind != "exact"

    @property
    def size(self) -> float:
        """Change in half widths of its interval: how much of it the data can tell."""
        half = self.interval.half_width if self.interval is not None else 0.0
        return abs(self.value) / half if half > 0 else float(self.value != 0) * 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A finding that reads differently in the two runs; None where one of them does not hold it."""

    id: str
    measure: str
    before: wording.StatusWords | None
    after: wording.StatusWords | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One ranking in both runs: label, rank and value before, rank and value after; a missing one is empty."""

    title: str
    what: str  # that is ranked, "column"
    rows: tuple[tuple[str, str, str, str, str], ...]
    top: int
    common: int  # of the first ``top``


def changes(before: AuditRun, after: AuditRun, level: float) -> tuple[Change, ...]:
    """Every measurement of both runs: what was sampled first, without parameters first, the clearest change first.

    The interval of a difference takes the runs as independent; over the same rows it is wider than it need be.
    """
    old = {_key(record, m): m for record, m in before.measurements()}
    pairs = [(record, old[_key(record, m)], m) for record, m in after.measurements() if _key(record, m) in old]
    intervals = _intervals([(a, b) for _, a, b in pairs], level)
    found = [_change(after, *pair, interval) for pair, interval in zip(pairs, intervals, strict=True)]
    return tuple(
        sorted(found, key=lambda c: (not c.sampled, bool(c.after.params), not c.shown, -c.size, c.measure, c.who))
    )


def _key(record: Record, m: Measurement) -> tuple[object, ...]:
    params = tuple(sorted(m.params.items()))
    return record.check, record.on, m.name, params, m.compare, m.unit, frozenset(m.slice.items())


def _intervals(pairs: Sequence[tuple[Measurement, Measurement]], level: float) -> list[Interval | None]:
    """All differences at once: one by one, a grid of groups would take seconds."""
    at = [i for i, (a, b) in enumerate(pairs) if _known(a.basis) and _known(b.basis)]
    result: list[Interval | None] = [None] * len(pairs)
    if not at:
        return result
    found = evaluate([difference(pairs[i][1].basis, pairs[i][0].basis) for i in at], (1 - level) / 2)
    for place, i in enumerate(at):
        kinds = {m.interval.kind for m in pairs[i]}
        lower, upper = float(found.lower[place]), float(found.upper[place])
        if not (isfinite(lower) and isfinite(upper)):
            continue
        result[i] = Interval(
            lower=min(lower, upper),
            upper=max(lower, upper),
            level=level,
            method="difference of two runs",
            kind="range" if "range" in kinds else "exact" if kinds == {"exact"} else "sample",
        )
    return result


def _known(basis: Basis) -> bool:
    """Whether this version still has the method; an old run may hold one that has gone."""
    return basis.method in METHODS and all(_known(part) for part in basis.parts)


def _change(run: AuditRun, record: Record, before: Measurement, after: Measurement, found: Interval | None) -> Change:
    words = selection.measure_words(run, after.name, after.compare, after.params)
    on = grids.on_words(record)
    return Change(
        measure=wording.sentence(f"{words}, {on}" if on else words),
        who=wording.slice_words(after.slice),
        before=before,
        after=after,
        interval=found,
        reading=_reading(found, selection.note_of(run, after.name).better),
    )


def _reading(found: Interval | None, better: str) -> str:
    if found is None:
        return "unknown"
    if found.lower <= 0 <= found.upper:
        return "no change shown"
    up, down = _BETTER.get(better, ("higher", "lower"))
    return up if found.lower > 0 else down


def turned(before: AuditRun, after: AuditRun) -> tuple[Turned, ...]:
    """Findings that read differently, those of the later run first and worst first."""
    old = {finding.id: finding for finding in before.findings}
    new = {finding.id: finding for finding in selection.ordered(after)}
    result = []
    for key in dict.fromkeys([*new, *old]):
        was, now = (selection.status(f) if f is not None else None for f in (old.get(key), new.get(key)))
        if was != now:
            finding, run = (new[key], after) if key in new else (old[key], before)
            limit = finding.limit
            measure = selection.measure_words(run, limit.measure, limit.compare, limit.params)
            result.append(Turned(id=key, measure=wording.sentence(measure), before=was, after=now))
    return tuple(result)


def drifts(before: AuditRun, after: AuditRun, top: int = 5) -> tuple[Drift, ...]:
    """Every ranking that both runs hold under one name and unit, in the order of the later one."""
    old = dict(_rankings(before))
    return tuple(_drift(old[key], new, top) for key, new in _rankings(after) if key in old)


def _rankings(run: AuditRun) -> Iterable[tuple[tuple[str, str, str], Ranking]]:
    for record, item in run.evidence():
        if isinstance(item, Ranking):
            yield (record.check, item.name, item.unit), item


def _drift(before: Ranking, after: Ranking, top: int) -> Drift:
    old, new = _ranks(before), _ranks(after)
    first = [{label for label, (rank, _) in ranks.items() if rank <= top} for ranks in (old, new)]
    missing = (0, "")
    rows = [(label, *_shown(old.get(label, missing)), *_shown(new.get(label, missing))) for label in (new | old)]
    title, what = wording.label(after.title, 120), wording.label(after.what)
    return Drift(title=title, what=what, rows=tuple(rows), top=top, common=len(first[0] & first[1]))


def _ranks(ranking: Ranking) -> dict[str, tuple[int, str]]:
    """Rank and value in words, by label."""
    return {item.label: (rank, _value(ranking, item)) for rank, item in enumerate(ranked(ranking), 1)}


def _value(ranking: Ranking, item: RankedItem) -> str:
    half = (item.upper - item.lower) / 2
    span = wording.span(item.lower, item.upper, ranking.unit, item.value)
    return f"{wording.number(item.value, ranking.unit, half)} ({wording.level(ranking.level)} {span})"


def _shown(place: tuple[int, str]) -> tuple[str, str]:
    rank, value = place
    return (f"{rank}" if rank else "not ranked"), value
