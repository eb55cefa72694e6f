"""Audit models whose faults were planted, and the same models without: does this installation tell them apart?"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import TYPE_CHECKING, Any

from audit.errors import UsageError

if TYPE_CHECKING:
    from audit.selftest.running import Tried

EPILOG = """Every fault is audited many times with new random rows. The gate must fail it in at least 80 of 100 audits,
and its twin without the fault in at most 5; a line breaks that promise when its 95 % interval lies wholly beyond.

exit codes:
  0    every promise is kept
  1    one is broken: do not trust this installation
  2    the selftest could not be run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="audits of each form of a world")
    parser.add_argument("--seed", type=int, default=20261122, help="of the planted worlds")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    if arguments.rounds < 1 or arguments.seed < 0:
        raise UsageError("--rounds must be at least 1 and --seed at least 0")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from audit.cli.progress import progress
    from audit.selftest.promises import PROMISES
    from audit.selftest.running import as_json, tried
    from audit.selftest.worlds import WORLDS

    begun = time.monotonic()
    with progress(quiet=arguments.quiet or arguments.json) as shown:
        shown.start(len(WORLDS) + len(PROMISES))
        results = tried(arguments.rounds, arguments.seed, shown.step)
        promises = []
        for promise in PROMISES:
            shown.step(promise.words)
            promises.append((promise.words, promise.kept()))
    kept = [one.kept for one in results] + [one for _, one in promises]
    if arguments.json:
        told: Any = {"seed": arguments.seed, "worlds": as_json(results), "promises": dict(promises), "kept": all(kept)}
        print(json.dumps(told, indent=1))
    else:
        print(_screen(results, promises, time.monotonic() - begun))
    return 0 if all(kept) else 1


def _screen(results: list[Tried], promises: list[tuple[str, bool]], seconds: float) -> str:
    width = max(len(one.world.fault) for one in results) + 2
    lines = [f"  {'planted':<{width}}{'found':<26}failed without it", *(_line(one, width) for one in results), ""]
    lines += [f"{_mark(kept)} {words}" for words, kept in promises]
    broken = sum(not one.kept for one in results) + sum(not kept for _, kept in promises)
    total = len(results) + len(promises)
    verdict = "every promise is kept" if not broken else f"{broken} of {total} promises are broken"
    return "\n".join([*lines, "", f"{verdict} ({results[0].rounds} audits of each form, {seconds:.0f} s)"])


def _line(one: Tried, width: int) -> str:
    found = f"{one.found} of {one.rounds} ({_share(one.power.lower)} to {_share(one.power.upper)})"
    alarms = f"{one.false_alarms} of {one.rounds} ({_share(one.false_alarm.lower)} to {_share(one.false_alarm.upper)})"
    unjudged = f", {one.unjudged} not judged" if one.unjudged else ""
    return f"{_mark(one.kept)} {one.world.fault:<{width}}{found:<26}{alarms}{unjudged}"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _mark(kept: bool) -> str:
    return "✓" if kept else "✗"
