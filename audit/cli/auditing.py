"""From the path of an audit.toml to a run folder: what `audit run` and `audit demo` share."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from audit import store, writers
from audit.case import Case, open_case
from audit.cli._given import baseline_of, registry_of
from audit.engine import Progress, Settings, run_audit
from audit.errors import StoreError
from audit.policy.packs import Pack, read_pack
from audit.record import AuditRun
from audit.registry import Registry
from audit.resuming import Resume, journal_of
from audit.spec import Loaded, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    out: Path
    policy: Path | None = None
    baseline: Path | None = None
    inconclusive: str | None = None
    allow_code: bool = False
    costs: tuple[str, ...] = ()  # of checks that do not run by default
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What an audit is made of, found and open."""

    loaded: Loaded
    registry: Registry
    case: Case
    policy: Pack | None
    baseline: AuditRun | None


def audit_file(spec: Path, options: Options, progress: Progress) -> tuple[Path, AuditRun]:
    """(run folder, the run). AuditError when the audit cannot be made.

    What is measured is kept beside the runs until the run is written: the same audit, started again after an
    interruption, goes on from there.
    """
    _refuse_unwritable(options.out)
    opened = _opened(spec, options)
    journal = journal_of(opened.case, opened.loaded, opened.registry, options.out)
    resume = Resume(journal=journal, case=opened.case) if journal else None
    written = store.write(_made(opened, options, progress, resume), options.out, writers.of_a_run())
    if journal:
        journal.clear()
    return written


def measured(spec: Path, options: Options, progress: Progress) -> AuditRun:
    """The audit, made and not written. AuditError when it cannot be made."""
    return _made(_opened(spec, options), options, progress, None)


def _opened(spec: Path, options: Options) -> Opened:
    loaded = overridden(load(spec), options.inconclusive)
    return Opened(
        loaded=loaded,
        policy=read_pack(options.policy, str(options.policy.name)) if options.policy else None,
        baseline=baseline_of(options.baseline, loaded),
        registry=registry_of(loaded, allow_code=options.allow_code),
        case=open_case(loaded, allow_code=options.allow_code),
    )


def _made(opened: Opened, options: Options, progress: Progress, resume: Resume | None) -> AuditRun:
    settings = Settings(
        costs=(*Settings().costs, *options.costs),
        policy=opened.policy,
        baseline=opened.baseline,
        command=options.command,
        resume=resume,
        progress=progress,
    )
    return run_audit(opened.case, opened.loaded, opened.registry, settings)


def overridden(loaded: Loaded, inconclusive: str | None) -> Loaded:
    """The spec with what the command line says instead; the run keeps both."""
    if inconclusive is None:
        return loaded
    gate = loaded.spec.gate.model_copy(update={"inconclusive": inconclusive})
    raw = {**loaded.raw, "gate": {**loaded.raw.get("gate", {}), "inconclusive": inconclusive}}
    return replace(loaded, spec=loaded.spec.model_copy(update={"gate": gate}), raw=raw)


def _refuse_unwritable(out: Path) -> None:
    """Said before minutes of measuring, not after."""
    existing = next((p for p in (out, *out.absolute().parents) if p.exists()), Path("/"))
    if not existing.is_dir():
        raise StoreError(f"--out {out}: {existing} is a file, not a folder")
    if not os.access(existing, os.W_OK):
        raise StoreError(f"--out {out}: {existing} cannot be written to: name another folder")
