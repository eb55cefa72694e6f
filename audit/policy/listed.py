"""In words: the comparisons beside a pass that had too few rows to take part in it."""

from __future__ import annotations

from collections.abc import Sequence

from audit import wording
from audit.policy.limits import MOST_LISTED, Comparison, Finding

NAMED = 3


def beside(finding: Finding) -> str:
    """``too few rows to tell: race: black against white (40 and 900 rows, 1,082 a group needed); and 7 more``."""
    if not finding.listed:
        return ""
    return f"too few rows to tell: {_some([_one(c) for c in finding.listed], _aside(finding))}"


def beside_passes(findings: Sequence[Finding]) -> str:
    """The same of all limits that pass, the worst comparison of each: one sentence, empty where none is listed."""
    listing = [finding for finding in findings if finding.listed]
    if not listing:
        return ""
    total = sum(map(_aside, listing))
    named = [f"{wording.label(f.id, 200)}, {_one(f.listed[0])}" for f in listing]
    passes = f"{wording.count(len(listing), 'limit')} that {'passes' if len(listing) == 1 else 'pass'}"
    return f"Set aside in {passes}, with too few rows to tell: {_some(named, total)}"


def _aside(finding: Finding) -> int:
    """All of them, also those that the finding does not keep (and, then, those of groups without a value)."""
    return len(finding.listed) if len(finding.listed) < MOST_LISTED else finding.comparisons - finding.assessed


def _some(named: Sequence[str], total: int) -> str:
    shown = list(named[:NAMED])
    return "; ".join([*shown, f"and {total - len(shown):,} more"] if total > len(shown) else shown)


def _one(c: Comparison) -> str:
    rows = " and ".join(f"{n:,}" for n in c.n) + (" row" if c.n == (1,) else " rows")
    group = " a group" if len(c.n) > 1 else ""
    needed = f"{c.needed_n:,}{group} needed" if c.needed_n is not None else "no number of rows would do"
    return f"{wording.contrast_words(c.groups)} ({rows}, {needed})"
