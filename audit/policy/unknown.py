"""Rows of unknown group under missing = "bounds": assigned in the worst way instead of being a group of their own.

Kallus, Mao & Zhou (2022), Management Science 68: without an assumption about who these rows are, a comparison is known
only to lie between the worst assignments. A group's rate is lowest when all failures that could be its own are, and
highest when all such successes are; of two groups one takes the successes and the other the failures, so that both ends
are reached together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from audit import wording
from audit.policy.limits import Finding, Verdict
from audit.policy.options import Case, key_of
from audit.results import Basis, Interval, Measurement
from audit.stats import assumption_range, interval, rate, value

METHOD = "worst assignment of the rows of unknown group, at both ends with sampling (Kallus, Mao & Zhou 2022)"
Slice = Mapping[str, str | None]


def assigned(case: Case) -> Case:
    """The case without its groups of unknown rows, each other group with its lowest and highest rate.

    As it is where nothing is unknown, where all rows count alike (``each`` of all rows), and for what is no plain rate:
    then ``unknown`` says how many rows still are a group of their own.
    """
    unknown = [m for m in case.found if _is_unknown(m.slice)]
    if case.limit.on not in case.rules.bounded or not unknown:
        return case
    rows = sum(m.n for m in unknown)
    if any(m.basis.method != "wilson" for m in case.found):
        return replace(case, unknown=rows)
    known = [m for m in case.found if not _is_unknown(m.slice)]
    omitted = [o for o in case.omitted if not _is_unknown(o.slice)]
    ends = {key_of(m.slice): _ends(m, unknown) for m in known}
    return replace(case, found=known, omitted=omitted, ends=ends, unknown=rows) if known else case


def _is_unknown(slice_: Slice) -> bool:
    return None in slice_.values()


def _ends(m: Measurement, unknown: Sequence[Measurement]) -> tuple[Basis, Basis]:
    """Lowest and highest rate: of the rows that could be of this group, all failures or all successes are."""
    mine = [u.basis.numbers for u in unknown if all(v is None or v == m.slice[c] for c, v in u.slice.items())]
    successes = sum(numbers["k"] for numbers in mine)
    failures = sum(numbers["n"] for numbers in mine) - successes
    k, n = m.basis.numbers["k"], m.basis.numbers["n"]
    return rate(k, n + failures), rate(k + successes, n + successes)


def widened(case: Case, m: Measurement, found: Interval) -> Interval:
    """The interval of a group, over every assignment of the rows that could be its own."""
    ends = case.ends.get(key_of(m.slice))
    if ends is None:
        return found
    bounds = [found, *(interval(basis, found.level) for basis in ends)]
    lower, upper = min(b.lower for b in bounds), max(b.upper for b in bounds)
    return Interval(lower=lower, upper=upper, level=found.level, method=METHOD, kind="range")


def ends_of(case: Case) -> list[tuple[Basis, Basis]]:
    """Of every group of the case, in its order; empty where nothing is assigned."""
    return [case.ends[key_of(m.slice)] for m in case.found] if case.ends else []


def leeway(case: Case, m: Measurement) -> float:
    """How far the assignment alone can move the rate of a group."""
    if not case.ends:
        return 0.0
    low, high = (value(basis) for basis in case.ends[key_of(m.slice)])
    return max(high - m.value, m.value - low)


def room_of(case: Case) -> float:
    """How far the assignment alone can move the gap of two groups, of the pair that it moves least."""
    known = np.array([value(m.basis) for m in case.found])
    low, high = np.array([[value(low), value(high)] for low, high in ends_of(case)]).T
    up, down = high - known, known - low
    later = [np.maximum(up[i] + down[i + 1 :], down[i] + up[i + 1 :]).min() for i in range(len(known) - 1)]
    return float(min(later))


def as_range(case: Case, subject: Measurement) -> Measurement:
    """A comparison whose bounds are those of the worst assignment, said to be a range and no sampling interval."""
    if not case.ends:
        return subject
    low, high, level = subject.interval.lower, subject.interval.upper, subject.interval.level
    found = Interval(lower=low, upper=high, level=level, method=METHOD, kind="range")
    return replace(subject, interval=found, basis=assumption_range(subject.value, low, high, level), method=METHOD)


def told(case: Case, finding: Finding) -> Finding:
    """The finding with what was done about the rows of unknown group."""
    if not case.unknown:
        return finding
    remedy = finding.remedy
    if case.ends and finding.verdict is Verdict.INCONCLUSIVE:
        of_unknown = f"find out the group of the {wording.count(case.unknown, 'row')} where it is unknown"
        remedy = f"{of_unknown}: no other rows make up for them; then, {remedy}"
    words = wording.unknown_words(case.unknown, assigned=bool(case.ends))
    return replace(finding, message=f"{finding.message}; {words}", remedy=remedy)
