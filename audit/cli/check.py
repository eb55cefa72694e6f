"""Check audit.toml, the files it names, the plan, and what the data could show, before anything runs."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.counting import count
from audit.errors import SpecError

if TYPE_CHECKING:
    from audit.cli._examine import Examined
    from audit.cli._paired_power import PairedPower
    from audit.cli._power import LimitPower

EPILOG = """No model is loaded and no check runs; only the columns of the target and of the groups are read.

exit codes:
  0    the audit can be made
  2    it cannot, or a limit of audit.toml could not be answered"""
SHOWN = 6
SHOWN_GROUPS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="?", type=Path, default=Path("audit.toml"), help="default: audit.toml")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="limits that audit.toml may only tighten")
    parser.add_argument("--json", action="store_true", help="print everything that was found as JSON")


def run(arguments: argparse.Namespace) -> int:
    from audit.cli._examine import examine
    from audit.cli._given import registry_of
    from audit.policy.packs import read_pack
    from audit.spec import load

    loaded = load(arguments.spec)
    policy = read_pack(arguments.policy, arguments.policy.name) if arguments.policy else None
    found = examine(loaded, registry_of(loaded, allow_code=True), policy)  # checks are read here, never imported
    print(json.dumps(as_json(found), indent=1) if arguments.json else screen(found))
    if found.faults:
        raise SpecError("; ".join(found.faults))
    return 0


def screen(found: Examined) -> str:
    """All of it on one screen."""
    sections = [
        _head(found),
        _kept_out(found),
        _power(found),
        _paired(found),
        *(f"! {words}" for words in found.warnings),
    ]
    sections += [f"✗ {words}" for words in found.faults]
    sections.append("" if found.faults else f"\nnext: audit run {found.loaded.path}")
    return "\n".join(section for section in sections if section)


def _head(found: Examined) -> str:
    from audit import wording

    spec, question, test = found.loaded.spec, found.question, found.tables["test"]
    named = wording.listed(map(wording.label, test.roles.truths))
    target = f", target {named}" if named else ", no target"
    positive = f", positive = {wording.label(question.positive)}" if question.positive is not None else ""
    sources: dict[str, int] = defaultdict(int)
    for limit in found.law.limits:
        sources[limit.source] += 1
    runs = sum(item.omission is None for item in found.items)
    lines = [
        f"{'✗' if found.faults else '✓'} {found.loaded.path}: {wording.label(spec.name)}",
        f"  model    {spec.model.path if spec.model else 'none: stored predictions are audited'}",
        *_baseline(found),
        *(f"  {name:<8} {_table(found, name)}" for name in found.tables),
        f"  task     {question.task}{target}{positive}",
        *([f"  lists    one for each {wording.label(test.roles.query)}"] if test.roles.query else []),
        f"  groups   {', '.join(map(wording.label, test.roles.groups)) or 'none named'}",
        f"  limits   {', '.join(f'{count} of {source}' for source, count in sources.items()) or 'none'}",
        f"  checks   {runs} will run, {len(found.items) - runs} cannot",
    ]
    return "\n".join(lines)


def _baseline(found: Examined) -> list[str]:
    """The model that this one is held against, if there is one."""
    said = found.loaded.spec.model.baseline_model if found.loaded.spec.model else None
    columns = found.tables["test"].roles.baseline.columns
    named = said.path if said else ", ".join(columns)
    return [f"  baseline {named}"] if named else []


def _table(found: Examined, name: str) -> str:
    rows = found.rows[name]
    return found.tables[name].path + ("" if rows is None else f", {count(rows, 'row')}")


def _kept_out(found: Examined) -> str:
    """The checks that cannot run, those with the same reason on one line."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for item in found.items:
        if item.omission is not None:
            fix = "" if item.omission.remedy == "nothing to do" else f" → {item.omission.remedy}"
            reasons[item.omission.detail + fix].append(item.check.id)
    lines = [f"  {', '.join(dict.fromkeys(ids))}: {why}" for why, ids in reasons.items()]
    return "\n".join(["", "Cannot run", *lines]) if lines else ""


