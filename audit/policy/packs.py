"""Packs: limits that somebody has thought about, as versioned TOML with a reason beside each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from audit.errors import SpecError, nearest
from audit.policy.limits import Limit, Waiver
from audit.spec import AuditSpec, LimitSpec, Loaded, PolicyFile, limit_lines, parse_toml, read_text, validate

FOLDER = Path(__file__).parent.parent / "policies"
LEVELS = ("fail", "warn", "record")  # strictest first
EVERY_GROUP = "*"  # in a pack: each sensitive column that the audit names, and each crossing of them
LABEL = "class"  # the parameter that names a label
_NO_LABELS: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    id: str
    title: str
    sha256: str
    limits: tuple[Limit, ...]


def pack_names() -> tuple[str, ...]:
    """``default@1`` and its like, as ``use`` takes them."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


def load_pack(name: str) -> Pack:
    """A pack that ships with Assay. SpecError names the nearest one."""
    if name not in pack_names():
        raise SpecError(f'use: no pack "{name}"{nearest(name, pack_names())}: there are {", ".join(pack_names())}')
    return read_pack(FOLDER / f"{name}.toml", source=name)


def read_pack(path: Path, source: str) -> Pack:
    """A file of limits: a pack, or what --policy names."""
    text = read_text(path)
    file = validate(PolicyFile, parse_toml(text, path), str(path))
    limits = _placed(file.limit, limit_lines(text), source)
    return Pack(id=file.pack, title=file.title, sha256=hashlib.sha256(text.encode()).hexdigest(), limits=limits)


def limit_of(spec: LimitSpec, source: str, line: int) -> Limit:
    return Limit(**spec.model_dump(), source=source, line=line)


def own_limits(loaded: Loaded) -> tuple[Limit, ...]:
    """The limits that audit.toml itself holds."""
    return _placed(loaded.spec.limit, loaded.limit_lines, loaded.path.name if loaded.path else "audit.toml")


def _placed(specs: Sequence[LimitSpec], lines: Sequence[int], source: str) -> tuple[Limit, ...]:
    """Each limit with its line; 0 for all where limits are not written under [[limit]] headers of their own."""
    known = lines if len(lines) == len(specs) else (0,) * len(specs)
    return tuple(limit_of(spec, source, line) for spec, line in zip(specs, known, strict=True))


def waivers(spec: AuditSpec) -> tuple[Waiver, ...]:
    return tuple(Waiver(**waiver.model_dump()) for waiver in spec.waive)


def gathered(
    packs: Iterable[Pack],
    policy: Pack | None,
    own: Sequence[Limit],
    groups: Sequence[str],
    depth: int,
    of_label: Mapping[str, Sequence[str]] = _NO_LABELS,
) -> tuple[Limit, ...]:
    """All limits of an audit, one an id: the file's own replace a pack's; a --policy file's may only be tightened.

    ``of_label`` holds the labels of the measures that are measured of each label of a multilabel task.

    SpecError when audit.toml names one limit twice, or loosens one of the policy.
    """
    merged: dict[str, Limit] = {}
    for pack in packs:
        merged |= {_key(limit): _lenient(limit) for limit in expanded(pack.limits, groups, depth, of_label)}
    mine: dict[str, Limit] = {}
    for limit in expanded(own, groups, depth, of_label):
        if (before := mine.get(_key(limit))) is not None:
            raise SpecError(f'{limit.source} has the limit "{limit.id}" twice (lines {before.line}, {limit.line})')
        mine[_key(limit)] = limit
    merged |= mine
    for limit in map(_strict, expanded(policy.limits, groups, depth, of_label) if policy else ()):
        key = _key(limit)
        merged[key] = _tightest(limit, mine[key]) if key in mine else limit
    return tuple(merged.values())


def _key(limit: Limit) -> str:
    """Two limits are one when they differ in the order of their columns only."""
    return replace(limit, by=tuple(sorted(limit.by))).id


def expanded(
    limits: Iterable[Limit], groups: Sequence[str], depth: int, of_label: Mapping[str, Sequence[str]] = _NO_LABELS
) -> list[Limit]:
    """``by = "*"`` becomes one limit for each sensitive column and each crossing, a limit that names no label one for
    each label but those that a limit of their own is about.
    """
    sets = [columns for size in range(1, min(depth, len(groups)) + 1) for columns in combinations(groups, size)]
    result = []
    for limit in limits:
        result += [replace(limit, by=columns) for columns in sets] if limit.by == (EVERY_GROUP,) else [limit]
    named = {_key(limit) for limit in result}
    every = [(limit, one) for limit in result for one in _each_label(limit, of_label)]
    return [one for limit, one in every if one is limit or _key(one) not in named]


def _each_label(limit: Limit, of_label: Mapping[str, Sequence[str]]) -> list[Limit]:
    labels = of_label.get(limit.measure, ())
    if not labels or LABEL in limit.params:
        return [limit]
    return [replace(limit, params={**limit.params, LABEL: label}) for label in labels]


def _lenient(limit: Limit) -> Limit:
    """A pack's limit, unless it says otherwise, lists what it could not see and does not block on doubt."""
    return replace(limit, underpowered=limit.underpowered or "list")


def _strict(limit: Limit) -> Limit:
    """A policy's limit, unless it says otherwise, blocks on doubt: [gate] of audit.toml cannot soften it."""
    return replace(limit, inconclusive=limit.inconclusive or "block", underpowered=limit.underpowered or "block")


def _tightest(policy: Limit, own: Limit) -> Limit:
    if LEVELS.index(own.level) > LEVELS.index(policy.level):
        raise SpecError(f'audit.toml may not lower the level of the policy\'s limit "{policy.id}" to "{own.level}"')
    tight = replace(
        policy,
        level=own.level,
        required=policy.required or own.required,
        min=max((b for b in (policy.min, own.min) if b is not None), default=None),
        max=min((b for b in (policy.max, own.max) if b is not None), default=None),
        regress=min((b for b in (policy.regress, own.regress) if b is not None), default=None),
    )
    for name in ("min", "max", "regress"):
        if getattr(own, name) not in (None, getattr(tight, name)):
            raise SpecError(
                f'audit.toml may only tighten the policy\'s limit "{policy.id}": {name} = {getattr(own, name):g} '
                f"loosens {getattr(policy, name):g}"
            )
    return tight
