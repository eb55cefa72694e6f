"""Explain a check, a measure or a limit: what it says, how it is measured, and what the default limits ask of it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

from audit.errors import UsageError, nearest
from audit.policy.limits import Limit
from audit.policy.packs import load_pack, pack_names
from audit.registry import CheckInfo, Registry, find
from audit.results import MeasureNote

_WORDS = {
    "model": "a model",
    "train": "training data",
    "known": "rows with known answers",
    "training_record": "a record of the training",
    "training_evidence": "a record of the training, or what it took",
    "recipe": "a training recipe",
    "tasks": "a task that is",
    "roles": "a column in the role of",
    "kinds": "features of kind",
}
OF_EACH_LABEL = """In a task of several labels (target = ["cat", "dog"], a list of 0/1 columns) it is asked of each.
params = { class = "cat" } names the label that a limit is about; a limit that names none is about every label."""
EPILOG = """examples:
  audit explain fairness.group_rates
  audit explain true_positive_rate
  audit explain 'true_positive_rate/difference@race*sex'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="CHECK|MEASURE|LIMIT-ID", help="as audit list or a finding shows it")


def run(arguments: argparse.Namespace) -> int:
    registry = find()
    name: str = arguments.name
    measure = measure_of(name)
    if name in registry.checks:
        print(about_check(registry.checks[name], registry, list(registry.checks[name].measures)))
        return 0
    if measure not in registry.measures:
        known = [*registry.checks, *registry.measures]
        raise UsageError(f'no check or measure "{name}"{nearest(measure, known)}: "audit list" shows the checks')
    print(_about_measure(name, measure, registry))
    return 0


def measure_of(name: str) -> str:
    """The measure that a limit's id is about: ``recall`` of ``recall[k=10]/ratio@sex#train``."""
    from urllib.parse import unquote

    return unquote(re.split(r"[\[/@#]", name, maxsplit=1)[0])


def about_check(info: CheckInfo, registry: Registry, measures: Iterable[str]) -> str:
    parts = [
        f"{info.id}\n{'=' * len(info.id)}\n\n{_readable(info.doc)}",
        "\n".join(["Measures", *(_line(name, info.measures[name]) for name in measures)]),
        f"Cost      {info.cost}\nNeeds     {_needs(info, registry)}",
        *([OF_EACH_LABEL] if registry.is_of_one_label(info) else []),
    ]
    asked = [line for name in measures for line in _asked(name, info.measures[name].unit)]
    parts.append("\n".join(["Limits of the packs", *asked]) if asked else "No pack has a limit on it.")
    return "\n\n".join(parts)


def _about_measure(name: str, measure: str, registry: Registry) -> str:
    info = registry.checks[registry.measures[measure]]
    head = f"{measure}: {info.measures[measure].words}"
    compared = _compared(name)
    return "\n\n".join([f"{head}{compared}", about_check(info, registry, [measure])])


def _compared(name: str) -> str:
    """What the rest of a limit's id says."""
    by = re.search(r"@([^#]+)", name)
    on = re.search(r"#(.+)$", name)
    words = []
    if "/difference" in name:
        words.append("the absolute gap between groups")
    if "/ratio" in name:
        words.append("the smaller over the larger of two groups")
    if by:
        words.append(f"by {' and '.join(by[1].split('*'))}")
    if on:
        words.append(f"on the {on[1]} data")
    return f"\n{name} is judged on {', '.join(words)}." if words else ""


def _readable(doc: str) -> str:
    """The docstring without the marks of its markup."""
    text = re.sub(r"\*([A-Z][^*\n]+?)\*", r"\1", doc.strip())
    return re.sub(r"``([^`]+)``", r"\1", text)


def _line(name: str, note: MeasureNote) -> str:
    from audit.wording import BETTER

    params = f"; parameters: {', '.join(f'{p} ({kind})' for p, kind in note.params.items())}" if note.params else ""
    unit = "a share or plain number" if note.unit == "1" else f"in {note.unit}"
    return f"  {name}: {note.words} ({unit}, {BETTER.get(note.better, note.better)}{params})"


def _needs(info: CheckInfo, registry: Registry) -> str:
    """Its inputs, and what a case must hold so that they can be made."""
    required = dict.fromkeys(
        words
        for needed in registry.requirements(info)
        for key, value in needed.items()
        for words in (
            _WORDS.get(key, key) if value is True else f"{_WORDS.get(key, key)} {' or '.join(map(str, value))}",
        )
    )
    return ", ".join(info.inputs) + (f"; so {', '.join(required)}" if required else "")


def _asked(measure: str, unit: str) -> list[str]:
    limits = [limit for name in pack_names() for limit in load_pack(name).limits if limit.measure == measure]
    return [line for limit in limits for line in _limit(limit, unit)]


def _limit(limit: Limit, unit: str) -> list[str]:
    from audit.wording import limit_words

    groups = " of every sensitive column and crossing" if limit.by == ("*",) else f" of {', '.join(limit.by)}"
    compared = {"each": "", "difference": " gap between groups", "ratio": " ratio of groups"}[limit.compare]
    by = f"{compared}{groups}" if limit.by else ""
    bounds = limit_words(unit, lowest=limit.min, highest=limit.max, regress=limit.regress)
    clause = f" ({', '.join(limit.clause)})" if limit.clause else ""
    return [f"  {limit.measure}{by} {bounds}, {limit.level} [{limit.source}]", f"    {limit.why}{clause}"]
