"""Limits against measurements: a verdict on intervals, formed from bases alone, with no row and no model.

PASS when every displayed two-sided interval lies inside the limit: an intersection-union test, no correction needed.
FAIL when an interval that holds simultaneously over the whole family of limits lies wholly outside.
INCONCLUSIVE otherwise, with the rows that would decide it. What was not measured is never a pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.policy.components import components
from audit.policy.each import judge_each
from audit.policy.gaps import judge_gap
from audit.policy.limits import Finding, Limit, Verdict, demanded
from audit.policy.named import judge_named
from audit.policy.options import Case, Rules
from audit.policy.regression import judge_regression
from audit.policy.unknown import assigned
from audit.results import Measurement, MeasureNote, Omission, Reason, Record, Scalar


@dataclass(frozen=True, slots=True)
class Results:
    """The records, and what they hold by data set, measure and columns: limits of 10,000 groups each ask for theirs."""

    records: Sequence[Record]
    by_columns: Mapping[tuple[str, str, frozenset[str]], tuple[list[Measurement], list[Omission]]]


FAMILY_ERROR = {"fail": 0.05, "warn": 0.10, "record": 0.10}
"""Chance that any limit of a level fails although all are met."""


def judge(limits: Sequence[Limit], records: Sequence[Record], rules: Rules) -> tuple[Finding, ...]:
    """One finding a limit, worst first. A limit of level "record" without a bound yields none."""
    bounded = [limit for limit in limits if limit.min is not None or limit.max is not None or limit.regress is not None]
    notes, results = rules.measures, _sorted(records)
    sizes = {
        level: max(1, sum(1 for x in bounded if x.level == level and _by_chance(x, results, notes)))
        for level in FAMILY_ERROR
    }
    findings = [_judge_one(limit, results, rules, FAMILY_ERROR[limit.level] / sizes[limit.level]) for limit in bounded]
    return tuple(sorted((f for f in findings if not _beside_the_point(f)), key=worst_first))


def _sorted(records: Sequence[Record]) -> Results:
    found: dict[tuple[str, str, frozenset[str]], tuple[list[Measurement], list[Omission]]] = {}
    for record in records:
        for m in record.outcome.measurements:
            if m.compare == "each":
                found.setdefault((record.on, m.name, frozenset(m.slice)), ([], []))[0].append(m)
        for o in record.outcome.omissions:
            found.setdefault((record.on, o.name, frozenset(o.slice)), ([], []))[1].append(o)
    return Results(records, found)


def _by_chance(limit: Limit, results: Results, measures: Mapping[str, MeasureNote]) -> bool:
    """Whether sampling could make this limit fail: a census or an unanswered limit takes no part of the error."""
    asked = components(limit, measures[limit.measure])
    return any(m.interval.kind == "sample" for part in asked for m in matching(part, results)[0])


def _beside_the_point(finding: Finding) -> bool:
    """A pack's limit on another kind of task is no finding about this model."""
    subject = finding.subject
    not_applicable = isinstance(subject, Omission) and subject.reason is Reason.NOT_APPLICABLE
    return not_applicable and not demanded(finding.limit)


def worst_first(finding: Finding) -> tuple[int, int, int, str]:
    """What a pack asks for and the case cannot answer comes after what is open, before the passes."""
    levels = ["fail", "warn", "record"]
    order = {Verdict.FAIL: 0, Verdict.NOT_ASSESSED: 1, Verdict.INCONCLUSIVE: 2, Verdict.PASS: 4}
    place = order[finding.verdict]
    if finding.verdict is Verdict.NOT_ASSESSED and not demanded(finding.limit):
        place = 3
    return place, levels.index(finding.limit.level), 0 if demanded(finding.limit) else 1, finding.id


