"""A bound on the value itself: overall, or of every group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scipy.special import ndtr

from audit import wording
from audit.policy.limits import MOST_LISTED, Comparison, Finding, Verdict
from audit.policy.options import Case, excess, inside, key_of, nearest_bound, outside, share_of_rows
from audit.policy.unknown import leeway, told, widened
from audit.results import Interval, Measurement
from audit.stats import interval, mcnemar, rows_for_bound, simultaneous_z, smallest_distance
from audit.stats.bases import evaluate, rows, scaled


def judge_each(case: Case) -> Finding:
    """PASS when every powered interval lies inside, FAIL when a simultaneous one lies outside."""
    level = max(case.rules.confidence, _level(simultaneous_z(len(case.found), case.alpha)))
    pairs = list(zip(case.found, _comparisons(case, level), strict=True))
    pairs.sort(key=lambda pair: -excess(case.limit, pair[1].value))
    failed = [p for p in pairs if outside(case.limit, p[1].family_lower, p[1].family_upper)]
    open_ = [p for p in pairs if not inside(case.limit, p[1].lower, p[1].upper) and (case.blocks or p[1].powered)]
    blocked_by_gaps = case.blocks and bool(case.omitted)
    all_inside = all(inside(case.limit, c.lower, c.upper) for _, c in pairs)
    nothing_seen = not (all_inside or any(c.powered for _, c in pairs))
    if failed:
        verdict, shown = Verdict.FAIL, failed
    elif open_ or blocked_by_gaps or nothing_seen:
        verdict, shown = Verdict.INCONCLUSIVE, open_ or pairs
    else:
        verdict, shown = Verdict.PASS, [p for p in pairs if inside(case.limit, p[1].lower, p[1].upper)]
    return _finding(case, verdict, shown, pairs)


def _comparisons(case: Case, level: float) -> list[Comparison]:
    """One a group, all intervals at once; the rows that each needs are left to whoever shows it."""
    display, family = (_bounds(case, at) for at in (case.rules.confidence, level))
    powered = _powered(case)
    return [
        Comparison(
            groups=(m.slice,),
            value=m.value,
            lower=lower,
            upper=upper,
            family_lower=min(family_lower, lower),
            family_upper=max(family_upper, upper),
            n=(m.n,),
            powered=power,
            needed_n=None,
        )
        for m, (lower, upper), (family_lower, family_upper), power in zip(
            case.found, display, family, powered, strict=True
        )
    ]


def _bounds(case: Case, level: float) -> list[tuple[float, float]]:
    """Of every group at that level, over every assignment of the rows that could be its own."""
    sampled = [m for m in case.found if m.interval.kind == "sample" and key_of(m.slice) not in case.ends]
    found = evaluate([m.basis for m in sampled], (1 - level) / 2)
    made = dict(zip(map(id, sampled), zip(found.lower.tolist(), found.upper.tolist(), strict=True), strict=True))
    return [made.get(id(m)) or _widened_bounds(case, m, level) for m in case.found]


def _widened_bounds(case: Case, m: Measurement, level: float) -> tuple[float, float]:
    found = widened(case, m, at_level(m, level))
    return found.lower, found.upper


def at_level(m: Measurement, level: float) -> Interval:
    """A sampling interval at any level; an assumption range and an exact number stay as they were given."""
    return interval(m.basis, level) if m.interval.kind == "sample" else m.interval


def _powered(case: Case) -> list[bool]:
    """Of each group whether one of its size could clear the bound if it were as all rows are."""
    like = [_like_all(case, m) if _is_sampled(m) and m.n >= case.rules.min_n else None for m in case.found]
    asked = [(m, as_all) for m, as_all in zip(case.found, like, strict=True) if as_all is not None]
    alike = [scaled(as_all.basis, rows(m.basis) / rows(as_all.basis)) for m, as_all in asked]
    found = evaluate(alike, (1 - case.rules.confidence) / 2)
    bounds = zip(found.lower.tolist(), found.upper.tolist(), strict=True)
    clears = {id(m): inside(case.limit, *pair) for (m, _), pair in zip(asked, bounds, strict=True)}
    return [clears.get(id(m), not _is_sampled(m) or m.n >= case.rules.min_n) for m in case.found]


def _is_sampled(m: Measurement) -> bool:
    return bool(m.slice) and m.interval.kind == "sample"


def _like_all(case: Case, m: Measurement) -> Measurement | None:
    """All rows, where their value is measured as the group's is."""
    overall = case.overall
    usable = overall is not None and overall.basis.method == m.basis.method and rows(overall.basis) > 0
    return overall if usable else None


