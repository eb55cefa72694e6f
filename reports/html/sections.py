"""The sections of the page: which measurements and which evidence stand where, as plain text and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from audit import wording
from audit.record import AuditRun, Record
from audit.results import Measurement, Omission, Reason
from reports import estimates, paired, selection
from reports.grids import Grid, judged, left_out, limit_lines, named, on_words, overall, title
from reports.grids import grids as all_grids
from reports.html import figures
from reports.html.figures import Anchors, Figure, TableView

MAX_GROUP_CHARTS = 18
MIN_GROUP_CHARTS = 6  # drawn even if nobody judged them
MAX_FIGURES = 6  # of one section before the rest is folded
MAX_PLAIN_ROWS = 3  # of one measure with different parameters before they are folded
MAX_OMISSIONS = 40  # of one reason; more are counted

_PERFORMANCE = ("performance", "calibration", "overfitting", "robustness")
_RELIANCE = ("attribution", "shortcuts")
_ENERGY = ("energy", "efficiency")
_DATA = ("data", "leakage", "drift", "proxies")
_FAIRNESS = "fairness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A row of a table of measurements: never a value without what belongs beside it."""

    measure: str
    who: str
    value: str
    uncertainty: str
    better: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the page; the template shows what is there."""

    id: str
    title: str
    short: str  # in the list of sections
    lead: str
    measured: tuple[Measured, ...] = ()
    listed: tuple[tuple[str, tuple[Measured, ...]], ...] = ()  # one measure for many parameters, folded
    figures: tuple[Figure, ...] = ()
    more_figures: tuple[Figure, ...] = ()
    examples: tuple[Figure, ...] = ()
    maps: tuple[Figure, ...] = ()
    tables: tuple[TableView, ...] = ()
    omitted: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (
            self.measured or self.listed or self.figures or self.examples or self.maps or self.tables or self.omitted
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBlock:
    """The charts of one set of columns, and the measures that are only listed."""

    title: str
    figures: tuple[Figure, ...]
    tables: tuple[TableView, ...]
    omitted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OmissionRow:
    what: str
    who: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OmissionBlock:
    reason: str
    rows: tuple[OmissionRow, ...]
    group_rows: tuple[OmissionRow, ...]  # about single groups
    left_out: int


def of_families(run: AuditRun, anchors: Anchors) -> tuple[Section, ...]:
    """Performance, baseline, reliance, energy, data and whatever else was measured, in this order."""
    plans = (
        (
            "performance",
            "Performance and calibration",
            "Performance",
            "How good the model is on this data as a whole.",
            _PERFORMANCE,
        ),
        (
            _FAIRNESS,
            "Between groups, in full",
            "Between groups",
            "What is said of all groups together: what could be said of each, what wrong labels or other thresholds "
            "would change, and single indices. The groups themselves stand above.",
            (_FAIRNESS,),
        ),
        (
            "baseline",
            "Against the model now in use",
            "Baseline",
            "Model and baseline answered the same rows, so that only rows answered otherwise count.",
            (paired.FAMILY,),
        ),
        (
            "reliance",
            "What the model relies on",
            "Reliance",
            "What moves the model's output. None of it shows why the world is as it is, nor what causes what.",
            _RELIANCE,
        ),
        (
            "energy",
            "Training energy",
            "Energy",
            "What training this model used. Ranges follow from assumptions that are stated beside them.",
            _ENERGY,
        ),
        ("data", "The data", "Data", "What was audited: a fault here is a fault of every number above.", _DATA),
    )
    known = {family for *_, families in plans for family in families}
    others = tuple(dict.fromkeys(record.family for record in run.records if record.family not in known))
    more = ("further", "Further results", "Further", "Results of checks that belong to no section above.", others)
    for _, heading, *_ in (*plans, more):
        anchors.title(heading)  # taken: no table is called like a section
    return tuple(_section(run, anchors, *plan) for plan in (*plans, more))


def _section(
    run: AuditRun, anchors: Anchors, key: str, title: str, short: str, lead: str, families: tuple[str, ...]
) -> Section:
    records = [record for record in run.records if record.family in families]
    shown = [figures.of_evidence(item, r.check, anchors) for r in records for item in r.outcome.evidence]
    drawn = [f for f in shown if isinstance(f, Figure) and not (f.scale or f.example)]
    drawn = [*(_estimates(run, records, anchors) if key == "energy" else ()), *drawn]
    drawn = [*(_changes(run, anchors) if key == "baseline" else ()), *drawn]
    drawn_above = {grid.name for grid in all_grids(run)} if key == _FAIRNESS else set()
    whole = [(r, m) for r in records for m in r.outcome.measurements if not m.slice and m.name not in drawn_above]
    plain, listed = _split(run, whole)
    return Section(
        id=key,
        title=title,
        short=short,
        lead=lead,
        measured=plain,
        listed=tuple((anchors.title(name), rows) for name, rows in listed),
        figures=tuple(drawn[:MAX_FIGURES]),
        more_figures=tuple(drawn[MAX_FIGURES:]),
        examples=tuple(f for f in shown if isinstance(f, Figure) and f.example),
        maps=tuple(f for f in shown if isinstance(f, Figure) and f.scale),
        tables=tuple(t for t in shown if isinstance(t, TableView)),
        # few audits have a baseline, and what is missing of a group is said beside it
        omitted=_missing_here(run, records) if key != _FAIRNESS and (plain or key != "baseline") else (),
    )


def _split(
    run: AuditRun, rows: Sequence[tuple[Record, Measurement]]
) -> tuple[tuple[Measured, ...], tuple[tuple[str, tuple[Measured, ...]], ...]]:
    """Measures that stand for themselves, and those that stand once for each of many columns or classes."""
    named: dict[str, list[Measured]] = {}
    plain: list[Measured] = []
    for record, m in rows:
        same = sum(other.name == m.name and bool(other.params) for _, other in rows)
        if m.params and same > MAX_PLAIN_ROWS:
            named.setdefault(wording.sentence(selection.measure_words(run, m.name)), []).append(
                _measured(run, record, m)
            )
        else:
            plain.append(_measured(run, record, m))
    return tuple(plain), tuple((title, tuple(members)) for title, members in named.items())


def _missing_here(run: AuditRun, records: Iterable[Record]) -> tuple[str, ...]:
    """What this section lacks, at most eight of them; a question that does not apply is no lack."""
    rows = (o for r in records for o in r.outcome.omissions if not o.slice)
    lacking = (o for o in rows if o.reason is not Reason.NOT_APPLICABLE)
    return tuple(dict.fromkeys(_omitted(run, o) for o in lacking))[:8]


def _measured(run: AuditRun, record: Record, m: Measurement) -> Measured:
    note = selection.note_of(run, m.name)
    return Measured(
        measure=wording.sentence(selection.measure_words(run, m.name, m.compare, m.params)),
        who=on_words(record) if not m.slice else wording.slice_words(m.slice),
        value=wording.value(m),
        uncertainty=wording.uncertainty(m),
        better="" if note.better == "none" else wording.BETTER.get(note.better, ""),
    )


def _omitted(run: AuditRun, o: Omission) -> str:
    what = f"{wording.sentence(selection.measure_words(run, o.name))}: " if o.name else ""
    detail = wording.text(o.detail).removesuffix(".")
    return f"{what}{detail if what else wording.sentence(detail)}. {wording.sentence(wording.text(o.remedy))}"


def _estimates(run: AuditRun, records: Iterable[Record], anchors: Anchors) -> tuple[Figure, ...]:
    return tuple(
        figures.of_estimates(rows, anchors.title(title), anchors.new("figure", "energy", unit))
        for (unit, title), rows in estimates.charted(run, records).items()
    )


def _changes(run: AuditRun, anchors: Anchors) -> tuple[Figure, ...]:
    found = paired.changes(run)
    return (figures.of_changes(found, anchors.new("figure", "baseline", "changes")),) if found else ()


# Groups --------------------------------------------------------------------------------------------------------------


def of_groups(run: AuditRun, anchors: Anchors) -> tuple[GroupBlock, ...]:
    """A block for each set of columns: judged measures first, drawn while there is room, the rest as tables."""
    grids = sorted(all_grids(run), key=lambda grid: (not judged(run, grid), len(grid.columns)))
    room = min(MAX_GROUP_CHARTS, max(MIN_GROUP_CHARTS, sum(bool(judged(run, grid)) for grid in grids)))
    drawn = {id(grid) for grid in grids[:room]}
    columns = dict.fromkeys(grid.columns for grid in sorted(all_grids(run), key=lambda grid: len(grid.columns)))
    blocks = []
    for key in columns:
        own = [grid for grid in grids if grid.columns == key]
        blocks.append(
            GroupBlock(
                title=" × ".join(wording.label(column) for column in key),
                figures=tuple(_group_figure(run, g, anchors) for g in own if id(g) in drawn),
                tables=tuple(_group_table(run, g, anchors) for g in own if id(g) not in drawn),
                omitted=left_out(run, key),
            )
        )
    return tuple(blocks)


def _group_figure(run: AuditRun, grid: Grid, anchors: Anchors) -> Figure:
    figure = figures.of_groups(
        grid.cells,
        limit_lines(run, grid),
        title(run, grid),
        anchors.new("group", *grid.columns, grid.name),
        overall=overall(run, grid),
        better=selection.note_of(run, grid.name).better,
        judged=judged(run, grid),
        named=named(run, grid),
    )
    return replace(figure, named=_named(run, grid, anchors))


def _named(run: AuditRun, grid: Grid, anchors: Anchors) -> str:
    """``True positive rate, by race``: a measure stands once for each set of columns, a name once on a page."""
    columns = " and ".join(wording.label(column) for column in grid.columns)
    return anchors.title(f"{wording.sentence(title(run, grid))}, by {columns}")


def _group_table(run: AuditRun, grid: Grid, anchors: Anchors) -> TableView:
    shown = sorted(grid.cells, key=lambda m: -m.value)[: figures.MAX_TABLE_ROWS]
    return TableView(
        id=anchors.new("group", *grid.columns, grid.name),
        title=wording.sentence(title(run, grid)),
        columns=("group", "measured"),
        rows=tuple((wording.group_words(m.slice), wording.measurement(m)) for m in shown),
        numeric=(False, True),
        left_out=len(grid.cells) - len(shown),
        named=_named(run, grid, anchors),
    )


# What was not measured -----------------------------------------------------------------------------------------------


def of_omissions(run: AuditRun) -> tuple[OmissionBlock, ...]:
    """All omissions by reason, the same fault said once however many measures it struck."""
    blocks = []
    for reason, rows in selection.omissions_by_reason(run):
        views = tuple(dict.fromkeys(_merged(run, rows)))
        kept = views[:MAX_OMISSIONS]
        about_all = tuple(row for row in kept if row.who == wording.ALL_ROWS)
        about_groups = tuple(row for row in kept if row.who != wording.ALL_ROWS)
        left = len(views) - len(kept)
        blocks.append(OmissionBlock(reason=reason, rows=about_all, group_rows=about_groups, left_out=left))
    return tuple(blocks)


def _merged(run: AuditRun, rows: Sequence[tuple[str, Omission]]) -> Iterable[OmissionRow]:
    """One row for the measures of a check that share a detail, a remedy and a slice."""
    names: dict[tuple[str, str, str, str], list[str]] = {}
    for check, o in rows:
        key = (check, wording.slice_words(o.slice), wording.text(o.detail), wording.text(o.remedy))
        names.setdefault(key, []).append(selection.measure_words(run, o.name, params=o.params) if o.name else "")
    for (check, who, detail, remedy), measures in names.items():
        named = [name for name in dict.fromkeys(measures) if name]
        what = wording.listed(named) if len(named) <= 3 else f"{wording.listed(named[:2])} and {len(named) - 2} more"
        yield OmissionRow(
            what=wording.sentence(what or f"check {wording.label(check)}"),
            who=who,
            detail=wording.sentence(detail),
            remedy=wording.sentence(remedy),
        )
