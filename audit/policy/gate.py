"""From findings to one verdict and one exit code. Nothing fails open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum

from audit import wording
from audit.policy.limits import Finding, Limit, Verdict, Waiver, demanded
from audit.policy.options import inside
from audit.results import Omission, Reason
from audit.spec import GateSpec


class ExitCode(IntEnum):
    PASS = 0
    FAIL = 1
    COULD_NOT_JUDGE = 2
    INCONCLUSIVE = 3
    INTERRUPTED = 130


EXIT_CODES = (
    ("0", "every limit passes, is waived, or only warns"),
    ("1", "at least one limit fails"),
    ("2", "the audit could not be made, or a limit that must be answered was not assessed"),
    ("3", 'no limit fails and one is inconclusive ([gate] inconclusive = "block")'),
    ("130", "interrupted; nothing half-written is left, and the same command goes on from what was measured"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    verdict: Verdict
    exit_code: ExitCode
    reason: str  # one sentence


def decide(findings: Sequence[Finding], gate: GateSpec) -> Decision:
    """Only limits of level "fail" decide. A crashed or unanswered limit that somebody wrote is never a pass."""
    gated = [f for f in findings if f.limit.level == "fail"]
    failed = [f for f in gated if f.verdict is Verdict.FAIL and f.waiver is None]
    unanswered = [f for f in gated if blocks_unanswered(f)]
    open_ = [f for f in gated if f.verdict is Verdict.INCONCLUSIVE and f.waiver is None and _blocks(f, gate)]
    judged = [f for f in findings if f.verdict is not Verdict.NOT_ASSESSED]
    if failed:
        words = f"{_count(failed, gated)} fails" if len(failed) == 1 else f"{_count(failed, gated)} fail"
        return Decision(verdict=Verdict.FAIL, exit_code=ExitCode.FAIL, reason=words)
    if unanswered:
        words = f"{unanswered[0].id} was not assessed: {unanswered[0].message}"
        return Decision(verdict=Verdict.NOT_ASSESSED, exit_code=ExitCode.COULD_NOT_JUDGE, reason=words)
    if not judged:
        words = "no limit could be judged"
        return Decision(verdict=Verdict.NOT_ASSESSED, exit_code=ExitCode.COULD_NOT_JUDGE, reason=words)
    if open_:
        words = f"{_count(open_, gated)} {'is' if len(open_) == 1 else 'are'} inconclusive"
        return Decision(verdict=Verdict.INCONCLUSIVE, exit_code=ExitCode.INCONCLUSIVE, reason=words)
    return Decision(verdict=Verdict.PASS, exit_code=ExitCode.PASS, reason=_passed(gated))


def blocks_unanswered(finding: Finding) -> bool:
    """Not assessed, and somebody demands an answer, or the check that should give it crashed."""
    if finding.verdict is not Verdict.NOT_ASSESSED:
        return False
    crashed = isinstance(finding.subject, Omission) and finding.subject.reason is Reason.ERROR
    return crashed or demanded(finding.limit)


def _blocks(finding: Finding, gate: GateSpec) -> bool:
    return (finding.limit.inconclusive or gate.inconclusive) == "block"


def _count(some: Sequence[Finding], of: Sequence[Finding]) -> str:
    return f"{len(some)} of {wording.count(len(of), 'gated limit')}"


def _passed(gated: Sequence[Finding]) -> str:
    passed = sum(f.verdict is Verdict.PASS for f in gated)
    waived = sum(f.waiver is not None for f in gated)
    unasked = sum(f.verdict is Verdict.NOT_ASSESSED and f.waiver is None for f in gated)
    rest = len(gated) - passed - waived - unasked
    words = [f"{passed} of {wording.count(len(gated), 'gated limit')} {'passes' if passed == 1 else 'pass'}"]
    if waived:
        words.append(f"{waived} waived")
    if unasked:
        words.append(f"{unasked} of a pack could not be assessed")
    if rest:
        words.append(f"{rest} left open, which only warns")
    return ", ".join(words)


def waive(findings: Iterable[Finding], waivers: Sequence[Waiver], today: date) -> tuple[Finding, ...]:
    """The findings with the waivers that hold today attached; a verdict is never changed by one."""
    by_limit = {waiver.limit: waiver for waiver in waivers}
    return tuple(
        replace(f, waiver=waiver) if (waiver := by_limit.get(f.id)) and _covers(waiver, f, today) else f
        for f in findings
    )


def _covers(waiver: Waiver, finding: Finding, today: date) -> bool:
    if waiver.expires < today or finding.verdict in (Verdict.PASS, Verdict.NOT_ASSESSED):
        return False
    if waiver.bound is None or finding.comparison is None:
        return True
    widened = _widened(finding.limit, waiver.bound)
    return all(inside(widened, c.lower, c.upper) for c in (finding.comparison, *finding.blocking))


def _widened(limit: Limit, bound: float) -> Limit:
    """The limit with its bound on that side moved out to ``bound``: the other side still holds."""
    highest = limit.regress if limit.regress is not None else limit.max
    return replace(
        limit,
        min=None if limit.min is None or limit.regress is not None else min(limit.min, bound),
        max=None if highest is None else max(highest, bound),
    )


def waiver_faults(findings: Sequence[Finding], waivers: Sequence[Waiver], today: date) -> list[str]:
    """Waivers that have gone stale: said in the summary, so that none does so unseen."""
    known = {f.id: f for f in findings}
    faults = []
    for waiver in waivers:
        if waiver.limit not in known:
            faults.append(f'the waiver of "{waiver.limit}" fits no limit')
        elif waiver.expires < today:
            faults.append(f'the waiver of "{waiver.limit}" expired on {waiver.expires}')
        elif known[waiver.limit].verdict is Verdict.PASS:
            faults.append(f'the waiver of "{waiver.limit}" is no longer needed: the limit passes')
    return faults