def _judge_one(limit: Limit, results: Results, rules: Rules, alpha: float) -> Finding:
    note = rules.measures[limit.measure]
    if note.of:
        cases = [_case(part, results, rules, alpha) for part in components(limit, note)]
        missing = [case for case in cases if isinstance(case, Omission)]
        found = [assigned(case) for case in cases if isinstance(case, Case)]
        return not_assessed(limit, missing[0]) if missing else judge_named(limit, note, found)
    case = _case(limit, results, rules, alpha)
    if isinstance(case, Omission):
        return not_assessed(limit, case)
    if limit.regress is None:
        return _judge_bounds(case)
    if limit.min is None and limit.max is None:
        return judge_regression(case)
    half = replace(case, alpha=alpha / 2)  # two questions share the limit's part of the family's error
    return _worse(_judge_bounds(half), judge_regression(half))


def _case(limit: Limit, results: Results, rules: Rules, alpha: float) -> Case | Omission:
    """All that judging the limit takes, or why there is nothing to judge."""
    found, omitted = matching(limit, results)
    if not found:
        return _why_missing(limit, omitted, results.records, rules)
    whole, _ = matching(replace(limit, by=()), results)
    note = rules.measures[limit.measure]
    overall = whole[0] if whole else None
    return Case(limit=limit, found=found, omitted=omitted, overall=overall, note=note, rules=rules, alpha=alpha)


def _judge_bounds(case: Case) -> Finding:
    case = assigned(case)
    return judge_each(case) if case.limit.compare == "each" else judge_gap(case)


def _worse(bounds: Finding, regression: Finding) -> Finding:
    """A limit with a bound and an allowed worsening is met when both are: the worse of the two speaks."""
    order = (Verdict.FAIL, Verdict.NOT_ASSESSED, Verdict.INCONCLUSIVE, Verdict.PASS)
    return min(bounds, regression, key=lambda finding: order.index(finding.verdict))


def matching(limit: Limit, results: Results) -> tuple[list[Measurement], list[Omission]]:
    """The measurements that a limit is about, and the omissions that stand where one should be."""
    found, omitted = results.by_columns.get((limit.on, limit.measure, frozenset(limit.by)), ((), ()))
    params = dict(limit.params)
    return [m for m in found if dict(m.params) == params], [o for o in omitted if dict(o.params) == params]


def not_assessed(limit: Limit, omission: Omission) -> Finding:
    return Finding(
        limit=limit,
        verdict=Verdict.NOT_ASSESSED,
        subject=omission,
        message=omission.detail,
        remedy=omission.remedy,
        assessed=0,
        comparisons=0,
        rows_assessed=0.0,
    )


def _why_missing(limit: Limit, omitted: Sequence[Omission], records: Iterable[Record], rules: Rules) -> Omission:
    if omitted:
        return omitted[0]
    check = rules.measures[limit.measure].check
    of_check = [record for record in records if record.check == check and record.on == limit.on]
    whole = [o for record in of_check for o in record.outcome.omissions if o.name == ""]
    if whole:
        return replace(whole[0], name=limit.measure, params=limit.params)
    by = f" by {' and '.join(limit.by)}" if limit.by else ""
    detail, remedy = f'"{limit.measure}"{by} was not measured on {limit.on}', rules.unmeasured
    if others := _other_params(limit, of_check):
        detail = f"{detail} for {_table(limit.params)}, only for {' and '.join(others)}"
        remedy = f"give the limit params = {others[0]}"
    return Omission(name=limit.measure, reason=Reason.MISSING_INPUT, detail=detail, remedy=remedy, params=limit.params)


def _other_params(limit: Limit, records: Sequence[Record]) -> list[str]:
    """The params that this measure was measured with, where only they keep the limit from its answer."""
    found = (m for record in records for m in record.outcome.measurements if m.compare == "each")
    here = [m for m in found if m.name == limit.measure and set(m.slice) == set(limit.by)]
    return list(dict.fromkeys(_table(m.params) for m in here))


def _table(params: Mapping[str, Scalar]) -> str:
    """As audit.toml writes them."""
    words = ", ".join(f"{name} = {json.dumps(value)}" for name, value in params.items())
    return f"{{ {words} }}" if words else "no params"
