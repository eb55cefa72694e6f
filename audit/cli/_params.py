"""Limits that leave out the parameter without which their measure is never measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from audit.errors import nearest
from audit.policy.limits import Limit, demanded
from audit.results import MeasureNote
from audit.spec import AuditSpec


def unanswered(limits: Iterable[Limit], spec: AuditSpec, classes: Sequence[str], notes: Mapping[str, MeasureNote]
               ) -> list[str]:  # fmt: skip
    """One fault for each limit that somebody wrote without such a parameter, or with a variant that is not there."""
    known = {"variant": tuple(spec.model.variants) if spec.model else (), "class": tuple(classes)}
    asked = [limit for limit in limits if demanded(limit) and limit.level != "record"]
    return [fault for limit in asked if (fault := _fault(limit, notes[limit.measure].params, known))]


def _fault(limit: Limit, has: Mapping[str, str], known: Mapping[str, tuple[str, ...]]) -> str:
    where = f"{limit.source} line {limit.line}: " if limit.line else ""
    missing = [name for name, kind in has.items() if kind == "each" and name not in limit.params]
    if missing:
        example = {name: (known.get(name) or ("...",))[0] for name in missing} | dict(limit.params)
        table = ", ".join(f"{name} = {json.dumps(value)}" for name, value in example.items())
        each = " and ".join(missing)
        choices = "; ".join(f"{name}: {', '.join(known[name])}" for name in missing if known.get(name))
        shown = f" ({choices})" if choices else ""
        lacking = (
            "" if known["variant"] or "variant" not in missing else "name the other form in [model] variants, and "
        )
        return (
            f"{where}{limit.id} cannot be assessed: it is measured for each {each}{shown}, and the limit names none; "
            f"{lacking}give it params = {{ {table} }}"
        )
    named = limit.params.get("variant")
    if named is not None and named not in known["variant"]:
        names = ", ".join(known["variant"]) or "none"
        close = nearest(str(named), known["variant"])
        return f'{where}{limit.id}: no variant is called "{named}"{close}: [model] variants has {names}'
    return ""
