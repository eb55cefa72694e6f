"""A bound on the gap or the ratio between groups, formed here from the groups' bases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.errors import Unavailable
from audit.policy.limits import MOST_LISTED, Comparison, Finding, Limit, Verdict, demanded
from audit.policy.options import Case, excess, outside
from audit.policy.unknown import as_range, ends_of, room_of, told
from audit.results import Basis, Interval, Measurement, Omission, Reason
from audit.stats import (
    Contrasts,
    Tally,
    compare_groups,
    labels_to_flip,
    method_words,
    simultaneous_z,
    smallest_gap,
    tukey_z,
)

LOOK_ERROR = 0.10  # chance that comparisons without power are not set aside although no group differs
MOST_RELABELLED = 200_000  # rows of two groups up to which every relabelling is weighed
NEWCOMBE = "Newcombe hybrid score interval (Newcombe 1998)"
_REST = -1  # second side of a comparison with the rest of the rows, or with all of them


def judge_gap(case: Case) -> Finding:
    """PASS when every powered pair's interval lies inside, FAIL when a simultaneous one lies outside.

    Pairs without power that are only listed are set aside as long as they look like groups without a gap.
    """
    try:
        return judge_contrasts(case, compared(case))
    except Unavailable as error:
        return undefined_gap(case, error)


def judge_contrasts(case: Case, contrasts: Contrasts) -> Finding:
    """The verdict on comparisons that were made."""
    if not contrasts.defined.any():
        return undefined_gap(case, Unavailable("undefined", "every ratio is 0/0", 'use compare = "difference"'))
    powered = contrasts.powered & _large_enough(case, contrasts)
    within = _inside(case.limit, contrasts.lower, contrasts.upper) & contrasts.defined
    failed = _outside(case.limit, contrasts.family_lower, contrasts.family_upper) & contrasts.defined
    aside = ~within & ~powered & contrasts.defined
    open_ = ~within & (powered | case.blocks) | _seen_all_the_same(case, contrasts, aside)
    unseen = not (powered.any() or within[contrasts.defined].all()) or (case.blocks and bool(case.omitted))
    everything = contrasts.defined
    if failed.any():
        return _finding(case, Verdict.FAIL, contrasts, powered, failed)
    if open_.any() or unseen:
        return _finding(case, Verdict.INCONCLUSIVE, contrasts, powered, open_ if open_.any() else everything)
    return _finding(case, Verdict.PASS, contrasts, powered, within)  # what could not be seen is listed, not shown


def _seen_all_the_same(case: Case, contrasts: Contrasts, aside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Comparisons without power that differ more than groups without a gap would, in one audit of ten.

    They could not have been shown to lie inside, but they are not silent: to set them aside would be a pass by too few
    rows. The look is at all of them together, so that of models without a gap nine in ten keep their verdict.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = -np.log(contrasts.value) if case.limit.compare == "ratio" else contrasts.value
        away = np.where(contrasts.se0 > 0, distance / contrasts.se0, 0.0)
    alone = simultaneous_z(int(aside.sum()), LOOK_ERROR)
    least = min(alone, tukey_z(len(case.found), LOOK_ERROR)) if case.limit.contrast == "pairs" else alone
    return np.asarray(aside & (away > least))


def compared(case: Case) -> Contrasts:
    """Every comparison that the limit's contrast asks for, with intervals alone and together."""
    limit = case.limit
    return compare_groups(
        [m.basis for m in case.found],
        compare="ratio" if limit.compare == "ratio" else "difference",
        contrast=limit.contrast,
        reference=reference_index(case.found, case.rules.reference) if limit.contrast == "reference" else None,
        overall=case.overall.basis if case.overall else None,
        tolerance=limit.min if limit.compare == "ratio" else limit.max,
        level=case.rules.confidence,
        alpha=case.alpha,
        ends=ends_of(case),
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
    low = found[second] if second != _REST else None
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


def _inside(limit: Limit, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.bool_]:
    least = -np.inf if limit.min is None else limit.min
    return np.asarray((lower >= least) & (upper <= (np.inf if limit.max is None else limit.max)))


def _outside(limit: Limit, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.bool_]:
    under = False if limit.min is None else upper < limit.min
    return np.asarray(
        under | np.asarray(False if limit.max is None else lower > limit.max) | np.zeros(len(lower), bool)
    )


def _large_enough(case: Case, contrasts: Contrasts) -> NDArray[np.bool_]:
    most = np.iinfo(np.int64).max  # of a census nothing is left to chance, and -1 is the rest of the rows
    sizes = np.array([*(m.n if m.interval.kind == "sample" else most for m in case.found), most])
    least = case.rules.min_n
    return np.asarray((sizes[contrasts.first] >= least) & (sizes[contrasts.second] >= least))


def comparison(case: Case, contrasts: Contrasts, powered: NDArray[np.bool_], i: int) -> Comparison:
    sides = [case.found[int(contrasts.first[i])]]
    if contrasts.second[i] != _REST:
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


def _finding(
    case: Case, verdict: Verdict, contrasts: Contrasts, powered: NDArray[np.bool_], shown: NDArray[np.bool_]
) -> Finding:
    at = _worst_first(case, contrasts, shown)
    deciding = tuple(comparison(case, contrasts, powered, i) for i in at[:MOST_LISTED])
    aside = _worst_first(case, contrasts, ~powered & contrasts.defined)[:MOST_LISTED]
    passes = verdict is Verdict.PASS
    shown_gap = gap_measurement(case.found, case.limit, contrasts, at[0], case.rules.confidence)
    subject = as_range(case, shown_gap)
    assessed = int((powered & contrasts.defined).sum())
    seen = _could_show(case)
    asked = case.rules.relabel and demanded(case.limit) and verdict is not Verdict.INCONCLUSIVE
    flips = _labels_to_flip(case, subject) if asked else None
    message = _message(case, subject, deciding[0], assessed, _total(case, contrasts))
    finding = Finding(
        limit=case.limit,
        verdict=verdict,
        subject=subject,
        message=message + _sight(case, seen, flips),
        remedy=_remedy(case, verdict, deciding[0]),
        comparison=deciding[0],
        assessed=assessed,
        comparisons=_total(case, contrasts),
        rows_assessed=_rows_assessed(case, contrasts, powered),
        blocking=() if passes else deciding,
        listed=tuple(comparison(case, contrasts, powered, i) for i in aside) if passes else (),
        needed_n=deciding[0].needed_n if verdict is Verdict.INCONCLUSIVE else None,
        smallest_gap=seen,
        labels_to_flip=flips,
    )
    return told(case, finding)


def _worst_first(case: Case, contrasts: Contrasts, some: NDArray[np.bool_]) -> list[int]:
    """Places of these comparisons."""
    return sorted(map(int, np.flatnonzero(some)), key=lambda i: -excess(case.limit, float(contrasts.value[i])))


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


def _total(case: Case, contrasts: Contrasts) -> int:
    """All comparisons, also those with a group whose value could not be measured."""
    groups = len(case.found) + len(case.omitted)
    return groups * (groups - 1) // 2 if case.limit.contrast == "pairs" else len(contrasts) + len(case.omitted)


def _rows_assessed(case: Case, contrasts: Contrasts, powered: NDArray[np.bool_]) -> float:
    at = np.unique(np.concatenate([contrasts.first[powered], contrasts.second[powered]]))
    seen = sum(case.found[int(i)].n for i in at if i != _REST)
    total = sum(m.n for m in case.found) + sum(o.n for o in case.omitted) + (case.unknown if case.ends else 0)
    return seen / total if total else 0.0


def _message(case: Case, subject: Measurement, worst: Comparison, assessed: int, total: int) -> str:
    kind = "ratio" if case.limit.compare == "ratio" else "gap"
    text = f"{case.name}, {kind} for {wording.contrast_words(worst.groups)}: {wording.measurement(subject)}"
    seen = "" if assessed == total else f"; {assessed} of {total} comparisons had rows enough to pass"
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
