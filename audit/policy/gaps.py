"""A bound on the gap or the ratio between groups, formed here from the groups' bases."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.errors import CheckError, Unavailable
from audit.policy.limits import Comparison, Finding, Limit, Verdict, demanded
from audit.policy.options import Case, key_of, outside
from audit.policy.unknown import as_range, ends_of, room_of, told
from audit.policy.weighed import REST, Blocks, Weighed, Worst, judged, least_seen, still_open, weigh
from audit.results import Basis, Interval, Measurement, Omission, Reason
from audit.stats import (
    Comparing,
    Contrasts,
    Kinds,
    Tally,
    comparing,
    labels_to_flip,
    method_words,
    smallest_gap,
)

MOST_RELABELLED = 200_000  # rows of two groups up to which every relabelling is weighed
Shown = tuple[Contrasts, NDArray[np.bool_]]  # comparisons, and which had power
NEWCOMBE = "Newcombe hybrid score interval (Newcombe 1998)"


def judge_gap(case: Case) -> Finding:
    """PASS when every powered pair's interval lies inside, FAIL when a simultaneous one lies outside.

    Pairs without power that are only listed are set aside as long as they look like groups without a gap.
    """
    kinds = kinds_of([case])
    try:
        return judge_contrasts(case, compared(case, kinds).blocks, kinds)
    except Unavailable as error:
        return undefined_gap(case, error)


def judge_contrasts(case: Case, blocks: Blocks, kinds: Kinds) -> Finding:
    """The verdict on comparisons of these kinds of groups, looked at block by block and twice."""
    all_ = weigh(case, blocks, kinds)
    if not all_.defined:
        return undefined_gap(case, Unavailable("undefined", "every ratio is 0/0", 'use compare = "difference"'))
    first, others, few = (Worst(case.limit, kinds) for _ in range(3))
    least = least_seen(case, all_.aside)
    for block in judged(case, blocks, kinds):
        first.add(block, block.failed if all_.failed else still_open(case, block, least))
        others.add(block, block.contrasts.defined if all_.unseen else block.within)
        few.add(block, ~block.powered & block.contrasts.defined)
    if shown := first.found():
        return _finding(case, Verdict.FAIL if all_.failed else Verdict.INCONCLUSIVE, all_, shown)
    if all_.unseen:
        return _finding(case, Verdict.INCONCLUSIVE, all_, others.found())
    # of a pass what could not be seen is listed, not shown
    return replace(_finding(case, Verdict.PASS, all_, others.found()), blocking=(), listed=_listed(case, few.found()))


def kinds_of(cases: Sequence[Case]) -> Kinds:
    """Groups that none of the cases, which have the same groups, can tell apart; only of pairs is it asked."""
    if cases[0].limit.contrast != "pairs":
        return Kinds.apart(len(cases[0].found))
    return Kinds.alike(zip(*map(_keys, cases), strict=True))


def _keys(case: Case) -> Iterator[Hashable]:
    """Of each group all that a comparison asks of it."""
    for m in case.found:
        ends = case.ends[key_of(m.slice)] if case.ends else ()
        yield m.n, m.interval.kind, *map(_numbers, (m.basis, *ends))


def _numbers(basis: Basis) -> Hashable:
    """All that a basis holds, as something to look up."""
    return basis.method, tuple(basis.numbers.items()), tuple(map(_numbers, basis.parts))


def compared(case: Case, kinds: Kinds) -> Comparing:
    """Every comparison that the limit's contrast asks for, with intervals alone and together."""
    limit = case.limit
    return comparing(
        [m.basis for m in case.found],
        compare="ratio" if limit.compare == "ratio" else "difference",
        contrast=limit.contrast,
        reference=reference_index(case.found, case.rules.reference) if limit.contrast == "reference" else None,
        overall=case.overall.basis if case.overall else None,
        tolerance=limit.min if limit.compare == "ratio" else limit.max,
        level=case.rules.confidence,
        alpha=case.alpha,
        ends=ends_of(case),
        kinds=kinds,
    )


