"""What a report says first: findings in order, what blocks, and the words of each, for every writer alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit import wording
from audit.policy import Comparison, Finding, Verdict
from audit.policy.gate import blocks_unanswered
from audit.policy.listed import beside, beside_passes
from audit.record import AuditRun, MeasureNote
from audit.results import Measurement, Omission, Scalar

_ORDER = {"fail": 0, "inconclusive": 1, "not_assessed": 2, "waived": 3, "pass": 4}
_LEVELS = {"fail": 0, "warn": 1, "record": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingWords:
    """One finding, ready to be written: every field is plain text that may hold names from the data."""

    id: str
    status: wording.StatusWords
    level: str  # "fail" | "warn" | "record"
    blocks: bool
    measure: str  # "share selected"
    technical: str  # "selection_rate/difference"
    who: str
    value: str  # "" where nothing was measured
    uncertainty: str
    limit: str
    why: str
    message: str
    remedy: str
    state: str
    waiver: str
    coverage: str
    listed: str  # beside a pass: who had too few rows to tell, and how many it takes
    sight: str  # the smallest gap, or distance from the limit, that could have been shown
    clause: str
    columns: tuple[str, ...]


def note_of(run: AuditRun, measure: str) -> MeasureNote:
    """What the check declared about a measure; its bare name where nothing is known."""
    return run.measures.get(measure) or MeasureNote(unit="1", better="none", words="", check="")


def waived(finding: Finding) -> bool:
    return finding.waiver is not None and finding.verdict is not Verdict.PASS


def status(finding: Finding) -> wording.StatusWords:
    return wording.status(finding.verdict.value, waived=waived(finding))


def blocks(run: AuditRun, finding: Finding) -> bool:
    """Whether this finding alone keeps the exit code from being 0."""
    if finding.limit.level != "fail" or waived(finding):
        return False
    if finding.verdict is Verdict.INCONCLUSIVE:
        return (finding.limit.inconclusive or gate(run).get("inconclusive", "block")) == "block"
    if finding.verdict is Verdict.NOT_ASSESSED:
        return blocks_unanswered(finding)
    return finding.verdict is Verdict.FAIL


def gate(run: AuditRun) -> Mapping[str, Scalar]:
    """The [gate] table of audit.toml as it was read."""
    table = run.spec.get("gate")
    return table if isinstance(table, Mapping) else {}


def ordered(run: AuditRun) -> tuple[Finding, ...]:
    """Worst first: what blocks, then by verdict and level; the run's own order decides among equals."""

    def rank(finding: Finding) -> tuple[bool, int, int]:
        return not blocks(run, finding), _ORDER[status(finding).key], _LEVELS[finding.limit.level]

    return tuple(sorted(run.findings, key=rank))


def counts(run: AuditRun) -> tuple[tuple[wording.StatusWords, int], ...]:
    """How many findings read each way, worst first, those that nobody has left out."""
    tally: Counter[str] = Counter(status(finding).key for finding in run.findings)
    return tuple((words, tally[key]) for key, words in wording.STATUSES.items() if tally[key])


def headline(run: AuditRun) -> str:
    """``Fails: 2 of 24 limits are not met``: the verdict in one line, without a name. Warnings are not counted."""
    word = wording.status(run.verdict.value).word
    deciding = [finding for finding in run.findings if finding.limit.level == "fail"]
    if not deciding:
        return f"{word}: no limit of this audit decides"
    met = sum(f.verdict is Verdict.PASS for f in deciding)
    number = met if run.verdict is Verdict.PASS else sum(f.verdict is run.verdict and blocks(run, f) for f in deciding)
    said = {
        Verdict.FAIL: "not met",
        Verdict.INCONCLUSIVE: "not decided by this data",
        Verdict.NOT_ASSESSED: "could not be judged",
        Verdict.PASS: "met on this data",
    }[run.verdict]
    return f"{word}: {number} of {wording.count(len(deciding), 'limit')} {said}"


def exit_words(run: AuditRun) -> str:
    """``Exit code 1: 1 of 3 gated limits fails.``"""
    return f"Exit code {run.exit_code}: {wording.text(run.exit_reason).removesuffix('.')}."


def worst(findings: Iterable[FindingWords]) -> FindingWords | None:
    """The first that neither passes nor is waived."""
    return next((f for f in findings if f.status.key in {"fail", "inconclusive", "not_assessed"}), None)


def who(finding: Finding) -> str:
    """For whom: the two groups that were compared, the slice, or all rows."""
    if finding.comparison is not None:
        return wording.contrast_words(finding.comparison.groups)
    if finding.subject.slice:
        return wording.slice_words(finding.subject.slice)
    if finding.limit.by:
        return "by " + wording.listed(wording.label(column) for column in finding.limit.by)
    return wording.ALL_ROWS if finding.limit.on == "test" else f"all rows of {wording.label(finding.limit.on)}"


def limit_words(run: AuditRun, finding: Finding) -> str:
    limit = finding.limit
    # A ratio of two energies has no unit; a difference of two keeps it.
    unit = "1" if limit.compare == "ratio" else _unit(run, finding)
    return wording.limit_words(unit, lowest=limit.min, highest=limit.max, regress=limit.regress)


