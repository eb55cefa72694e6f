"""What may be shown of one or two people: nothing that would tell of each of them.

Where [evidence] rows is "none", everything that people read (reports, summaries, the screen, the dashboard) is made of
``shown(run)``: numbers, tables, lines and comparisons about fewer than three people are replaced by an omission
"suppressed". The verdicts stand: limits are judged on every group, and result.json and evidence/groups.parquet keep all
numbers, so that a verdict can be checked and judged again. Both are for those who may see the rows. What is shown of
the other groups and of all rows may tell a suppressed number by subtraction: name coarser groups where that matters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from audit import wording
from audit.counting import count
from audit.policy import Comparison, Finding
from audit.record import AuditRun, Record
from audit.results import Curve, Evidence, Measurement, Omission, Outcome, Reason, Table

FEWEST_SHOWN = 3
DETAIL = "it is about one or two people"
REMEDY = "name coarser groups or bins; result.json holds the numbers, for those who may see the rows"
SUPPRESSED = "suppressed"

Group = tuple[str, frozenset[tuple[str, str | None]]]
"""The data set, and the group's columns with their values."""


def shown(run: AuditRun) -> AuditRun:
    """The run without what tells of one or two people, unless [evidence] rows allows single rows to be shown."""
    if not hides(run):
        return run
    few = _small_groups(run)
    return replace(
        run,
        findings=tuple(_finding(run, finding, few) for finding in run.findings),
        records=tuple(_record(record, few) for record in run.records),
    )


def hides(run: AuditRun) -> bool:
    """Whether the audit keeps single rows to itself, as it does unless it was told otherwise."""
    evidence = run.spec.get("evidence")
    return not isinstance(evidence, Mapping) or evidence.get("rows", "none") == "none"


def too_few(n: int) -> bool:
    """Whether so many are one or two people; none at all tells of nobody."""
    return 0 < n < FEWEST_SHOWN


def _small_groups(run: AuditRun) -> frozenset[Group]:
    """Groups of one or two rows: no number about them has more, nor has what could not be measured."""
    most: dict[Group, int] = defaultdict(int)
    for record, m in run.measurements():
        if m.slice:
            group = _group(record.on, m.slice)
            # The number of rows of a group is itself a measurement, over all rows.
            most[group] = max(most[group], round(m.value) if m.unit == "rows" else m.n)
    for record, o in run.omissions():
        if o.slice:
            group = _group(record.on, o.slice)
            most[group] = max(most[group], o.n)
    return frozenset(group for group, n in most.items() if too_few(n))


def _group(on: str, slice_: Mapping[str, str | None]) -> Group:
    return on, frozenset(slice_.items())


def _record(record: Record, few: frozenset[Group]) -> Record:
    outcome = record.outcome
    kept: list[Measurement] = []
    told: list[Omission] = []
    for m in outcome.measurements:
        if m.slice and (too_few(m.n) or _group(record.on, m.slice) in few):
            told.append(_omission(m))
        else:
            kept.append(m)
    told += [_omission(o) if o.slice and _group(record.on, o.slice) in few else o for o in outcome.omissions]
    names = {wording.group_words(dict(group)) for on, group in few if on == record.on}
    evidence = tuple(_evidence(item, names) for item in outcome.evidence)
    return replace(record, outcome=Outcome(measurements=tuple(kept), omissions=tuple(told), evidence=evidence))


def _omission(of: Measurement | Omission) -> Omission:
    return Omission(
        name=of.name, reason=Reason.SUPPRESSED, detail=DETAIL, remedy=REMEDY, slice=of.slice, params=of.params
    )


def _evidence(item: Evidence, few: set[str]) -> Evidence:
    """A table without the lines, a chart without the curves of one or two people."""
    if isinstance(item, Table):
        return table(item)
    if isinstance(item, Curve):
        return replace(item, series=tuple(line for line in item.series if line.label not in few))
    return item


def table(item: Table) -> Table:
    """The table, with only the first cell of every line of which some count of ``people`` is one or two."""
    places = [item.columns.index(name) for name in item.people]
    hidden = [any(isinstance(n := row[at], int) and too_few(n) for at in places) for row in item.rows]
    if not any(hidden):
        return item
    blank = tuple(SUPPRESSED if at == min(places) else None for at in range(1, len(item.columns)))
    rows = tuple((row[0], *blank) if gone else row for row, gone in zip(item.rows, hidden, strict=True))
    said = f"{count(sum(hidden), 'line')} about one or two people suppressed."
    return replace(item, rows=rows, note=f"{item.note} {said}".strip())


def _finding(run: AuditRun, finding: Finding, few: frozenset[Group]) -> Finding:
    blocking, listed = (
        tuple(c for c in some if not _tells(c, finding, few)) for some in (finding.blocking, finding.listed)
    )
    gone = len(finding.blocking) - len(blocking) + len(finding.listed) - len(listed)
    found = replace(finding, blocking=blocking, listed=listed)
    if _decided_by_few(finding, few):
        found = replace(
            found,
            subject=replace(_omission(finding.subject), slice={}),
            message=f"{_what(run, finding)}: what decided is about one or two people and is not shown",
            remedy="get more rows of the smallest groups, or name coarser ones",
            comparison=None,
            needed_n=None,
        )
    if not gone:
        return found
    return replace(found, remedy=f"{found.remedy}; {count(gone, 'comparison')} with one or two people not shown")


def _what(run: AuditRun, finding: Finding) -> str:
    limit, note = finding.limit, run.measures.get(finding.limit.measure)
    kind = {"difference": ", gap", "ratio": ", ratio"}.get(limit.compare, "")
    return (
        f"{wording.measure_words(limit.measure, note.words if note else '', limit.params)}{kind} by "
        + wording.listed(wording.label(column) for column in limit.by)
    )


def _tells(c: Comparison, finding: Finding, few: frozenset[Group]) -> bool:
    return any(map(too_few, c.n)) or any(_group(finding.limit.on, group) in few for group in c.groups if group)


def _decided_by_few(finding: Finding, few: frozenset[Group]) -> bool:
    if finding.comparison is not None:
        return _tells(finding.comparison, finding, few)
    subject = finding.subject
    alone = bool(subject.slice) and _group(finding.limit.on, subject.slice) in few
    return alone or (isinstance(subject, Measurement) and bool(subject.slice) and too_few(subject.n))