def reference_index(found: Sequence[Measurement], declared: Mapping[str, str | None]) -> int:
    """The declared reference group, else the largest: never the best, which noise would choose."""
    for i, m in enumerate(found):
        if all(column in declared and declared[column] == level for column, level in m.slice.items()):
            return i
    return int(np.argmax([m.n for m in found]))


def gap_measurement(
    found: Sequence[Measurement], limit: Limit, contrasts: Contrasts, i: int, level: float
) -> Measurement:
    """One comparison as a measurement: absolute gap or smaller over larger, with the interval it is judged on."""
    first, second = int(contrasts.first[i]), int(contrasts.second[i])
    high = found[first]
    low = found[second] if second != REST else None
    basis = _pair_basis(limit, high.basis, low.basis if low else high.basis)
    rates = limit.compare == "difference" and all(part.method == "wilson" for part in basis.parts)
    words = NEWCOMBE if rates else method_words(basis)
    return Measurement(
        name=limit.measure,
        value=float(contrasts.value[i]),
        interval=Interval(lower=float(contrasts.lower[i]), upper=float(contrasts.upper[i]), level=level, method=words),
        basis=basis,
        n=high.n + (low.n if low else 0),
        unit=high.unit if limit.compare == "difference" else "1",
        method=words,
        compare=limit.compare,
        params=limit.params,
        columns=limit.by,
    )


def _pair_basis(limit: Limit, a: Basis, b: Basis) -> Basis:
    """By the closed form that all pairs are judged with, so that what is shown is what decides."""
    return Basis(method="mover_ratio" if limit.compare == "ratio" else "mover_difference", numbers={}, parts=(a, b))


def comparison(case: Case, contrasts: Contrasts, powered: NDArray[np.bool_], i: int) -> Comparison:
    sides = [case.found[int(contrasts.first[i])]]
    if contrasts.second[i] != REST:
        sides.append(case.found[int(contrasts.second[i])])
    sides.sort(key=lambda m: -m.value)
    needed = max(int(contrasts.needed_n[i]), case.rules.min_n) if contrasts.needed_n[i] >= 0 else None
    return Comparison(
        groups=(*(m.slice for m in sides), *(({},) if len(sides) == 1 else ())),
        value=float(contrasts.value[i]),
        lower=float(contrasts.lower[i]),
        upper=float(contrasts.upper[i]),
        family_lower=float(contrasts.family_lower[i]),
        family_upper=float(contrasts.family_upper[i]),
        n=tuple(m.n for m in sides),
        powered=bool(powered[i]),
        needed_n=None if powered[i] else needed,
    )


def _listed(case: Case, shown: Shown | None) -> tuple[Comparison, ...]:
    return () if shown is None else tuple(comparison(case, *shown, i) for i in range(len(shown[0])))


def _finding(case: Case, verdict: Verdict, all_: Weighed, shown: Shown | None) -> Finding:
    if shown is None:
        raise CheckError("a verdict rests on comparisons, got none")
    deciding = _listed(case, shown)
    shown_gap = gap_measurement(case.found, case.limit, shown[0], 0, case.rules.confidence)
    subject = as_range(case, shown_gap)
    seen, total = _could_show(case), _total(case)
    asked = case.rules.relabel and demanded(case.limit) and verdict is not Verdict.INCONCLUSIVE
    flips = _labels_to_flip(case, subject) if asked else None
    message = _message(case, subject, deciding[0], all_.powered, total)
    finding = Finding(
        limit=case.limit,
        verdict=verdict,
        subject=subject,
        message=message + _sight(case, seen, flips),
        remedy=_remedy(case, verdict, deciding[0]),
        comparison=deciding[0],
        assessed=all_.powered,
        comparisons=total,
        rows_assessed=_rows_assessed(case, all_.groups),
        blocking=deciding,
        needed_n=deciding[0].needed_n if verdict is Verdict.INCONCLUSIVE else None,
        smallest_gap=seen,
        labels_to_flip=flips,
    )
    return told(case, finding)