def measure_words(run: AuditRun, name: str, compare: str = "each", params: Mapping[str, Scalar] | None = None) -> str:
    """``share selected, gap between groups``."""
    words = wording.measure_words(name, note_of(run, name).words, params)
    return words + {"difference": ", gap between groups", "ratio": ", ratio between groups"}.get(compare, "")


def columns(finding: Finding) -> tuple[str, ...]:
    """The table columns that a finding is about."""
    own = finding.subject.columns if isinstance(finding.subject, Measurement) else ()
    return tuple(dict.fromkeys((*finding.limit.by, *finding.subject.slice, *own)))


def words(run: AuditRun, finding: Finding) -> FindingWords:
    """All that a writer may say about one finding."""
    subject, limit = finding.subject, finding.limit
    measured = isinstance(subject, Measurement)
    return FindingWords(
        id=finding.id,
        status=status(finding),
        level=limit.level,
        blocks=blocks(run, finding),
        measure=measure_words(run, limit.measure, limit.compare, limit.params),
        technical=wording.label(finding.id, 200),
        who=who(finding),
        value=wording.value(subject) if isinstance(subject, Measurement) else "",
        uncertainty=wording.uncertainty(subject) if isinstance(subject, Measurement) else wording.omission(subject),
        limit=limit_words(run, finding),
        why=wording.text(limit.why),
        message=wording.text(finding.message),
        remedy=wording.text(finding.remedy or ("" if measured else subject_remedy(subject))),
        state=finding.state if run.baseline else "",
        waiver=waiver_words(finding),
        coverage=coverage(finding),
        listed=beside(finding),
        sight=wording.sight(finding.smallest_gap, note_of(run, limit.measure).unit, limit.compare),
        clause=", ".join(wording.label(clause) for clause in limit.clause),
        columns=columns(finding),
    )


def subject_remedy(subject: Measurement | Omission) -> str:
    return subject.remedy if isinstance(subject, Omission) else ""


def all_words(run: AuditRun) -> tuple[FindingWords, ...]:
    return tuple(words(run, finding) for finding in ordered(run))


def waiver_words(finding: Finding) -> str:
    """``until 2027-02-28, answered for by Kim: reason``; empty where nothing is waived."""
    waiver = finding.waiver
    if waiver is None:
        return ""
    reason, owner = wording.text(waiver.reason), wording.label(waiver.owner)
    return f"waived until {waiver.expires.isoformat()} by {owner}: {reason}"


def coverage(finding: Finding) -> str:
    """Which part of the comparisons had rows enough to pass, where it was not all of them."""
    if finding.assessed >= finding.comparisons:
        return ""
    return wording.rows_enough(finding.assessed, finding.comparisons, finding.rows_assessed)


def comparisons(run: AuditRun, finding: Finding, some: Sequence[Comparison]) -> list[tuple[str, str, str]]:
    """Some of a finding's comparisons, as (who, value and interval, n)."""
    unit = "1" if finding.limit.compare == "ratio" else note_of(run, finding.limit.measure).unit
    rows = []
    for c in some:
        value = wording.number(c.value, unit, (c.upper - c.lower) / 2)
        span = f"{wording.level(run.judged_confidence)} CI {wording.span(c.lower, c.upper, unit, c.value)}"
        n = " and ".join(f"{rows:,}" for rows in c.n)
        rows.append((wording.contrast_words(c.groups), f"{value} ({span})", f"n\u00a0=\u00a0{n}"))
    return rows


def _unit(run: AuditRun, finding: Finding) -> str:
    if isinstance(finding.subject, Measurement):
        return finding.subject.unit
    return note_of(run, finding.limit.measure).unit


def omissions_by_reason(run: AuditRun) -> tuple[tuple[str, tuple[tuple[str, Omission], ...]], ...]:
    """``(reason in words, ((check, omission), ...))`` in the order of REASONS, most telling first."""
    rows = [(record.check, omission) for record, omission in run.omissions()]
    grouped = (
        (words, tuple(row for row in rows if row[1].reason is reason)) for reason, words in wording.REASONS.items()
    )
    return tuple(group for group in grouped if group[1])


def main_limits(run: AuditRun, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What this audit could not see, at most four sentences, for the first screen."""
    crashed = sum(bool(record.traceback) for record in run.records)
    unassessed = sum(f.verdict is Verdict.NOT_ASSESSED for f in findings)
    gaps = [f.smallest_gap for f in findings if f.smallest_gap is not None and f.limit.compare == "difference"]
    few = len({tuple(o.slice.items()) for _, o in run.omissions() if o.reason.value == "insufficient_data" and o.slice})
    aside = beside_passes(findings)
    sentences = (
        f"{wording.count(crashed, 'check')} crashed and measured nothing." if crashed else "",
        f"{wording.count(unassessed, 'limit')} could not be judged." if unassessed else "",
        f"{wording.count(few, 'group')} had too few rows to measure." if few else "",
        aside + "." if aside else "",
        f"Gaps below {wording.number(max(gaps), '1')} could go unseen with this many rows." if gaps else "",
        "" if any(data.name == "train" for data in run.data) else "No training data was given: leakage is not checked.",
        *run.model.notes,
    )
    return tuple(wording.text(sentence) for sentence in sentences if sentence)[:4]
