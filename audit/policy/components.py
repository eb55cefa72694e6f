"""What the name of a compound measure stands for, as limits: a plan needs it before any kernel is loaded."""

from __future__ import annotations

from dataclasses import replace

from audit.errors import SpecError
from audit.policy.limits import Limit
from audit.results import MeasureNote


def resolved(limit: Limit, note: MeasureNote) -> Limit:
    """The limit with the comparison that the measure's name stands for. SpecError where it says otherwise."""
    if not note.of:
        return limit
    if limit.compare not in {"each", note.compare} or limit.regress is not None or not limit.by:
        raise SpecError(
            f'"{limit.measure}" is a {note.compare} between groups: give by = ["column"], no regress, and leave '
            f'compare out (got compare = "{limit.compare}", by = {list(limit.by)})'
        )
    if note.compare == "difference" and (limit.min is not None or (limit.max is not None and limit.max < 0)):
        raise SpecError(f'"{limit.measure}" is a gap, which is never negative: give max, 0 or more, and no min')
    if note.compare == "ratio" and (limit.max is not None or (limit.min is not None and not 0 < limit.min <= 1)):
        raise SpecError(f'"{limit.measure}" is smaller over larger: give min, above 0 and at most 1, and no max')
    return replace(limit, compare=note.compare)


def components(limit: Limit, note: MeasureNote) -> list[Limit]:
    """The limits on the measures that a named comparison is made of; the limit itself for any other measure."""
    return [replace(limit, measure=name, compare=note.compare) for name in note.of] or [limit]