def _labels_to_flip(case: Case, subject: Measurement) -> int | None:
    """How few wrong group labels could turn what is shown; None where it is no gap of two plain rates."""
    parts = subject.basis.parts
    plain = len(parts) == 2 and all(part.method == "wilson" for part in parts)
    if not plain or case.limit.compare != "difference" or case.limit.max is None or subject.n > MOST_RELABELLED:
        return None
    first, second = (Tally(round(part.numbers["k"]), round(part.numbers["n"])) for part in parts)
    return labels_to_flip(first, second, case.limit.max, case.rules.confidence)


def _could_show(case: Case) -> float | None:
    """The smallest gap that could have been shown; None for a ratio whose groups are not all known."""
    seen = smallest_gap([m.basis for m in case.found], case.limit.compare, case.rules.confidence)
    if not case.ends:
        return seen
    return seen + room_of(case) if case.limit.compare == "difference" else None


def _sight(case: Case, seen: float | None, flips: int | None) -> str:
    """What the rows could have shown, and how far the verdict leans on the groups' labels."""
    said = wording.sight(seen, case.note.unit, case.limit.compare)
    sight = f"; {said}" if said else ""
    if flips is None:
        return sight
    return f"{sight}, and {wording.count(flips, 'wrong group label')} could turn the verdict"


def _total(case: Case) -> int:
    """All comparisons, also those with a group whose value could not be measured."""
    groups = len(case.found) + len(case.omitted)
    if case.limit.contrast == "pairs":
        return groups * (groups - 1) // 2
    return groups - 1 if case.limit.contrast == "reference" else groups


def _rows_assessed(case: Case, powered: NDArray[np.intp]) -> float:
    seen = sum(case.found[i].n for i in powered)
    total = sum(m.n for m in case.found) + sum(o.n for o in case.omitted) + (case.unknown if case.ends else 0)
    return seen / total if total else 0.0


def _message(case: Case, subject: Measurement, worst: Comparison, assessed: int, total: int) -> str:
    kind = "ratio" if case.limit.compare == "ratio" else "gap"
    text = f"{case.name}, {kind} for {wording.contrast_words(worst.groups)}: {wording.measurement(subject)}"
    seen = "" if assessed == total else f"; {wording.rows_enough(assessed, total)}"
    return f"{text}; the limit is {case.bounds}{seen}"


def _remedy(case: Case, verdict: Verdict, worst: Comparison) -> str:
    if verdict is Verdict.PASS:
        return "nothing to do"
    if verdict is Verdict.FAIL:
        return case.fix
    if worst.needed_n is not None:
        have = " and ".join(f"{n:,}" for n in worst.n)
        return f"about {worst.needed_n:,} rows a group are needed to see such a gap; there are {have}"
    if case.blocks and case.omitted:
        return case.omitted[0].remedy
    if outside(case.limit, worst.lower, worst.upper):
        together = wording.span(worst.family_lower, worst.family_upper, case.note.unit, worst.value)
        return f"alone it lies outside the limit, among all comparisons it may be chance ({together}): get more rows"
    return "the interval includes the limit: more rows of these groups would decide it"


def undefined_gap(case: Case, error: Unavailable) -> Finding:
    """Not assessed: there is nothing to compare, or what there is has no gap."""
    omission = Omission(
        name=case.limit.measure,
        reason=Reason(error.reason),
        detail=f"{case.name} by {wording.listed(case.limit.by)}: {error.detail}",
        remedy=error.remedy,
        params=case.limit.params,
    )
    return Finding(
        limit=case.limit,
        verdict=Verdict.NOT_ASSESSED,
        subject=omission,
        message=omission.detail,
        remedy=omission.remedy,
        assessed=0,
        comparisons=0,
        rows_assessed=0.0,
    )
