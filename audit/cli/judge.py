"""Judge a stored run again, by other limits: no model, no row, no measuring."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from audit import plan as planning
from audit import store
from audit.cli._given import baseline_of
from audit.cli.summary import screen
from audit.errors import SpecError
from audit.machine import apart
from audit.policy.gate import EXIT_CODES, decide, waive, waiver_faults
from audit.policy.judge import judge
from audit.policy.packs import Pack, limit_of, read_pack, waivers
from audit.policy.waivers import check_waivers
from audit.record import AuditRun
from audit.registry import find
from audit.spec import AuditSpec, Loaded, load, validate
from audit.store.folder import identified
from audit.store.formats import v1

EPILOG = "exit codes:\n" + "\n".join(f"  {code:<4} {meaning}" for code, meaning in EXIT_CODES)
UNMEASURED = "the stored run does not hold it: measure it with audit run and this audit.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, or a folder of runs (the newest)")
    parser.add_argument("--spec", type=Path, metavar="FILE", help="limits to judge by; default: those of the run")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="limits that audit.toml may only tighten")
    parser.add_argument("--baseline", type=Path, metavar="RUN", help="the run that `regress` limits compare with")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write a new run folder there; default: write nothing")
    parser.add_argument("--json", action="store_true", help="print the result on stdout instead of the summary")


def run(arguments: argparse.Namespace) -> int:
    stored = store.read(store.find_run(arguments.run))
    loaded = load(arguments.spec) if arguments.spec else spec_of(stored)
    if loaded.spec.name != stored.name:
        raise SpecError(f'{arguments.spec} is of "{loaded.spec.name}", the run is of "{stored.name}": name its own')
    policy = read_pack(arguments.policy, arguments.policy.name) if arguments.policy else None
    result = rejudged(stored, loaded, policy, baseline_of(arguments.baseline, loaded))
    result = replace(result, machine=replace(result.machine, command=shlex.join(["audit", *sys.argv[1:]])))
    folder = None
    if arguments.out:
        from audit import writers

        folder, result = store.write(result, arguments.out, writers.of_a_run())
    if arguments.json:
        print(json.dumps(v1.dump(result)[0], indent=1, ensure_ascii=True, allow_nan=False))
    else:
        print(screen(result, folder))
    return result.exit_code


def spec_of(stored: AuditRun) -> Loaded:
    """audit.toml as the run was made with it; its findings know the file and the line of each limit."""
    raw = dict(stored.spec)
    spec = validate(AuditSpec, raw, "the run's spec")
    own = {finding.id: finding.limit for finding in stored.findings if "@" not in finding.limit.source}
    written = [own.get(limit_of(limit, "", 0).id) for limit in spec.limit]
    return Loaded(
        spec=spec,
        root=Path.cwd(),
        raw=raw,
        sha256=stored.spec_sha256,
        path=next((Path(limit.source) for limit in written if limit), None),
        limit_lines=tuple(limit.line if limit else 0 for limit in written),
    )


def rejudged(stored: AuditRun, loaded: Loaded, policy: Pack | None, baseline: AuditRun | None) -> AuditRun:
    """The same measurements under other limits; what they ask and the run does not hold is not assessed."""
    spec, registry, today = loaded.spec, find(), datetime.now(UTC).date()
    notes = {**registry.notes_of(spec.labels), **stored.measures}
    docs = {**{info.id: info.doc for info in registry.checks.values()}, **stored.docs}
    law = planning.law_of(loaded, notes, policy)
    check_waivers(waivers(spec), spec.gate, today)
    here = stored.machine
    elsewhere = apart(here.platform, here.cpu, baseline.machine) if baseline else ""
    rules = planning.rules_of(spec, notes, docs, baseline, stored.look)
    rules = replace(rules, unmeasured=UNMEASURED, elsewhere=elsewhere)
    findings = waive(judge(law.limits, stored.records, rules), waivers(spec), today)
    decision = decide(findings, spec.gate)
    return identified(
        replace(
            stored,
            verdict=decision.verdict,
            exit_code=int(decision.exit_code),
            exit_reason="; ".join([decision.reason, *waiver_faults(findings, waivers(spec), today)]),
            findings=findings,
            spec=loaded.raw,
            spec_sha256=loaded.sha256,
            packs={pack.id: pack.sha256 for pack in law.packs},
            confidence=spec.stats.confidence,
            measures=notes,
            baseline=baseline.id if baseline else "",
        )
    )