def _power(found: Examined) -> str:
    """Limits of the audit's own in full, those of a pack on a line each."""
    if not found.power:
        return ""
    title = (
        f"\nWhat {count(found.rows['test'] or 0, 'row')} could show, if there were no gap and the rates lay near "
        f"{found.power[0].assumed_rate:.2f},\nthe overall base rate, which stands in until they are measured"
    )
    own = [power for power in found.power if "@" not in power.limit.source]
    pack = sorted((power for power in found.power if "@" in power.limit.source), key=lambda power: power.powered > 0)
    lines = [line for power in own for line in (_limit(power), *_short(power))]
    lines += [_limit(power) for power in pack[:SHOWN]]
    left = len(pack) - SHOWN
    rest = [f"  and {count(left, 'more limit')} of packs (--json shows all)"] if left > 0 else []
    return "\n".join([title, *lines, *rest])


def _paired(found: Examined) -> str:
    """Limits on a change between two models on the same rows."""
    if not found.paired and not found.unplanned:
        return ""
    lines = [f"  {power.words}" for power in found.paired]
    lines += [f"  ? {name}: cannot be planned before both models have answered" for name in found.unplanned]
    roles = found.tables["test"].roles
    alike = ", if all of them counted alike and stood alone" if roles.weight or roles.cluster else ""
    return "\n".join([f"\nWhat the rows could show of a change between two models{alike}", *lines])


def _limit(power: LimitPower) -> str:
    from audit import wording

    bounds = wording.limit_words("1", lowest=power.limit.min, highest=power.limit.max)
    enough = wording.rows_enough(power.powered, power.comparisons, ahead=True)
    needs = f", about {power.needed:,} {power.denominator} a group would do" if power.needed is not None else ""
    mark = "✓" if power.powered == power.comparisons else "✗" if not power.can_pass else "?"
    of = f", {power.of}" if power.of else ""
    return f"  {mark} {power.limit.id} {bounds}{of}: {enough}{'' if mark == '✓' else needs}"


def _short(power: LimitPower) -> list[str]:
    from audit import wording

    short = [group for group in power.groups if group.short]
    lines = [f"      {power.words(group)}" for group in short[:SHOWN_GROUPS]]
    more = len(short) - SHOWN_GROUPS
    return [*lines, f"      and {wording.count(more, 'more group')}"] if more > 0 else lines


def as_json(found: Examined) -> dict[str, Any]:
    spec, question, test = found.loaded.spec, found.question, found.tables["test"]
    return {
        "file": str(found.loaded.path),
        "name": spec.name,
        "model": spec.model.path if spec.model else None,
        "data": {name: {"path": data.path, "rows": found.rows[name]} for name, data in found.tables.items()},
        "task": question.task,
        "classes": list(question.classes),
        "positive": question.positive,
        "favourable": question.favourable,
        "groups": list(test.roles.groups),
        "limits": [{"id": limit.id, "level": limit.level, "source": limit.source} for limit in found.law.limits],
        "checks": [
            {
                "check": item.check.id,
                "on": item.on,
                "params": dict(item.about),
                "runs": item.omission is None,
                "why_not": item.omission.detail if item.omission else "",
                "remedy": item.omission.remedy if item.omission else "",
            }
            for item in found.items
        ],
        "power": [_power_json(power) for power in found.power],
        "paired": [_paired_json(power) for power in found.paired],
        "unplanned": list(found.unplanned),
        "warnings": list(found.warnings),
        "faults": list(found.faults),
    }


def _paired_json(power: PairedPower) -> dict[str, Any]:
    return {
        "limit": power.limit.id,
        "denominator": power.denominator,
        "allowed": power.allowed,
        "needed": power.needed,
        "can_pass": power.can_pass,
        "groups": [{"slice": dict(g.group), "n": g.n, "most_churn": g.churn} for g in power.groups],
    }


def _power_json(power: LimitPower) -> dict[str, Any]:
    return {
        "limit": power.limit.id,
        "denominator": power.denominator,
        "of": power.of,
        "assumed_rate": power.assumed_rate,
        "needed": power.needed,
        "powered": power.powered,
        "comparisons": power.comparisons,
        "can_pass": power.can_pass,
        "groups": [{"slice": dict(g.group), "n": g.n, "short": g.short} for g in power.groups],
    }
