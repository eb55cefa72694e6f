"""A run in which every text that may come from data, models or owners is an attack."""

from __future__ import annotations

from datetime import date

from audit.policy import Finding, Verdict, Waiver
from audit.record import AuditRun, DataSummary, MeasureNote, ModelSummary, Record
from audit.results import (
    Contribution,
    Curve,
    Evidence,
    ImageMap,
    Omission,
    Outcome,
    RankedItem,
    Ranking,
    Reason,
    Series,
    Table,
    Waterfall,
)
from tests.reports.evidence import Groups, image_map, measurement
from tests.reports.runs import NOTES, comparison, limit, record, rich

HOSTILE = (
    "<script>alert(1)</script>",
    "![x](https://evil.example/leak.png)",
    "a|b",
    "`x`",
    "@team",
    "%0A::error::owned",
    "\n::error file=x::owned",
    "\x00\x1b[31mred",
    "\u202etxt.exe",
    "\udc80\ud800",
    "x" * 10_000,
    '" onload="alert(1)',
    "]]><!--",
    "{{ 7 * 7 }}{% raw %}",
    "www.evil.example",
    "javascript:alert(1)",
    "url(https://evil.example/a)",
    "&lt;b&gt;",
    "##[error]owned",
)


def hostile(names: tuple[str, ...] = HOSTILE) -> AuditRun:
    """Every text of a run that may come from data, models or owners is one of ``names``."""
    at = -1

    def name() -> str:
        nonlocal at
        at += 1
        return names[at % len(names)]

    groups: list[Groups] = [{name(): n} for n in names]
    column = {"race": None}
    measured = [measurement("selection_rate", 0.5, 0.1, 100, g) for g in groups]
    measured += [measurement("selection_rate", 0.3 + 0.01 * i, 0.1, 100, {"race": n}) for i, n in enumerate(names)]
    finding = Finding(
        limit=limit("selection_rate", by=("race",), compare="difference", max=0.1, why=name(), clause=(name(),)),
        verdict=Verdict.FAIL,
        subject=measurement("selection_rate", 0.3, 0.1, 200, method=name()),
        message=name(),
        remedy=name(),
        comparison=comparison(0.3, 0.1, ({"race": name()}, {"race": name()}), (100, 100)),
        waiver=None,
    )
    waived = Finding(
        limit=limit("accuracy", min=0.9, why=name()),
        verdict=Verdict.FAIL,
        subject=measurement("accuracy", 0.3, 0.1, 200, {name(): name()}),
        message=name(),
        remedy=name(),
        waiver=Waiver(limit="accuracy", reason=name(), owner=name(), expires=date(2027, 1, 1)),
    )
    omitted = tuple(
        Omission(name=n, reason=reason, detail=n, remedy=n, slice=column, n=1)
        for n, reason in zip(names, list(Reason) * len(names), strict=False)
    )
    evidence = _hostile_evidence(names)
    return rich(
        name=names[0],
        purpose=name(),
        exit_reason=name(),
        findings=(finding, waived),
        records=(
            record("fairness.group_rates", Outcome(measurements=tuple(measured), omissions=omitted)),
            record("attribution.x", Outcome(evidence=evidence)),
            _crashed(name(), name(), omitted[0]),
        ),
        model=ModelSummary(
            kind=name(), name=name(), path=name(), sha256="ab" * 32, bytes=1, task="binary", classes=names,
            positive=name(), threshold=None, notes=names[:3],
        ),
        data=(DataSummary(name="test", path=name(), sha256="cd" * 32, rows=3, columns={"features": names}),),
        spec={"name": names[0], "notes": list(names)},
        measures={**NOTES, "selection_rate": MeasureNote(unit="1", better="none", words=name(), check="x")},
        docs={"fairness.group_rates": "\n\n".join(names)},
        notices=names,
    )  # fmt: skip


def _crashed(on: str, traceback: str, omission: Omission) -> Record:
    outcome = Outcome(omissions=(omission,))
    return Record(check="data.x", family="data", on=on, cost="instant", outcome=outcome, traceback=traceback)


def _hostile_evidence(names: tuple[str, ...]) -> tuple[Evidence, ...]:
    curve = Curve(
        name=names[0],
        title=names[0],
        x_label=names[1 % len(names)],
        y_label=names[2 % len(names)],
        series=tuple(Series(label=n, x=(0.0, 1.0), y=(0.0, 1.0)) for n in names[:4]),
        note=names[0],
    )
    ranking = Ranking(
        name=names[0],
        title=names[0],
        unit="1",
        level=0.95,
        method=names[0],
        n=5,
        items=tuple(RankedItem(label=n, value=float(i), lower=i - 0.5, upper=i + 0.5) for i, n in enumerate(names)),
        note=names[0],
    )
    waterfall = Waterfall(
        name=names[0],
        title=names[0],
        unit="1",
        base=0.0,
        output=float(len(names)),
        items=tuple(Contribution(label=n, shown=n, value=1.0) for n in names),
        completeness=0.0,
        method=names[0],
        note=names[0],
    )
    picture = image_map()
    hostile_map = ImageMap(
        name=names[0],
        title=names[0],
        pixels=picture.pixels,
        attributions=picture.attributions,
        method=names[0],
        target=names[0],
        completeness=None,
        note=names[0],
    )
    table = Table(name=names[0], title=names[0], columns=names, rows=(names,), note=names[0])
    return curve, ranking, waterfall, hostile_map, table
