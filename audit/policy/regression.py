"""A bound on how much worse a measure may be than in the baseline run."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import ndtr

from audit import wording
from audit.policy.limits import Comparison, Finding, Verdict
from audit.policy.options import Case, key_of
from audit.results import Basis, Interval, Measurement, Omission, Reason
from audit.stats import difference, interval, method_words, simultaneous_z

ON_ANOTHER = (
    "time both on one machine: run the baseline here again, or make the earlier model a variant and limit a ratio, "
    "such as relative_latency"
)


def judge_regression(case: Case) -> Finding:
    """PASS when the far end of every worsening stays within ``regress``: non-inferiority, unpaired intervals."""
    if case.rules.baseline is None:
        return _missing(case, "no baseline run was given", "run with --baseline RUN")
    old = {key_of(m.slice): m for m in _baseline(case)}
    pairs = [(m, old[key_of(m.slice)]) for m in case.found if key_of(m.slice) in old]
    if not pairs:
        return _missing(case, "the baseline run did not measure it", "measure the baseline with the same audit.toml")
    if otherwise := [(new, before) for new, before in pairs if _known_otherwise(new, before)]:
        new, before = otherwise[0]
        detail = (
            f"it is known in another way than in the baseline run ({new.interval.method}; {before.interval.method})"
        )
        return _missing(case, detail, "measure both runs in the same way: the same evidence, at the same boundary")
    if case.rules.elsewhere and _was_timed(case):
        detail = f"not assessed: the baseline was timed on another machine ({case.rules.elsewhere})"
        return _missing(case, detail, ON_ANOTHER)
    alpha_level = float(2 * ndtr(simultaneous_z(len(pairs), case.alpha)) - 1)
    worsenings = [_worsening(case, new, before, alpha_level) for new, before in pairs]
    worsenings.sort(key=lambda pair: -pair[1].value)
    allowed = case.limit.regress or 0.0
    subject, worst = worsenings[0]
    if any(c.family_lower > allowed for _, c in worsenings):
        verdict = Verdict.FAIL
    elif all(c.upper <= allowed for _, c in worsenings) and len(pairs) == len(case.found):
        verdict = Verdict.PASS
    else:
        verdict = Verdict.INCONCLUSIVE
    where = "" if not worst.groups[0] else f" for {wording.slice_words(worst.groups[0])}"
    return Finding(
        limit=case.limit,
        verdict=verdict,
        subject=subject,
        message=f"{case.name}{where}, worsening against the baseline run, unpaired: {wording.measurement(subject)}; "
        f"the limit is {case.bounds}",
        remedy={
            Verdict.PASS: "nothing to do",
            Verdict.FAIL: case.fix,
            Verdict.INCONCLUSIVE: "the interval includes the limit: more rows would decide it, or the earlier model "
            "itself on the same rows, as [model] baseline",
        }[verdict],
        comparison=worst,
        assessed=len(pairs),
        comparisons=len(case.found),
    )


def _was_timed(case: Case) -> bool:
    """Whether the baseline run measured it with a clock or a meter on its machine."""
    return any(
        m.name == case.limit.measure
        for record in case.rules.baseline or ()
        if record.cost == "timing"
        for m in record.outcome.measurements
    )


def _known_otherwise(new: Measurement, before: Measurement) -> bool:
    """Energies of two boundaries hold different things, and two kinds of evidence differ where nothing worsened."""
    return new.interval.kind == "range" and new.interval.method != before.interval.method


def _baseline(case: Case) -> Sequence[Measurement]:
    limit = case.limit
    return [
        m
        for record in case.rules.baseline or ()
        if record.on == limit.on
        for m in record.outcome.measurements
        if m.name == limit.measure and set(m.slice) == set(limit.by) and dict(m.params) == dict(limit.params)
    ]


def _worsening(case: Case, new: Measurement, old: Measurement, level: float) -> tuple[Measurement, Comparison]:
    first, second = (old.basis, new.basis) if case.note.better == "higher" else (new.basis, old.basis)
    basis = difference(first, second)
    display, family = (
        _bounds(basis, new, share) for share in (case.rules.confidence, max(level, case.rules.confidence))
    )
    sign = 1.0 if case.note.better == "higher" else -1.0
    value = sign * (old.value - new.value)
    subject = Measurement(
        name=new.name,
        value=value,
        interval=display,
        basis=basis,
        n=new.n + old.n,
        unit=new.unit,
        method=f"worsening of two runs, unpaired, {method_words(basis)}",
        slice=new.slice,
        params=new.params,
    )
    comparison = Comparison(
        groups=(new.slice,),
        value=value,
        lower=display.lower,
        upper=display.upper,
        family_lower=min(family.lower, display.lower),
        family_upper=max(family.upper, display.upper),
        n=(new.n, old.n),
        powered=True,
        needed_n=None,
    )
    return subject, comparison


def _bounds(basis: Basis, new: Measurement, level: float) -> Interval:
    return interval(basis, level) if new.interval.kind != "range" else interval(basis, new.interval.level)


def _missing(case: Case, detail: str, remedy: str) -> Finding:
    omission = Omission(name=case.limit.measure, reason=Reason.MISSING_INPUT, detail=detail, remedy=remedy)
    return Finding(
        limit=case.limit,
        verdict=Verdict.NOT_ASSESSED,
        subject=omission,
        message=f"{case.name}: {detail}",
        remedy=remedy,
        assessed=0,
        comparisons=0,
        rows_assessed=0.0,
    )