def _listed(case: Case, pairs: Sequence[tuple[Measurement, Comparison]]) -> tuple[Comparison, ...]:
    """The groups that could not have been shown to lie inside, with the rows from which they could."""
    few = [(m, c) for m, c in pairs if not c.powered]
    return tuple(replace(c, needed_n=_rows_for_power(case, m)) for m, c in few[:MOST_LISTED])


def _rows_for_bound(case: Case, m: Measurement) -> int | None:
    return rows_for_bound(m.basis, nearest_bound(case.limit, m.value), case.rules.confidence)


def _rows_for_power(case: Case, m: Measurement) -> int | None:
    """None where no number of rows would do, since all rows together do not lie inside."""
    like = _like_all(case, m)
    if like is None:
        return case.rules.min_n
    if not inside(case.limit, like.value, like.value):
        return None
    bounds = [bound for bound in (case.limit.min, case.limit.max) if bound is not None]
    needed = [rows_for_bound(like.basis, bound, case.rules.confidence) for bound in bounds]
    return max(case.rules.min_n, *(n for n in needed if n)) if all(needed) else None


def _level(z: float) -> float:
    return float(2 * ndtr(z) - 1)


def _finding(
    case: Case,
    verdict: Verdict,
    shown: list[tuple[Measurement, Comparison]],
    pairs: list[tuple[Measurement, Comparison]],
) -> Finding:
    every = [c for _, c in pairs]
    deciding = tuple(replace(c, needed_n=_rows_for_bound(case, m)) for m, c in shown[:MOST_LISTED])
    worst, comparison = shown[0][0], deciding[0]
    worst = replace(worst, interval=widened(case, worst, at_level(worst, case.rules.confidence)))  # as it was judged
    where = "" if not worst.slice else f" for {wording.slice_words(worst.slice)}"
    others = wording.count(len(shown) - 1, "more group")
    more = f", and {others}" if len(shown) > 1 and verdict is not Verdict.PASS else ""
    seen = _could_show(case, worst)
    finding = Finding(
        limit=case.limit,
        verdict=verdict,
        subject=worst,
        message=f"{case.name}{where}{more}: {wording.measurement(worst)}{_apart(worst)}; the limit is {case.bounds}",
        remedy=_remedy(case, verdict, comparison),
        comparison=comparison,
        assessed=sum(c.powered for c in every),
        comparisons=len(every) + len(case.omitted),
        rows_assessed=share_of_rows(every, case.found, case.omitted),
        blocking=deciding if verdict is not Verdict.PASS else (),
        listed=_listed(case, pairs) if verdict is Verdict.PASS else (),
        needed_n=comparison.needed_n if verdict is Verdict.INCONCLUSIVE else None,
        smallest_gap=seen,
    )
    sight = wording.sight(seen, case.note.unit, "each")
    return told(case, replace(finding, message=f"{finding.message}; {sight}") if sight else finding)


def _apart(m: Measurement) -> str:
    """Of a paired difference: the rows that it rests on, those on which the two models differ."""
    if m.basis.method != "tango":
        return ""
    gained, lost = (m.basis.numbers[name] for name in ("first", "second"))
    p = wording.number(mcnemar(gained, lost), "1")
    said = f"p {p}" if p.startswith("<") else f"p = {p}"
    return f"; gained by {wording.count(round(gained), 'row')}, lost by {round(lost):,}, exact McNemar {said}"


def _could_show(case: Case, m: Measurement) -> float | None:
    """The smallest distance from the bound that matters, beyond which this group's rows would have shown its value."""
    seen = smallest_distance(m.basis, nearest_bound(case.limit, m.value), case.rules.confidence)
    return None if seen is None else seen + leeway(case, m)


def _remedy(case: Case, verdict: Verdict, worst: Comparison) -> str:
    if verdict is Verdict.PASS:
        return "nothing to do"
    if verdict is Verdict.FAIL:
        return case.fix
    if case.omitted and inside(case.limit, worst.lower, worst.upper):
        return case.omitted[0].remedy
    if worst.needed_n is None:
        return "the estimate lies on the limit: no number of rows alone will decide it"
    return f"about {worst.needed_n:,} rows would decide it at this estimate; there are {worst.n[0]:,}"
