"""The field's named comparisons, such as equalized odds: gaps and ratios of measures that are there already.

A check declares them beside its measures: of which measures they are and how several are combined; how groups are
compared is the end of the name. ``worst`` is the largest gap of any of them (the smallest ratio), judged on intervals
that hold for all of them together; ``mean`` is the gap of their mean; ``mean_gap`` is the mean of their gaps between
the same two groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.policy.gaps import compared, judge_contrasts, judge_gap, kinds_of, reference_index, undefined_gap
from audit.policy.limits import Finding, Limit, Verdict
from audit.policy.options import Case, Key, excess, key_of
from audit.results import Basis, Measurement, MeasureNote, Omission
from audit.stats import Comparing, Contrasts, average, difference, measured, ratio, value

Rows = NDArray[np.int64]

_ORDER = (Verdict.FAIL, Verdict.NOT_ASSESSED, Verdict.INCONCLUSIVE, Verdict.PASS)


def judge_named(limit: Limit, note: MeasureNote, cases: Sequence[Case]) -> Finding:
    """One finding on a named comparison. ``cases`` are those of its measures, in their order."""
    if note.combine == "worst" or len(cases) == 1:
        found = [judge_gap(_named(case, note, len(cases))) for case in cases]
        return _signed(limit, _together(limit, found))
    joint = _joint(note, cases)
    if not joint.found:
        why = joint.omitted[0] if joint.omitted else None
        nothing = Unavailable("undefined", "no group has all of its rates", why.remedy if why else "give more rows")
        return _signed(limit, undefined_gap(joint, nothing))
    if note.combine == "mean":
        return _signed(limit, judge_gap(joint))
    aligned = [_aligned(case, joint) for case in cases]
    try:
        kinds = kinds_of(aligned)
        parts = [compared(case, kinds) for case in aligned]
        finding = judge_contrasts(joint, lambda: _means_of(parts), kinds)
    except Unavailable as error:
        return _signed(limit, undefined_gap(joint, error))
    return _signed(limit, _with_basis(finding, aligned))


def _named(case: Case, note: MeasureNote, parts: int) -> Case:
    """One measure of several: under the common name, with its part of the error."""
    words = f"{note.words}: {case.note.words}" if parts > 1 else note.words
    return replace(case, note=replace(case.note, words=words), alpha=case.alpha / parts)


def _signed(limit: Limit, finding: Finding) -> Finding:
    subject = finding.subject
    return replace(finding, limit=limit, subject=replace(subject, name=limit.measure))


def _together(limit: Limit, found: Sequence[Finding]) -> Finding:
    """The worst of several findings speaks for all: each must hold, and any one may fail."""
    worst = min(found, key=lambda f: (_ORDER.index(f.verdict), -_excess(limit, f)))
    gaps = [f.smallest_gap for f in found if f.smallest_gap is not None]
    return replace(
        worst,
        assessed=sum(f.assessed for f in found),
        comparisons=sum(f.comparisons for f in found),
        rows_assessed=min(f.rows_assessed for f in found),
        smallest_gap=(min(gaps) if limit.compare == "ratio" else max(gaps)) if gaps else None,
    )


def _excess(limit: Limit, finding: Finding) -> float:
    return excess(limit, finding.subject.value) if isinstance(finding.subject, Measurement) else 0.0


def _joint(note: MeasureNote, cases: Sequence[Case]) -> Case:
    """The case of the mean of several measures, over the groups that have all of them."""
    first = cases[0]
    by_group = [{key_of(m.slice): m for m in case.found} for case in cases]
    whole = [key for key in by_group[0] if all(key in found for found in by_group)]
    overall = [case.overall for case in cases if case.overall is not None]
    omitted: dict[object, Omission] = {key_of(o.slice): o for case in cases for o in case.omitted}
    return replace(
        first,
        found=[_mean(first, note, [found[key] for found in by_group]) for key in whole],
        omitted=list(omitted.values()),
        ends={key: _mean_ends(key, cases, by_group) for key in whole} if any(case.ends for case in cases) else {},
        unknown=max(case.unknown for case in cases),
        overall=_mean(first, note, overall) if len(overall) == len(cases) else None,
        note=replace(first.note, words=note.words),
    )


def _mean_ends(key: Key, cases: Sequence[Case], by_group: Sequence[Mapping[Key, Measurement]]) -> tuple[Basis, Basis]:
    """Lowest and highest mean of a group: each rate has its own rows, so that all can be at their worst together."""
    own = [found[key].basis for found in by_group]
    parts = [case.ends.get(key, (basis, basis)) for case, basis in zip(cases, own, strict=True)]
    return average([low for low, _ in parts]), average([high for _, high in parts])


def _mean(case: Case, note: MeasureNote, parts: Sequence[Measurement]) -> Measurement:
    first = parts[0]
    return measured(
        name=first.name,
        basis=average([m.basis for m in parts]),
        level=case.rules.confidence,
        n=sum(m.n for m in parts),
        unit=note.unit,
        slice=first.slice,
        params=first.params,
    )


def _aligned(case: Case, joint: Case) -> Case:
    """A case with the groups of the joint one, in their order and with its reference."""
    by_group = {key_of(m.slice): m for m in case.found}
    reference = joint.found[reference_index(joint.found, joint.rules.reference)].slice
    found = [by_group[key_of(m.slice)] for m in joint.found]
    return replace(case, found=found, rules=replace(case.rules, reference=reference))


def _means_of(parts: Sequence[Comparing]) -> Iterator[Contrasts]:
    return map(_mean_of, zip(*(part.blocks() for part in parts), strict=True))


def _mean_of(parts: Sequence[Contrasts]) -> Contrasts:
    """Comparison by comparison the mean of gaps. The mean of bounds is wider than needed for independent parts."""
    first = parts[0]
    means = {
        name: sum(getattr(part, name) for part in parts) / len(parts)
        for name in ("value", "lower", "upper", "family_lower", "family_upper", "se0")
    }
    powered, defined, needed = first.powered, first.defined, first.needed_n
    for part in parts[1:]:
        powered, defined = powered & part.powered, defined & part.defined
        needed = _larger(needed, part.needed_n)
    return replace(first, **means, powered=powered, defined=defined, needed_n=needed)


def _larger(a: Rows, b: Rows) -> Rows:
    """The larger need; -1, where no number of rows would do, is the largest."""
    return np.where((a < 0) | (b < 0), -1, np.maximum(a, b))


def _with_basis(finding: Finding, cases: Sequence[Case]) -> Finding:
    """The finding with the mean of the gaps of the two groups that it shows as its basis."""
    subject, shown = finding.subject, finding.comparison
    ranged = isinstance(subject, Measurement) and subject.interval.kind == "range"
    if shown is None or ranged or not isinstance(subject, Measurement) or not all(shown.groups):
        return finding
    pairs = [[_of_group(case, key_of(group)) for group in shown.groups] for case in cases]
    if finding.limit.compare == "ratio":
        return replace(finding, subject=replace(subject, basis=average([ratio(a, b) for a, b in pairs])))
    gaps = [difference(a, b) for a, b in pairs]
    signs = [1.0 if value(gap) >= 0 else -1.0 for gap in gaps]
    return replace(finding, subject=replace(subject, basis=average(gaps, [sign / len(gaps) for sign in signs])))


def _of_group(case: Case, group: object) -> Basis:
    return next(m.basis for m in case.found if key_of(m.slice) == group)
