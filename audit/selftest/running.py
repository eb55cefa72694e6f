"""Each world is audited often, with its fault and without; how often it fails is held against the gate's promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from audit.policy import Verdict
from audit.registry import Registry, find
from audit.results import Interval
from audit.selftest.auditing import audited, in_memory
from audit.selftest.worlds import WORLDS, Made, World
from audit.stats import interval, rate, seed_for

POWER = 0.8
"""Every fault is large enough for its rows that at least this share of the audits must fail."""
FALSE_ALARM = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One world: of ``rounds`` audits each, how many failed with the fault and without; how many were not judged."""

    world: World
    rounds: int
    found: int
    false_alarms: int
    unjudged: int

    @property
    def power(self) -> Interval:
        return interval(rate(self.found, self.rounds), 0.95)

    @property
    def false_alarm(self) -> Interval:
        return interval(rate(self.false_alarms, self.rounds), 0.95)

    @property
    def kept(self) -> bool:
        """Whether nothing speaks clearly against the promise, and every audit was judged."""
        return self.power.upper >= POWER and self.false_alarm.lower <= FALSE_ALARM and not self.unjudged


def tried(rounds: int, seed: int, told: Callable[[str], None]) -> list[Tried]:
    """Every world, ``rounds`` times with its fault and ``rounds`` times without."""
    registry = find()
    results = []
    for world in WORLDS:
        told(world.fault)
        only = _only(registry, world)
        planted, clean = (
            [verdict_of(world, _drawn(world, seed, i, planted=fault), only) for i in range(rounds)]
            for fault in (True, False)
        )
        results.append(
            Tried(
                world=world,
                rounds=rounds,
                found=planted.count(Verdict.FAIL),
                false_alarms=clean.count(Verdict.FAIL),
                unjudged=(planted + clean).count(Verdict.NOT_ASSESSED),
            )
        )
    return results


def _drawn(world: World, seed: int, index: int, *, planted: bool) -> Made:
    stream = np.random.default_rng(seed_for(seed, f"{world.fault} {index} {planted}"))
    return world.make(stream, planted)


def _only(registry: Registry, world: World) -> Registry:
    """The check that the world's limit is about: the others have worlds of their own."""
    name = registry.measures[world.limit["measure"]]
    info = registry.checks[name]
    return replace(registry, checks={name: info}, measures=dict.fromkeys(info.measures, name))


def verdict_of(world: World, made: Made, registry: Registry) -> Verdict:
    """By the world's limit alone."""
    tables = {"test": made.test, "train": made.train, "known": made.known}
    model = in_memory(made.model, world.classes, made.output, made.roles.get("features")) if made.model else None
    return audited(tables, made.roles, world.limit, registry, model).verdict


def as_json(results: list[Tried]) -> list[Mapping[str, Any]]:
    return [
        {
            "fault": one.world.fault,
            "measure": one.world.limit["measure"],
            "rounds": one.rounds,
            "found": one.found,
            "false_alarms": one.false_alarms,
            "unjudged": one.unjudged,
            "kept": one.kept,
        }
        for one in results
    ]
