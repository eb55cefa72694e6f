"""What may be waived, said before anything is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from audit.errors import SpecError, nearest
from audit.policy.limits import Limit, Waiver
from audit.spec import GateSpec


def check_waivers(waivers: Sequence[Waiver], gate: GateSpec, today: date) -> None:
    """SpecError when there are more of them, or longer ones, than [gate] allows, or two of one limit."""
    if len(waivers) > gate.max_waivers:
        raise SpecError(f"{len(waivers)} waivers, and [gate] max_waivers allows {gate.max_waivers}: fix some")
    twice = [limit for limit, times in Counter(waiver.limit for waiver in waivers).items() if times > 1]
    if twice:
        raise SpecError(f'"{twice[0]}" is waived twice: keep one [[waive]]')
    for waiver in waivers:
        if (waiver.expires - today).days > gate.max_waiver_days:
            most = f"[gate] max_waiver_days allows {gate.max_waiver_days} days"
            raise SpecError(f'the waiver of "{waiver.limit}" runs to {waiver.expires}, and {most}')


def unmatched(waivers: Sequence[Waiver], limits: Sequence[Limit], today: date) -> list[str]:
    """Waivers that excuse nothing: of a limit that does not exist, or out of date. One sentence each."""
    known = [limit.id for limit in limits]
    lost = [w for w in waivers if w.limit not in known]
    late = [w for w in waivers if w.limit in known and w.expires < today]
    return [
        *(f'the waiver of "{w.limit}" fits no limit{nearest(w.limit, known)}' for w in lost),
        *(f'the waiver of "{w.limit}" expired on {w.expires}: renew it or take it out' for w in late),
    ]
