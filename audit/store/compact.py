"""What result.json keeps of very many groups: what is overall, judged or worst. The rest is in groups.parquet."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from audit.counting import count
from audit.record import AuditRun
from audit.results import Measurement, Omission, Outcome, Record

MOST_GROUPS = 2_000
"""Group measurements up to which everything is kept."""
Family = tuple[str, tuple[str, ...]]
MOST_OF_A_KIND = 20
MOST_OMISSIONS = 200


def compact(run: AuditRun) -> AuditRun:
    """``run`` itself, or, with very many groups, without the group measurements that nothing was judged on."""
    total = sum(bool(m.slice) for _, m in run.measurements()) + sum(bool(o.slice) for _, o in run.omissions())
    if total <= MOST_GROUPS:
        return run
    notes = run.measures
    judged = {
        (measure, frozenset(f.limit.by))
        for f in run.findings
        for measure in (f.limit.measure, *(notes[f.limit.measure].of if f.limit.measure in notes else ()))
    }
    return replace(run, records=tuple(_smaller(record, judged, run) for record in run.records))


def _smaller(record: Record, judged: set[tuple[str, frozenset[str]]], run: AuditRun) -> Record:
    """Groups of one measure stand together, so that their places are few numbers; their order is as it was."""
    outcome = record.outcome
    ranked = _extremes(outcome, run)
    kept = [m for m in outcome.measurements if not m.slice or (m.name, frozenset(m.slice)) in judged or id(m) in ranked]
    families = {family: at for at, family in enumerate(dict.fromkeys(map(_family, kept)))}
    kept.sort(key=lambda m: families[_family(m)])
    omitted = [o for o in outcome.omissions if not o.slice]
    of_groups = [o for o in outcome.omissions if o.slice]
    if len(of_groups) > MOST_OMISSIONS:
        omitted.append(_summary(of_groups[MOST_OMISSIONS:]))
    omissions = (*omitted, *of_groups[:MOST_OMISSIONS])
    return replace(record, outcome=replace(outcome, measurements=tuple(kept), omissions=omissions))


def _family(m: Measurement) -> Family:
    return m.name, tuple(m.slice)


def _extremes(outcome: Outcome, run: AuditRun) -> set[int]:
    """The lowest and the highest groups of each measure and set of columns."""
    families: dict[Family, list[Measurement]] = defaultdict(list)
    for m in outcome.measurements:
        if m.slice:
            families[_family(m)].append(m)
    kept: set[int] = set()
    for family in families.values():
        ordered = sorted(family, key=lambda m: (m.value, str(m.slice)))
        kept |= {id(m) for m in (*ordered[:MOST_OF_A_KIND], *ordered[-MOST_OF_A_KIND:])}
    return kept


def _summary(omissions: list[Omission]) -> Omission:
    first = omissions[0]
    return replace(
        first,
        slice={},
        detail=f"{count(len(omissions), 'more group')} not measured, such as {dict(first.slice)}: {first.detail}",
        n=sum(o.n for o in omissions),
    )
